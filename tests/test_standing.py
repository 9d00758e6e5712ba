"""Progress: counted from the journal alone, shown to a learner in a notebook and in a terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from commands import environment
from typer.testing import CliRunner

from autograder.cli import app
from course_lib import journal, progress
from course_lib.journal import Event
from course_lib.progress_table import current
from course_lib.standing import Contents, contents_here, standing, time_spent

START = datetime(2026, 3, 1, 18, tzinfo=UTC)
CONTENTS = (Contents("01_a", ("one", "two"), ("exam_a",)), Contents("02_b", ("three",), ()))


def event(minutes: float, kind: str, exercise: str, lesson: str = "01_a", **facts) -> Event:
    """Something that happened some minutes after the start."""
    return Event(START + timedelta(minutes=minutes), kind, lesson, exercise, facts)


def test_passes_are_counted_once_and_stay():
    """Twice right is once; a later failure takes nothing away; questions are counted by themselves."""
    events = [
        event(0, "passed", "one"), event(1, "passed", "one"), event(2, "failed", "one"),
        event(3, "answered", "exam_a", passed=False), event(4, "answered", "exam_a", passed=True),
    ]  # fmt: skip
    first, second = standing(events, CONTENTS).lessons
    assert (first.exercises_passed, first.questions_passed, first.open) == (1, 1, ("two",))
    assert (second.exercises_passed, second.open) == (0, ("three",))


def test_time_is_the_sum_of_short_gaps():
    """A break does not count; a gap belongs to the lesson that it leads to."""
    events = [event(0, "failed", "one"), event(5, "passed", "one"), event(15, "passed", "three", "02_b")]
    events += [event(35, "failed", "two"), event(36.5, "passed", "two")]
    assert time_spent(events) == {"01_a": 5 * 60 + 90, "02_b": 600}


def test_mistakes_are_named_until_they_are_overcome():
    """By name with a count, the latest first; without a name the last sentence; none after a pass."""
    no_bias, no_mean = {"mistake": "no_bias", "sentence": "Add b."}, {"mistake": "no_mean", "sentence": "Mean."}
    events = [
        event(0, "failed", "one", **no_bias), event(1, "failed", "one", **no_mean),
        event(2, "failed", "one", **no_bias),
        event(3, "failed", "three", "02_b", sentence="first"), event(4, "failed", "three", "02_b", sentence="last"),
        event(5, "failed", "two", **no_bias), event(6, "passed", "two"),
    ]  # fmt: skip
    found = [(item.exercise, item.mistake, item.sentence, item.times) for item in standing(events, CONTENTS).obstacles]
    assert found == [
        ("three", None, "last", 2), ("one", "no_bias", "Add b.", 2), ("one", "no_mean", "Mean.", 1),
    ]  # fmt: skip


def test_solutions_seen_before_a_pass_are_marked():
    """Seen and then passed is said so; looked at after the pass is nobody's business."""
    events = [event(0, "revealed", "one"), event(1, "passed", "one")]
    events += [event(2, "passed", "two"), event(3, "revealed", "two"), event(4, "revealed", "three", "02_b")]
    first, second = standing(events, CONTENTS).lessons
    assert (first.seen, second.seen) == (("one",), ("three",))
    assert "one" in first.passed


def test_next_is_where_one_left_off():
    """The first open exercise of the last lesson, then of the ones after it, then of those before."""
    assert standing([], CONTENTS).next == ("01_a", "one")
    assert standing([event(0, "passed", "three", "02_b")], CONTENTS).next == ("01_a", "one")
    everything = [event(0, "passed", "one"), event(1, "passed", "two"), event(2, "answered", "exam_a", passed=True)]
    assert standing(everything[:2], CONTENTS).next == ("01_a", "exam_a")
    assert standing(everything, CONTENTS).next == ("02_b", "three")
    assert standing([*everything, event(3, "passed", "three", "02_b")], CONTENTS).next is None


def test_other_courses_and_kinds_do_not_count():
    """Lessons that are not here, exercises that were renamed, kinds of the future: left out."""
    events = [event(0, "passed", "one", "77_z"), event(1, "passed", "old_name"), event(2, "sung", "one")]
    found = standing(events[:2], CONTENTS)
    assert (found.begun, found.lessons[0].passed) == (False, ())
    assert standing(events, CONTENTS).lessons[0].passed == ()


def test_all_lessons_of_this_copy_are_known():
    """As many exercises as the catalogue has, in its order."""
    from autograder.catalogue import LESSONS

    known = {item.lesson: item.exercises for item in contents_here()}
    assert {lesson.id: tuple(e.id for e in lesson.exercises) for lesson in LESSONS}.items() <= known.items()


def fill_journal() -> None:
    """A little of everything, with a sentence that is no HTML."""
    journal.record("failed", lesson="01_xor_mlp", exercise="sigmoid", mistake="sign", sentence="Is z < 0 & -z > 0?")
    journal.record("passed", lesson="01_xor_mlp", exercise="affine_forward")
    journal.record("revealed", lesson="04_optimisers", exercise="adam_step", honest=False)


def test_the_table_reads_as_text_and_as_html(capsys):
    """Counts, mistakes, solutions and what is next, in both; HTML is escaped, has scopes and hides the bars."""
    fill_journal()
    progress()
    text, rich = capsys.readouterr().out, current()._repr_html_()
    for part in ("1 of 11", "adam_step: solution seen, not passed yet", "Next: sgd_step in 04_optimisers."):
        assert part in text
        assert part in rich
    assert "sigmoid: Is z < 0 & -z > 0?" in text
    assert "sigmoid: Is z &lt; 0 &amp; -z &gt; 0?" in rich
    assert rich.count("scope='row'") == rich.count("aria-hidden='true'") == len(contents_here())


@pytest.mark.parametrize(("value", "sentence"), [("", "that is how everybody begins"), ("off", "Your journal is off")])
def test_nothing_yet_is_a_sentence(value, sentence, monkeypatch):
    """No empty table."""
    if value:
        monkeypatch.setenv("COURSE_JOURNAL", value)
    assert sentence in repr(current())
    assert "<table" not in current()._repr_html_()


def test_a_journal_that_cannot_be_read_is_a_sentence(monkeypatch, tmp_path):
    """A folder in its place, for example."""
    monkeypatch.setenv("COURSE_JOURNAL", str(tmp_path))
    assert "cannot be read" in repr(current())


def test_course_progress_prints_a_table_or_json(journal_file):
    """The same facts, for people and for programs; damaged lines are counted."""
    fill_journal()
    with journal_file.open("a") as file:
        file.write("broken\n")
    shown = CliRunner().invoke(app, ["progress"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert "1 of 11" in shown.output
    assert "One line of the journal is damaged" in shown.output
    found = json.loads(CliRunner().invoke(app, ["progress", "--json"]).output)
    assert found["damaged"] == 1
    assert found["next"] == {"lesson": "04_optimisers", "exercise": "sgd_step"}
    lesson = next(item for item in found["lessons"] if item["lesson"] == "01_xor_mlp")
    assert (lesson["exercises_passed"], lesson["passed"]) == (1, ["affine_forward"])
    assert [item["mistake"] for item in found["not_overcome"]] == ["sign"]


def test_forget_asks_first(journal_file):
    """No, and nothing is gone (exit code 1); yes, and it is; then there is nothing left."""
    fill_journal()
    for answer, code, left in (("n\n", 1, True), ("", 1, True), ("y\n", 0, False), ("", 0, False)):
        done = CliRunner().invoke(app, ["progress", "--forget"], input=answer)
        assert (done.exit_code, journal_file.exists()) == (code, left)


def test_a_class_sees_its_progress_without_the_course_command(journal_file):
    """`python -m course_lib` needs nothing but the package that is in the zip."""
    fill_journal()
    command = [sys.executable, "-W", "error", "-m", "course_lib"]
    options = {"capture_output": True, "text": True, "env": environment(), "timeout": 60, "check": False}
    shown = subprocess.run(command, **options)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "1 of 11" in shown.stdout
    assert subprocess.run([*command, "--forget"], input="y\n", **options).returncode == 0
    assert not journal_file.exists()
