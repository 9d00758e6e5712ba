"""What is installed is what is declared, on every route: pip, pins with hashes, conda."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RUNTIME = [Requirement(text) for text in PROJECT["dependencies"]]
TEST = [Requirement(text) for text in PROJECT["optional-dependencies"]["test"]]
EXTRAS = {
    name: [Requirement(text) for text in PROJECT["optional-dependencies"][name]]
    for name in ("cluster", "postgres", "site")
}
MORE = [requirement for extra in EXTRAS.values() for requirement in extra]
CONDA_NAMES = {"torch": "pytorch"}
NOT_ON_CONDA = {"axe-playwright-python", "fsrs", "playwright"}
NOT_PINNED = re.compile(r"torch$|triton$|nvidia-|cuda-")
NOT_TRACKED = {".git", ".venv", "run", "build", "dist", "__pycache__", ".ipynb_checkpoints"}
OWN = {"autograder", "course_lib", "benchmarks", "tests", "conftest", "attacks"}
LEARNERS = {"submissions", "attacks"}  # written as learners would, imports that must fail included
PINS = ["pins.txt", *(f"pins-{name}.txt" for name in EXTRAS)]
MACHINE_FREE = [*PINS, "pyproject.toml", "environment.yml", "Makefile", ".ci/run"]


def pins(file: str = "pins.txt") -> dict[str, list[str]]:
    """Pinned packages of a file: name to the lines of each of its entries, joined."""
    entries = re.split(r"^(?=[a-z0-9])", (ROOT / file).read_text(), flags=re.MULTILINE)[1:]
    found: dict[str, list[str]] = {}
    for entry in entries:
        found.setdefault(entry.split("==")[0], []).append(entry)
    return found


def project_files() -> Iterator[Path]:
    """Every file that is, or is about to be, in the repository."""
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        hidden = any(part.endswith("_cache") or part.endswith(".egg-info") or part == ".hypothesis" for part in parts)
        if path.is_file() and not hidden and NOT_TRACKED.isdisjoint(parts):
            yield path


def needed(names: set[str]) -> set[str]:
    """The packages that these need on this machine, they themselves included, by installed metadata."""
    seen: set[str] = set()
    queue = [Requirement(name) for name in names]
    while queue:
        requirement = queue.pop()
        name = canonicalize_name(requirement.name)
        if name in seen or NOT_PINNED.match(name):
            continue
        seen.add(name)
        extras = [{"extra": extra} for extra in (*requirement.extras, "")]
        children = [Requirement(text) for text in requires(name) or []]
        queue += [c for c in children if c.marker is None or any(c.marker.evaluate(e) for e in extras)]
    return seen


def imported(path: Path) -> set[str]:
    """Top-level names that a source file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(str(node.module).split(".")[0])
    return names


def test_dependencies_exactly_pinned() -> None:
    """Every direct dependency names one version."""
    assert [str(r) for r in RUNTIME + TEST + MORE if not re.fullmatch(r"==[\w.]+", str(r.specifier))] == []


def test_pins_match_pyproject() -> None:
    """pins.txt holds every direct dependency, but for Torch, in the version of pyproject.toml."""
    wanted = {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in RUNTIME + TEST}
    del wanted["torch"]
    pinned = {name: entries[0].split("==")[1].split()[0] for name, entries in pins().items()}
    assert {name: pinned.get(name) for name in wanted} == wanted


def test_pins_are_complete() -> None:
    """Whatever the dependencies need on this machine is pinned too."""
    assert needed({r.name for r in RUNTIME + TEST}) - pins().keys() == set()


@pytest.mark.parametrize("extra", EXTRAS)
def test_pins_of_extras_only_add(extra: str) -> None:
    """Each extra's file holds what the extra needs beyond pins.txt, and nothing of that is in pins.txt."""
    wanted, added = EXTRAS[extra], pins(f"pins-{extra}.txt")
    # An extra may name an extra of a package, as `psycopg[binary]` does.
    names = {f"{r.name}[{','.join(r.extras)}]" if r.extras else r.name for r in wanted}
    assert added
    assert needed(names) - pins().keys() - added.keys() == set()
    assert added.keys() & pins().keys() == set()
    # What an extra imports itself may be there anyway, because something else needs it.
    everything = {**pins(), **added}
    assert [str(r) for r in wanted if not everything[r.name][0].startswith(f"{r.name}{r.specifier} ")] == []


def test_pins_have_hashes() -> None:
    """Each pinned package carries at least one SHA-256."""
    everything = {name: found for file in PINS for name, found in pins(file).items()}
    assert [name for name, found in everything.items() if not all("--hash=sha256:" in entry for entry in found)] == []


def test_torch_stays_unpinned() -> None:
    """Torch and its CUDA packages are not in pins.txt: their build, so their hash, depends on the machine."""
    assert [name for file in PINS for name in pins(file) if NOT_PINNED.match(name)] == []


@pytest.mark.parametrize("name", MACHINE_FREE)
def test_no_registry_hosts(name: str) -> None:
    """No file that steers an installation says where packages come from."""
    text = (ROOT / name).read_text()
    assert re.findall(r"\w+://\S+|(?<!no-emit-)(?:index-url|find-links)|trusted-host", text) == []


def test_environment_equals_pyproject() -> None:
    """environment.yml lists the same packages in the same versions, from conda-forge alone."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    (from_pip,) = (item["pip"] for item in environment["dependencies"] if isinstance(item, dict))
    from_conda = {item for item in environment["dependencies"] if isinstance(item, str)}
    declared = {r.name: f"{CONDA_NAMES.get(r.name, r.name)}{r.specifier}" for r in RUNTIME + TEST}
    assert set(from_pip) == {line for name, line in declared.items() if name in NOT_ON_CONDA}
    base = {f"python{PROJECT['requires-python']}", "pip"}
    assert from_conda - base == {line for name, line in declared.items() if name not in NOT_ON_CONDA}
    assert base <= from_conda


@pytest.mark.parametrize(
    ("folders", "declared"),
    [
        (["course_lib", "autograder", "solutions"], RUNTIME + MORE),
        (["tests", "benchmarks"], RUNTIME + TEST + MORE),
    ],
    ids=["runtime", "tests"],
)
def test_imports_are_declared(folders: list[str], declared: list[Requirement]) -> None:
    """Code imports the standard library, itself, and what pyproject.toml names: nothing by luck."""
    allowed = {canonicalize_name(requirement.name) for requirement in declared}
    homes = packages_distributions()
    undeclared = set()
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    # The helpers of all tests lie at the top; those of the browser tests beside them.
    helpers = {path.stem for path in (ROOT / "tests").glob("*.py")} if "tests" in folders else set()
    for path in (path for path in paths if LEARNERS.isdisjoint(path.parts)):
        beside = {p.stem for p in path.parent.glob("*.py")}
        for name in imported(path) - sys.stdlib_module_names - OWN - beside - helpers:
            if allowed.isdisjoint(canonicalize_name(home) for home in homes.get(name, [])):
                undeclared.add(f"{path.relative_to(ROOT)}: {name}")
    assert undeclared == set()


def test_no_machine_paths() -> None:
    """No file of the repository names a folder of the machine it was written on."""
    shared = {Path("/"), Path("/home"), Path(tempfile.gettempdir())}
    private = {ROOT, ROOT.parent, Path.home()} - shared
    found = {
        str(path.relative_to(ROOT))
        for path in project_files()
        if any(f"{folder}/".encode() in path.read_bytes() for folder in private)
    }
    assert found == set()


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Names of the files in a wheel built from a copy of the tree."""
    copy = tmp_path_factory.mktemp("wheel")
    for name in ("course_lib", "autograder", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXTS.md"):
        shutil.copy(ROOT / name, copy)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", str(copy / "out"), str(copy)], check=True, capture_output=True)
    (wheel,) = (copy / "out").glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


@pytest.mark.parametrize(
    "pattern",
    [
        "course_lib/cases/*.safetensors",
        "course_lib/widgets/static/*",
        "autograder/templates/*",
        "course_lib/**/*.py",
        "autograder/**/*.py",
    ],
)
def test_wheel_holds_package_data(pattern: str, wheel_names: list[str]) -> None:
    """An installed course has its case files, widget scripts, page templates and every module."""
    here = {str(path.relative_to(ROOT)) for path in ROOT.glob(pattern) if path.is_file()}
    assert here
    assert here <= set(wheel_names)


def test_wheel_leaves_tests_out(wheel_names: list[str]) -> None:
    """Only the two packages are installed."""
    tops = {name.split("/")[0] for name in wheel_names if ".dist-info/" not in name}
    assert tops == {"course_lib", "autograder"}
