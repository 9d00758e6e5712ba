"""What a check writes down, and what counts as another attempt."""

from __future__ import annotations

import contextlib

import pytest

from course_lib import CheckFailed, check, journal
from course_lib.attempts import digest, honest

HALF = "def half(x):\n    return x / 2"


def defined(source: str, name: str = "half"):
    """The function or class that some code defines, as a notebook's cell would."""
    names = {"__name__": "__main__"}
    exec(source, names)
    return names[name]


@pytest.mark.parametrize(
    "other",
    [
        "def half(x):\n    # Half of it.\n    return x  /  2",
        'def half(x):\n    """Half."""\n    return x / 2',
    ],
)
def test_layout_and_comments_make_no_other_attempt(other):
    """The same code is the same attempt."""
    assert digest(defined(other)) == digest(defined(HALF))


@pytest.mark.parametrize(
    "other",
    [
        "def half(x):\n    return x / 3",
        "def half(x, by=2):\n    return x / by",
        "def half(x):\n    return [y / 2 for y in x]",
        "def half(x):\n    return [y / 3 for y in x]",
        "half = lambda x: 2",
    ],
)
def test_other_code_is_another_attempt(other):
    """A number, a default, a comprehension inside: each difference counts, and no two are alike."""
    known = [HALF, "half = lambda x: 3", "def half(x):\n    return [y / 4 for y in x]"]
    assert digest(defined(other)) not in [digest(defined(source)) for source in known]


def test_helpers_and_methods_belong_to_the_answer():
    """Repairing a helper function or a method is an attempt, too."""
    helped = "def helper(x):\n    return x / {}\n\ndef half(x):\n    return helper(x)"
    assert digest(defined(helped.format(2))) != digest(defined(helped.format(3)))
    method = "class Half:\n    def __call__(self, x):\n        return x / {}"
    assert digest(defined(method.format(2), "Half")) != digest(defined(method.format(3), "Half"))


def test_a_check_writes_down_what_happened():
    """A named mistake, a plain failure, a pass; nothing for a stub or for a wrong call."""
    for answer in ("np.maximum(x, 0)", "1 / 0", "_stub(x)", "(np.maximum(x, 0), (x,))"):
        source = "import numpy as np\ndef _stub(x):\n    raise NotImplementedError\n"
        relu = defined(f"{source}def relu_forward(x):\n    return {answer}", "relu_forward")
        with contextlib.suppress(CheckFailed):
            check("relu_forward", relu)
    with pytest.raises(CheckFailed):
        check("relu_forward", 3)
    events = journal.read()
    assert [event.kind for event in events] == ["failed", "failed", "passed"]
    assert {(event.lesson, event.exercise) for event in events} == {("02_activations", "relu_forward")}
    assert events[0].facts["mistake"] == "no_cache"
    assert events[0].facts["sentence"].startswith("You return out alone.")
    assert events[1].facts["mistake"] is None
    assert "ZeroDivisionError" in events[1].facts["sentence"]
    assert honest(events) == 2


def test_answers_of_the_exam_corner_are_written_down():
    """Right or wrong; an empty answer is none."""
    for answer in (None, -1):
        with pytest.raises(CheckFailed):
            check("exam_parameters", answer)
    (event,) = journal.read()
    assert (event.kind, event.lesson, event.facts["passed"]) == ("answered", "01_xor_mlp", False)
