"""The documentation names what exists, and what exists is documented."""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import typer.main

import autograder
import course_lib
from autograder.course import CONVENTION_SHARE, STABILITY_SHARE, Outcome, Status

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
LONGEST_README = 150
MODULES = sorted(
    module.name
    for package in (autograder, course_lib)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def links(page: Path) -> list[str]:
    """Relative targets of the links and pictures of a page."""
    targets = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    return [target for target in targets if not re.match(r"\w+:|#", target)]


def anchors(page: Path) -> set[str]:
    """What a heading of a page can be linked by."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def first_cells(page: Path) -> set[str]:
    """First column of every table row of a page."""
    return set(re.findall(r"^\| ([^|]+?) \|", page.read_text(), flags=re.MULTILINE))


def commands() -> set[str]:
    """Names of the commands of `course`."""
    cli = importlib.import_module("autograder.cli")
    return set(typer.main.get_command(cli.app).commands)


@pytest.mark.parametrize("word", [*Outcome, *Status], ids=str)
def test_grading_explains_every_word(word: str) -> None:
    """Each outcome and each status has its own row in docs/grading.md."""
    assert str(word) in first_cells(DOCS / "grading.md")


@pytest.mark.parametrize("outcome", list(Outcome), ids=str)
def test_learners_find_every_verdict(outcome: Outcome) -> None:
    """Each outcome has a row that says what to do in docs/learner.md."""
    assert str(outcome) in first_cells(DOCS / "learner.md")


def test_grading_states_the_shares() -> None:
    """The shares that docs/grading.md names are those that the judge uses."""
    text = (DOCS / "grading.md").read_text()
    assert f"| stability | {STABILITY_SHARE:.0%}".replace("%", " %") in text
    assert f"| convention | {CONVENTION_SHARE:.0%}".replace("%", " %") in text


def test_readme_is_short() -> None:
    """The README fits on three screens, and its first command stands near the top."""
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) <= LONGEST_README
    assert lines.index("$ make demo") < 25


@each_page
def test_relative_links_resolve(page: Path) -> None:
    """Every link to a file of the project leads to one, and to a heading that is there."""
    broken = []
    for target in links(page):
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve()
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


@each_page
def test_make_commands_exist(page: Path) -> None:
    """Every `make` command that a page names is in the Makefile."""
    known = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"(?:`|\$ )make ([a-z]+)", page.read_text()))
    assert named - known == set()


def test_every_command_is_documented() -> None:
    """Each command of `course` is shown in the instructor's, the author's, the learner's or the site's page."""
    text = "".join((DOCS / name).read_text() for name in ("instructor.md", "author.md", "learner.md", "site.md"))
    assert {name for name in commands() if f"course {name}" not in text} == set()


@each_page
def test_documented_commands_exist(page: Path) -> None:
    """No page shows a command that `course` does not have."""
    named = set(re.findall(r"(?:`|\$ )course ([a-z]+)", page.read_text()))
    assert named - commands() == set()


def test_conventions_name_real_tests() -> None:
    """Every row of docs/conventions.md names a test, and the test is there."""
    rows = re.findall(r"^\|.*\|$", (DOCS / "conventions.md").read_text(), flags=re.MULTILINE)[2:]
    missing = []
    for row in rows:
        file, _, name = row.split("|")[-2].strip(" `").partition("::")
        functions = [node.name for node in ast.walk(ast.parse((ROOT / file).read_text())) if hasattr(node, "name")]
        if name not in functions:
            missing.append(row)
    assert rows
    assert missing == []


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_run(name: str) -> None:
    """Examples in docstrings give what they say."""
    module: ModuleType = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


def test_cli_reference_is_up_to_date() -> None:
    """docs/cli.md is what the command line says of itself; rebuild it with `make docs`."""
    command = [sys.executable, "-m", "typer", "autograder.cli", "utils", "docs", "--name", "course"]
    written = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert (ROOT / "docs" / "cli.md").read_text().strip() == written.strip()
