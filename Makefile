# Every command of the project. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
LESSON ?= 01_xor_mlp
COURSE ?= .
REAL_DATA ?= ../shared/data
UV ?= uv
# Jupyter refuses to run as root unless it is told to.
JUPYTER_LAB = $(abspath $(BIN))/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root)

BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
QUIET := $(VENV)/etc/jupyter/labconfig/page_config.json
CLUSTER := $(VENV)/.installed-cluster
POSTGRES := $(VENV)/.installed-postgres
SITE := $(VENV)/.installed-site
TORCH := $(shell sed -n 's/^ *"\(torch==[^"]*\)".*/\1/p' pyproject.toml)

# $(call system,PROGRAM,DEBIAN PACKAGE,WHAT FOR): installs the package where it may, else says the one command to run.
define system
command -v $(1) >/dev/null || { \
  if [ "$$(uname -s)" != Linux ]; then \
    echo "$(3) needs $(1), and that needs Linux: use WSL or a virtual machine. 'make lab' works here." >&2; exit 1; \
  elif ! command -v apt-get >/dev/null; then \
    echo "$(3) needs $(1). Install the package '$(2)' with your package manager, then run make again." >&2; exit 1; \
  elif [ "$$(id -u)" = 0 ]; then become=; \
  elif sudo -n true 2>/dev/null; then become="sudo -n"; \
  else echo "$(3) needs $(1). Run: sudo apt-get install $(2)   Then run make again." >&2; exit 1; fi; \
  echo "Installing the system package $(2)."; \
  { $$become apt-get update -qq && \
    $$become env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(2); } >/dev/null || \
  { echo "Installing $(2) failed. Run: sudo apt-get install $(2)   Then run make again." >&2; exit 1; }; \
}
endef

.PHONY: help
help:  ## list these commands
	@echo "make COMMAND, where COMMAND is one of"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | column -t -s '|'

.PHONY: demo
demo: $(INSTALLED) bubblewrap  ## grade a class of made-up submissions from end to end
	@$(BIN)/course demo

# Tests start hundreds of programs: each would compile the course anew where bytecode is not kept.
.PHONY: test
test: $(INSTALLED) $(CLUSTER) $(POSTGRES) $(SITE) bubblewrap chromium postgresql lint  ## lint and run every test, those in a real browser too
	@PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

.PHONY: test-data
test-data: $(INSTALLED)  ## test the loaders on the real data sets, which are not in the repository (REAL_DATA=FOLDER)
	@if [ ! -d "$(REAL_DATA)" ]; then \
	  echo "Nothing was tested: there is no folder $(REAL_DATA), and the real data sets are not in the repository." >&2; \
	  echo "Run: make test-data REAL_DATA=FOLDER   It holds mnist, fashion_mnist, cifar10_test_jpeg, rt_polarity." >&2; \
	  exit 1; fi
	@REAL_DATA="$(abspath $(REAL_DATA))" $(BIN)/python -m pytest -m data tests/test_real_data.py

.PHONY: lab
lab: $(INSTALLED) $(QUIET)  ## open JupyterLab on the welcome notebook
	@$(JUPYTER_LAB) --notebook-dir=notebooks --LabApp.default_url=/lab/tree/00_welcome/00_welcome.ipynb

.PHONY: labs
labs: $(INSTALLED) chromium  ## train every lab whole in JupyterLab, and see that it reaches its target (tests cut them short)
	@COURSE_LABS=full OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/browser/test_lessons_in_jupyterlab.py

# No pop-up about Jupyter's news in front of the welcome. It lies in our environment: nobody's own settings change.
$(QUIET): $(INSTALLED)
	@mkdir -p $(@D)
	@echo '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}' > $@

# nbgrader calls `alembic` by its bare name.
.PHONY: formgrader
formgrader: $(INSTALLED) bubblewrap  ## open nbgrader's formgrader to mark by hand (the demo's: COURSE=run/demo)
	@cd $(COURSE) && PATH="$(abspath $(BIN)):$$PATH" $(JUPYTER_LAB) --LabApp.default_url=/formgrader/

.PHONY: lint
lint: $(INSTALLED)  ## check style (the import contract is checked in tests/test_architecture.py)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { echo "Run: $(BIN)/ruff format ." >&2; exit 1; }

.PHONY: bench
bench: $(INSTALLED) bubblewrap  ## compare grading time with stock nbgrader
	@$(BIN)/python -m benchmarks.grading

.PHONY: cluster
cluster: $(CLUSTER)  ## install what grading on a dask cluster needs (docs/cluster.md)

.PHONY: postgres
postgres: $(POSTGRES)  ## install what a gradebook in PostgreSQL needs (docs/instructor.md)

.PHONY: site
site: $(SITE)  ## build the static site of the whole course (docs/site.md)
	@$(BIN)/course site

.PHONY: release
release: $(INSTALLED)  ## make the zip for a class: make release LESSON=01_xor_mlp
	@$(BIN)/course release $(LESSON)

COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
  --no-emit-index-url --no-emit-find-links pyproject.toml --extra test
.PHONY: pins
pins:  ## write pins.txt and those of the extras anew from pyproject.toml (needs uv)
	@set -o pipefail; { \
	  echo "# Written by 'make pins'. torch and its CUDA packages are missing on purpose: see CONTRIBUTING.md."; \
	  $(COMPILE) | awk '/^[a-z0-9]/ { keep = !/^(torch|triton|cuda-|nvidia-)/ } keep'; } > pins.txt.new
	@mv pins.txt.new pins.txt
	@sed -n '/^[a-z0-9]/s/ \\$$//p' pins.txt > pins.tmp
	@set -o pipefail; for extra in cluster postgres site; do { \
	  echo "# Written by 'make pins'. What the extra '$$extra' needs beyond pins.txt."; \
	  $(COMPILE) --extra $$extra --constraint pins.tmp | awk -F== 'NR == FNR { known[$$1]; next } \
	    /^[a-z0-9]/ { keep = !/^(torch|triton|cuda-|nvidia-)/ && !($$1 in known) } keep' pins.tmp -; \
	  } > pins-$$extra.txt.new && mv pins-$$extra.txt.new pins-$$extra.txt || exit 1; done
	@rm pins.tmp

.PHONY: docs
docs: $(INSTALLED)  ## write docs/cli.md anew from the command line's own help
	@$(BIN)/python -m typer autograder.cli utils docs --name course --output docs/cli.md

.PHONY: clean
clean:  ## remove what was built and installed; run/ (submissions, gradebook) stays
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -not -path './run/*' -prune -exec rm -rf {} +

.PHONY: bubblewrap chromium postgresql
bubblewrap:
	@$(call system,bwrap,bubblewrap,Grading)
chromium:
	@$(call system,chromium,chromium,Testing in a browser)
# Debian keeps servers out of PATH.
postgresql:
	@compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || { $(call system,postgres,postgresql,Testing with PostgreSQL); }

$(INSTALLED): pyproject.toml pins.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Python 3.11 or newer is needed. Name yours: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "This Python cannot make virtual environments. Run: sudo apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing into $(VENV): about 2 GB, a few minutes the first time. Nothing outside this folder changes."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check $(TORCH)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r pins.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(CLUSTER): $(INSTALLED) pins-cluster.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r pins.txt -r pins-cluster.txt
	@touch $@

$(POSTGRES): $(INSTALLED) pins-postgres.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r pins.txt -r pins-postgres.txt
	@touch $@

$(SITE): $(INSTALLED) pins-site.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r pins.txt -r pins-site.txt
	@touch $@
