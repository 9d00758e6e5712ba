"""Whose a file is: the names of the platforms, and what a roster makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.folders import CourseError
from autograder.roster import Roster, Row, Sender, learner_id, load_roster, sender_of

LESSON = "01_xor_mlp"
CLASS = Roster(
    [
        Row("ada", "17", "Ada Lovelace"),
        Row("bob", "18", ""),
        Row("zoë", "", "Zoë van der Berg"),
        Row("ann1", "21", "Ann Lee"),
        Row("ann2", "22", "Ann Lee"),
    ]
)


@pytest.mark.parametrize(
    ("entry", "sender"),
    [
        ("Ada Lovelace_123_assignsubmission_file_/x.ipynb", Sender("moodle", "Ada Lovelace", "123")),
        ("Ada Lovelace_123_assignsubmission_file/sub/x.ipynb", Sender("moodle", "Ada Lovelace", "123")),
        ("Ada Lovelace_123_assignsubmission_file_x_1_2_y.ipynb", Sender("moodle", "Ada Lovelace", "123")),
        ("Ada Lovelace_123_assignsubmission_onlinetext_/x.ipynb", None),
        ("lovelaceada_17_900_01_xor_mlp-1.ipynb", Sender("canvas", "lovelaceada", "17", False, 900)),
        ("lovelaceada_LATE_17_900_x_1_2_y.ipynb", Sender("canvas", "lovelaceada", "17", True, 900)),
        ("anon_aB3xY_900_x.ipynb", Sender("canvas", "", "anon_aB3xY", False, 900)),
        ("LATE_anon_aB3xY_900_x.ipynb", Sender("canvas", "", "anon_aB3xY", True, 900)),
        ("ada/x.ipynb", Sender("plain", "ada")),
        (f"ada/{LESSON}/x.ipynb", Sender("plain", "ada")),
        ("class/ada/x.ipynb", None),
        ("x.ipynb", None),
        ("17_900_x.ipynb", None),
        ("doe_17_" + "9" * 5000 + "_x.ipynb", None),
    ],
)
def test_platforms_names_are_understood(entry: str, sender: Sender | None) -> None:
    """Each form names its learner, whatever the learner called the file; anything else names nobody."""
    assert sender_of(entry, LESSON) == sender


@pytest.mark.parametrize(
    ("sender", "learner"),
    [
        (Sender("moodle", "Ada Lovelace", "999"), "ada"),
        (Sender("moodle", "Lovelace Ada", "999"), "ada"),
        (Sender("moodle", "ZOË VAN DER BERG", "999"), "zoë"),
        (Sender("moodle", "Participant", "18"), "bob"),
        (Sender("canvas", "lovelaceada", "17"), "ada"),
        (Sender("canvas", "whoever", "18"), "bob"),
        (Sender("canvas", "vanderbergzoë", "77"), "zoë"),
        (Sender("canvas", "leeann", "22"), "ann2"),
        (Sender("plain", "ada"), "ada"),
        (Sender("plain", "ADA"), "ada"),
        (Sender("plain", "17"), "ada"),
        (Sender("plain", "Ada Lovelace"), "ada"),
    ],
)
def test_the_roster_says_who_it_is(sender: Sender, learner: str) -> None:
    """Names in either order and spelling, numbers where they are the person's."""
    assert CLASS.learner(sender) == learner


@pytest.mark.parametrize(
    ("sender", "why"),
    [
        # Moodle numbers everybody anew in each assignment.
        (Sender("moodle", "Somebody Else", "17"), "is not in the roster"),
        # A learner who may choose a name must not become another one by it.
        (Sender("canvas", "doe", "17"), "calls number 17 'Ada Lovelace', the archive 'doe'"),
        (Sender("canvas", "lovelaceada", "99"), "is not in the roster"),
        (Sender("moodle", "Ann Lee", "5"), "more than once"),
        (Sender("plain", "eve"), "is not in the roster"),
    ],
)
def test_doubts_are_not_decided(sender: Sender, why: str) -> None:
    """Whoever is not known, known twice, or known by another name is refused with a sentence."""
    with pytest.raises(LookupError, match=why):
        CLASS.learner(sender)


def test_a_name_that_imitates_a_number_is_refused() -> None:
    """Someone called doe_17 in Canvas is not number 17."""
    imitated = sender_of("doe_17_12345_900_x.ipynb", LESSON)
    assert imitated is not None
    with pytest.raises(LookupError, match="calls number 17"):
        CLASS.learner(imitated)


@pytest.mark.parametrize("text", ["", ".", "..", ".ada", "a/b", "a\\b", "a\0", "a\n", "\ud800", " ada", "ada ",
                                  "ada.ipynb", "a\u202eb", "*", "a?", "[a]", "x" * 129, "字" * 100])  # fmt: skip
def test_ids_that_are_no_folder_names_are_refused(text: str) -> None:
    """Neither a path, nor hidden, nor invisible, nor too long for a folder or for nbgrader's table."""
    with pytest.raises(LookupError, match="cannot be a learner's id"):
        learner_id(text)


@given(st.text(max_size=12))
def test_every_id_is_one_visible_folder(text: str) -> None:
    """Whatever passes is a single name, and the same one when it is asked again."""
    try:
        name = learner_id(text)
    except LookupError:
        return
    assert Path("top", name).parts == ("top", name)
    assert not name.startswith(".")
    assert learner_id(name) == name


@pytest.mark.parametrize(
    "text",
    [
        "learner,lms_id,name\nada,17,Ada Lovelace\n",
        "\ufeffLearner;LMS ID;Name;Group\nada;17;Ada Lovelace;B\n\n",
        "name\tlearner\tlms_id\r\nAda Lovelace\tada\t17\r\n",
        'learner,name,lms_id\nada,"Lovelace, Ada",17\n',
    ],
)
def test_rosters_of_spreadsheets_are_read(text: str, tmp_path: Path) -> None:
    """Commas, semicolons or tabs, a byte order mark, other columns, empty lines, quoted names."""
    (tmp_path / "roster.csv").write_text(text, encoding="utf-8")
    assert load_roster(tmp_path / "roster.csv").learner(Sender("canvas", "lovelaceada", "17")) == "ada"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "columns are missing"),
        (b"learner,group\nada,B\n", "columns are missing"),
        (b"learner,name\n", "no rows"),
        (b"learner,name\n\xff,x\n", "not UTF-8"),
        (b"learner,name,lms_id\nada,,\n", "line 2: neither a number nor a name"),
        (b"learner,name\n../ada,Ada\n", "line 2: '../ada' cannot be a learner's id"),
        (b"learner,lms_id\nada,1\nbob,1\n", "line 3: number 1 is in an earlier line, too, for 'ada'"),
        (b"learner,lms_id\nada,1\nAda,2\n", "line 3: id ada is in an earlier line, too, for 'ada'"),
        (None, "No such file"),
    ],
)
def test_bad_rosters_get_a_sentence(text: bytes | None, why: str, tmp_path: Path) -> None:
    """What cannot be read, or says two things, is named with its line."""
    if text is not None:
        (tmp_path / "roster.csv").write_bytes(text)
    with pytest.raises(CourseError) as caught:
        load_roster(tmp_path / "roster.csv")
    assert why in str(caught.value)
