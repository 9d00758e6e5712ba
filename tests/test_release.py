"""From source to released notebook: built the same each time, by nbgrader's converter, without answers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_course as tiny
from tiny_course import LESSON_ID, SOURCE

from autograder.gradebook import has_lesson, write_reports
from autograder.leaks import leaks
from autograder.release import ReleaseError, build_lesson, build_notebook, generate, put_tools_on_path

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def course() -> Path:
    """A course whose lesson is released; tests read it only."""
    return tiny.made_course()


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A copy of the course that a test may change."""
    return tiny.copy_course(tmp_path / "course")


def code(notebook: dict[str, Any], name: str) -> str:
    """The text of a graded cell."""
    return "".join(tiny.cell(notebook, name)["source"])


def test_generate_writes_the_bytes_of_nbgraders_own_command(course: Path, own: Path) -> None:
    """`course generate` and `nbgrader generate_assignment` make the same file."""
    path = own / "notebooks" / LESSON_ID / f"{LESSON_ID}.ipynb"
    path.unlink()
    path.parent.rmdir()
    (own / "solutions" / LESSON_ID / "checks.py").write_text("SECRET = 1")
    (own / "solutions" / LESSON_ID / "answers.csv").write_text("1")
    done = tiny.nbgrader(own, "generate_assignment", LESSON_ID)
    assert done.returncode == 0, done.stderr
    assert path.read_bytes() == (course / "notebooks" / LESSON_ID / path.name).read_bytes()
    assert [file.name for file in path.parent.iterdir()] == [path.name], "other files of the source travelled along"


def test_generate_without_database_writes_the_same_bytes_and_no_gradebook(course: Path, tmp_path: Path) -> None:
    """CI can rebuild notebooks without a gradebook."""
    root = tiny.make_course(tmp_path / "course")
    path = generate(root, LESSON_ID, database=False)
    assert path.read_bytes() == (course / "notebooks" / LESSON_ID / path.name).read_bytes()
    assert not (root / "run" / "gradebook.db").exists()


def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    """Cell ids come from grade ids and positions, not from chance."""
    source = tmp_path / "lesson.py"
    source.write_text(SOURCE)
    first = build_notebook(source)
    assert first == build_notebook(source)
    ids = [cell["id"] for cell in json.loads(first)["cells"]]
    assert ids[:4] == ["start-1", "start-2", "double", "check_double"]


def test_a_new_paragraph_renames_the_cells_of_its_own_section_only(tmp_path: Path) -> None:
    """Inserting a cell before the first answer leaves the ids after it alone."""
    before, after = tmp_path / "before.py", tmp_path / "after.py"
    tail = "\n# %% [markdown]\n# The end.\n"
    before.write_text(SOURCE + tail)
    after.write_text("# %% [markdown]\n# New.\n\n" + SOURCE + tail)
    ids = [[cell["id"] for cell in json.loads(build_notebook(path))["cells"]] for path in (before, after)]
    assert ids[1] == ["start-1", "start-2", "start-3", *ids[0][2:]]


def test_tags_and_points_survive_the_release(course: Path) -> None:
    """Check cells keep `raises-exception`, so Run All goes on, and are locked."""
    check = tiny.cell(tiny.released(course), "check_square")
    assert check["metadata"]["tags"] == ["raises-exception"]
    assert check["metadata"]["nbgrader"]["points"] == 3
    assert check["metadata"]["nbgrader"]["locked"] is True
    assert check["metadata"]["editable"] is False


def test_the_released_notebook_runs_from_the_top(course: Path) -> None:
    """Stubs raise inside functions only, and name their exercise."""
    names: dict[str, Any] = {}
    for cell in tiny.released(course)["cells"]:
        if cell["cell_type"] == "code" and "raises-exception" not in cell["metadata"].get("tags", []):
            exec("".join(cell["source"]), names)
    with pytest.raises(NotImplementedError, match="double"):
        names["double"](1)
    assert names["square"](5) == 10, "the given wrong line is gone"
    assert names["exam_tiny"] is None


def test_text_after_the_marker_replaces_the_stub(course: Path) -> None:
    """An author can leave a hint, or nothing that raises, in the place of an answer."""
    notebook = tiny.released(course)
    assert "    out = x * 2\n    # Correct the line above.\n    return out" in code(notebook, "square")
    assert code(notebook, "exam_tiny") == "exam_tiny = None\n# YOUR CODE HERE"
    assert code(notebook, tiny.OPEN) == "YOUR ANSWER HERE"


def test_the_released_notebook_leaks_nothing(course: Path) -> None:
    """No answer, output or marker is in it; the scan is not blind, as the next test shows."""
    solution = (course / "solutions" / LESSON_ID / f"{LESSON_ID}.ipynb").read_bytes()
    assert leaks((course / "notebooks" / LESSON_ID / f"{LESSON_ID}.ipynb").read_bytes(), solution) == []


def _shown(text: str) -> Callable[[dict[str, Any]], None]:
    return lambda notebook: notebook["cells"][1].update(source=text)


RUN = "def helper(x):\n    if x:\n        total = x + x\n        total = total * 1\n        total = total - 0\n"
LEAKS = {
    "marker": (_shown("### END SOLUTION"), "marker"),
    "output": (lambda notebook: notebook["cells"][1].update(outputs=[{"output_type": "stream"}]), "outputs"),
    "statements in a row": (_shown(RUN), "statements of an answer"),
    "whole short answer": (_shown("def f(x):\n    out = (x*x) + 0*(x-1)*(x+1)\n    return out"), "statements of an"),
    "graded name": (_shown("def double(x):\n    return 2 * x"), "defines the graded name 'double'"),
    "exam answer": (_shown("exam_tiny = 41"), "defines the graded name 'exam_tiny'"),
    "open answer": (
        lambda notebook: notebook["cells"][0].update(
            source="Twice x grows by two with every step, and x times x grows by more each time."
        ),
        "a line of an answer",
    ),
}


@pytest.mark.parametrize("kind", LEAKS)
def test_each_kind_of_leak_is_found(course: Path, kind: str) -> None:
    """One planted leak gives one sentence that says what leaks."""
    plant, sentence = LEAKS[kind]
    notebook = tiny.released(course)
    plant(notebook)
    solution = (course / "solutions" / LESSON_ID / f"{LESSON_ID}.ipynb").read_bytes()
    found = leaks(json.dumps(notebook).encode(), solution)
    assert len(found) == 1
    assert sentence in found[0]


def _rewrite(root: Path, old: str, new: str) -> None:
    source = root / "solutions" / LESSON_ID / f"{LESSON_ID}.py"
    text = source.read_text()
    assert old in text
    source.write_text(text.replace(old, new))


def test_a_leak_stops_the_release_and_the_old_one_stays(own: Path) -> None:
    """A lesson that shows an answer elsewhere is refused."""
    path = own / "notebooks" / LESSON_ID / f"{LESSON_ID}.ipynb"
    before = path.read_bytes()
    _rewrite(
        own, "# # A tiny lesson\n", "# # A tiny lesson\n\n# %%\ndef square(x):\n    return x * x\n\n# %% [markdown]\n"
    )
    with pytest.raises(ReleaseError, match="would leak.*'square'"):
        generate(own, LESSON_ID)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"grade_id": "square"', '"grade_id": "double"', "two cells have the grade_id 'double'"),
        ("    return total\n    ### END SOLUTION", "    return total", "end solution"),
        (', "points": 2}', "}", "'check_double' does not have points"),
    ],
)
def test_a_broken_source_gives_a_sentence_and_keeps_the_old_release(
    own: Path, old: str, new: str, sentence: str
) -> None:
    """Duplicated ids, an unclosed region, a check without points: said in one sentence with the lesson's name."""
    path = own / "notebooks" / LESSON_ID / f"{LESSON_ID}.ipynb"
    before = path.read_bytes()
    _rewrite(own, old, new)
    with pytest.raises(ReleaseError, match=sentence) as error:
        generate(own, LESSON_ID)
    assert LESSON_ID in str(error.value)
    assert "\n" not in str(error.value)
    assert path.read_bytes() == before


def test_a_missing_lesson_is_named(course: Path) -> None:
    """No traceback for a typing error."""
    with pytest.raises(ReleaseError, match="02_nothing.*no such lesson"):
        build_lesson(course, "02_nothing")


def test_cells_cannot_be_added_once_there_are_submissions(own: Path) -> None:
    """nbgrader refuses, and its reason arrives as a sentence."""
    write_reports(f"sqlite:///{own}/run/gradebook.db", LESSON_ID, [tiny.report("ada")])
    _rewrite(own, '"grade_id": "check_double", "points": 2', '"grade_id": "check_twice", "points": 2')
    with pytest.raises(ReleaseError, match="01_tiny.*: Cannot add or remove cells"):
        generate(own, LESSON_ID)


def test_generate_describes_the_lesson_in_the_gradebook(course: Path) -> None:
    """nbgrader's own step makes the rows that scores hang on."""
    assert has_lesson(f"sqlite:///{course}/run/gradebook.db", LESSON_ID)


def test_the_environments_programs_come_first_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """nbgrader finds `alembic` although the environment is not activated."""
    monkeypatch.setenv("PATH", "/nowhere")
    put_tools_on_path()
    put_tools_on_path()
    first, *rest = os.environ["PATH"].split(os.pathsep)
    assert (Path(first) / "alembic").exists()
    assert rest == ["/nowhere"]
