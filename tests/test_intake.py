"""Which file is whose: every layout, and nothing followed out of the folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autograder.folders import CourseError
from autograder.intake import Entry, find_submissions

LESSON = "01_xor_mlp"


def put(path: Path) -> Path:
    """A file with something in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    return path


def problems(folder: Path) -> dict[str, str]:
    """Learner to problem."""
    return {entry.learner: entry.problem for entry in find_submissions(folder, LESSON)}


@pytest.mark.parametrize(
    "layout",
    ["ada/01_xor_mlp/01_xor_mlp.ipynb", "ada/01_xor_mlp/my work.ipynb", "ada/any.ipynb", "ada/ada.ipynb", "ada.ipynb"],
)
def test_layouts(layout: str, tmp_path: Path) -> None:
    """All accepted layouts name learner and file."""
    path = put(tmp_path / layout)
    assert find_submissions(tmp_path, LESSON) == [Entry("ada", path)]


def test_learners_come_in_order(tmp_path: Path) -> None:
    """The class comes by name, layouts mixed."""
    for layout in ("carol.ipynb", "ada/x.ipynb", f"bob/{LESSON}/x.ipynb"):
        put(tmp_path / layout)
    assert [entry.learner for entry in find_submissions(tmp_path, LESSON)] == ["ada", "bob", "carol"]


def test_the_lessons_own_name_wins(tmp_path: Path) -> None:
    """Among several notebooks the one with the lesson's name counts; extra files do no harm."""
    path = put(tmp_path / "ada" / LESSON / f"{LESSON}.ipynb")
    for extra in ("copy.ipynb", "notes.txt", "timestamp.txt", ".ipynb_checkpoints/x.ipynb", "data/y.ipynb"):
        put(path.parent / extra)
    assert find_submissions(tmp_path, LESSON) == [Entry("ada", path)]


def test_what_is_no_submission_is_passed_over(tmp_path: Path) -> None:
    """Hidden files, other files and learners who only handed in another lesson are no entries."""
    path = put(tmp_path / "ada.ipynb")
    for other in (".bob.ipynb", "._carol.ipynb", "readme.md", "dan/02_other/02_other.ipynb", ".git/config"):
        put(tmp_path / other)
    (tmp_path / "eve").mkdir()
    assert find_submissions(tmp_path, LESSON) == [Entry("ada", path)]


def test_empty_submission_is_an_entry(tmp_path: Path) -> None:
    """A lesson's folder without a notebook is reported, not forgotten."""
    (tmp_path / "ada" / LESSON).mkdir(parents=True)
    assert find_submissions(tmp_path, LESSON) == [Entry("ada", None, "There is no notebook in this submission.")]


def test_several_notebooks_need_a_decision(tmp_path: Path) -> None:
    """When none of several notebooks has the lesson's name, all are named and none is opened."""
    for name in ("a", "b"):
        put(tmp_path / "ada" / LESSON / f"{name}.ipynb")
    says = f"There are several notebooks (a.ipynb, b.ipynb) and none is called {LESSON}.ipynb. Keep one."
    assert find_submissions(tmp_path, LESSON) == [Entry("ada", None, says)]


def test_a_learner_in_two_places_needs_a_decision(tmp_path: Path) -> None:
    """A folder and a file of the same learner are one entry, and neither is opened."""
    put(tmp_path / "ada.ipynb")
    put(tmp_path / "ada" / LESSON / "x.ipynb")
    says = "This learner appears more than once (ada, ada.ipynb). Keep one."
    assert find_submissions(tmp_path, LESSON) == [Entry("ada", None, says)]


@pytest.mark.parametrize("place", ["ada.ipynb", "ada", f"ada/{LESSON}", f"ada/{LESSON}/{LESSON}.ipynb", "ada/x.ipynb"])
def test_links_are_refused(place: str, tmp_path: Path) -> None:
    """A symbolic link at any level is reported and not followed, wherever it points."""
    inside = put(tmp_path / "outside" / LESSON / f"{LESSON}.ipynb")
    link = tmp_path / "class" / place
    link.parent.mkdir(parents=True)
    depth = {"ada": inside.parent.parent, f"ada/{LESSON}": inside.parent}
    link.symlink_to(depth.get(place, inside))
    (entry,) = find_submissions(tmp_path / "class", LESSON)
    assert (entry.learner, entry.path) == ("ada", None)
    assert entry.problem.endswith("is a symbolic link or leaves the submission's folder. It was not opened.")


def test_dangling_links_are_refused(tmp_path: Path) -> None:
    """A link to nothing is a link."""
    (tmp_path / "ada.ipynb").symlink_to(tmp_path / "nothing")
    assert "symbolic link" in problems(tmp_path)["ada"]


def test_another_learners_name_is_refused(tmp_path: Path) -> None:
    """A file that bears the name of somebody else in the class is not opened; one's own name is fine."""
    put(tmp_path / "ada" / LESSON / "bob.ipynb")
    put(tmp_path / "bob" / LESSON / "bob.ipynb")
    found = problems(tmp_path)
    assert found == {
        "ada": "The file is called bob.ipynb, which is another learner's name. It was not opened.",
        "bob": "",
    }


def test_odd_names_are_kept(tmp_path: Path) -> None:
    """Blanks, accents, quotes and dots in names are names."""
    for name in ("Ada L.", "zoé", "o'hara, x", "<b>"):
        put(tmp_path / name / LESSON / f"{LESSON}.ipynb")
    assert sorted(problems(tmp_path)) == sorted(("Ada L.", "zoé", "o'hara, x", "<b>"))


def test_long_names_are_refused(tmp_path: Path) -> None:
    """No learner's id is longer than a gradebook can hold: one folder's name must not stop the class."""
    put(tmp_path / ("a" * 129) / "x.ipynb")
    put(tmp_path / ("b" * 128) / "x.ipynb")
    found = problems(tmp_path)
    assert "more than 128 characters" in found["a" * 128]
    assert found["b" * 128] == ""


def test_unprintable_names_are_refused(tmp_path: Path) -> None:
    """A name that is not text could be written into no gradebook: it is replaced, and a person told."""
    os.mkdir(os.fsencode(tmp_path) + b"/ad\xff")
    put(tmp_path / "bob.ipynb")
    with open(os.fsencode(tmp_path) + b"/ad\xff/x.ipynb", "w") as stream:
        stream.write("{}")
    found = problems(tmp_path)
    assert found == {
        "ad?": "The name of this folder or file is not valid text. Rename it to the learner's id.",
        "bob": "",
    }


def test_notebooks_that_are_no_files_come_through(tmp_path: Path) -> None:
    """Folders and pipes called like notebooks are entries: reading them gives the reason."""
    (tmp_path / "ada" / LESSON / "x.ipynb").mkdir(parents=True)
    os.mkfifo(tmp_path / "bob.ipynb")
    assert [entry.learner for entry in find_submissions(tmp_path, LESSON)] == ["ada", "bob"]


def test_missing_folder_says_what_to_give(tmp_path: Path) -> None:
    """A folder that does not exist is answered with the option that names one."""
    with pytest.raises(CourseError, match="is not a folder. Give the folder of submissions with --submitted DIR"):
        find_submissions(tmp_path / "nothing", LESSON)


def test_empty_folder_says_what_is_expected(tmp_path: Path) -> None:
    """A folder without submissions is answered with the layout."""
    put(tmp_path / "readme.md")
    with pytest.raises(
        CourseError, match=f"holds no submission of {LESSON}. Expected {tmp_path.name}/<learner>/{LESSON}/"
    ):
        find_submissions(tmp_path, LESSON)
