"""Solutions: after honest attempts, or at once with a mark; never where there are none."""

from __future__ import annotations

import pytest

from course_lib import CheckFailed, check, journal, reveal, solution

NAME, LESSON = "sgd_step", "04_optimisers"


def failed(number: int) -> None:
    """An honest attempt of a learner, one of many."""
    journal.record("failed", lesson=LESSON, exercise=NAME, mistake=None, sentence="no", digest=str(number))


def shown(capsys, **options) -> str:
    """What `solution` prints."""
    solution(NAME, **options)
    return capsys.readouterr().out


def test_it_opens_after_three_honest_attempts(capsys):
    """The same code twice is one attempt; the sentence counts down, and then the answer is there without its marks."""
    for number, left in ((1, "2 more"), (1, "2 more"), (2, "one more")):
        failed(number)
        assert left in shown(capsys)
    failed(3)
    text = shown(capsys)
    assert f"def {NAME}" in text
    assert "SOLUTION" not in text
    assert journal.read()[-1].kind == "revealed"
    assert journal.read()[-1].facts == {"honest": True}


def test_at_once_leaves_a_mark_once(capsys):
    """`now=True` shows it and is written down; what was seen can be seen again."""
    assert f"def {NAME}" in shown(capsys, now=True)
    assert f"def {NAME}" in shown(capsys)
    (event,) = journal.read()
    assert (event.kind, event.lesson, event.exercise, event.facts) == ("revealed", LESSON, NAME, {"honest": False})


def test_after_a_pass_it_costs_nothing(capsys):
    """Comparing one's own answer with the course's is no mark."""
    journal.record("passed", lesson=LESSON, exercise=NAME, digest="1")
    assert f"def {NAME}" in shown(capsys)
    assert [event.kind for event in journal.read()] == ["passed"]


def test_without_a_journal_it_says_how(monkeypatch, capsys):
    """Where attempts cannot be counted, nobody waits for them."""
    monkeypatch.setenv("COURSE_JOURNAL", "off")
    assert "now=True" in shown(capsys)
    assert f"def {NAME}" in shown(capsys, now=True)


def test_the_class_edition_has_none(monkeypatch, tmp_path, capsys):
    """Without the folder of solutions a sentence says whom to ask."""
    monkeypatch.setattr(reveal, "_SOLUTIONS", tmp_path)
    assert "Ask your instructor" in shown(capsys, now=True)
    assert journal.read() == []


@pytest.mark.parametrize("name", ["sgd_stepp", solution, None])
def test_another_name_gets_a_sentence(name, capsys):
    """A slip, a function instead of its name, nothing: no traceback."""
    solution(name)
    assert "in quotes, for example solution(" in capsys.readouterr().out


def test_questions_have_solutions_too(capsys):
    """The exam corner shows its calculation."""
    solution("exam_adam", now=True)
    assert "exam_adam = round(" in capsys.readouterr().out


def test_in_notebooks_it_is_coloured_code():
    """The rich form is a fenced block, which notebooks colour as the page around it."""
    assert reveal.Solution("One way.", "x = 1")._repr_markdown_() == "One way.\n\n```python\nx = 1\n```"


def lines_of(number: int, capsys) -> str:
    """What the check says at an attempt that nobody made before."""
    names = {"__name__": "__main__"}
    exec(f"def sgd_step(w, g, state, lr):\n    return {number}", names)
    with pytest.raises(CheckFailed):
        check(NAME, names[NAME])
    return capsys.readouterr().out


def test_the_second_failure_says_where_help_is(capsys):
    """Not at the first, and in other words once the solution is open; after a pass never."""
    assert "Stuck?" not in lines_of(1, capsys)
    assert "after 3 honest attempts" in lines_of(2, capsys)
    assert "now shows one way" in lines_of(3, capsys)
    journal.record("passed", lesson=LESSON, exercise=NAME, digest="1")
    assert "Stuck?" not in lines_of(4, capsys)


def test_a_class_is_sent_to_its_instructor(monkeypatch, tmp_path, capsys):
    """No word about solutions that are not there."""
    monkeypatch.setattr(reveal, "_SOLUTIONS", tmp_path)
    lines_of(1, capsys)
    text = lines_of(2, capsys)
    assert "your instructor" in text
    assert "solution(" not in text


def test_questions_do_not_speak_of_hints(capsys):
    """The exam corner has none."""
    for answer in (-1, -2):
        with pytest.raises(CheckFailed):
            check("exam_adam", answer)
    text = capsys.readouterr().out
    assert "Stuck? After 3 honest attempts" in text
    assert "hints" not in text
