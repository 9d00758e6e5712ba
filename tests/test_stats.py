"""Statistics of a class: numbers that can be checked by hand, none where there is too little, one plain picture."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import tiny_course as tiny
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread
from rich.console import Console
from tiny_course import report

from autograder import stats, stats_picture
from autograder.course import Lesson, Mistake, Outcome, Report, Status, Verdict
from autograder.folders import CourseError, Folders
from autograder.stats import FEWEST, Statistics, point_biserial, statistics_of
from autograder.verdicts import VerdictStore

TWICE = Mistake("twice", "You doubled it twice. Add x once.", lambda x: 4 * x)
LESSON: Lesson = replace(
    tiny.LESSON,
    exercises=(replace(tiny.LESSON.exercises[0], mistakes=(TWICE,)), tiny.LESSON.exercises[1]),
    questions=(replace(tiny.LESSON.questions[0], mistakes={"six": ("Read the question backwards.", lambda: 6.0)}),),
)
# Points 6, 6, 5, 3, 2, 0 of 6.
CLASS = [
    report("ada", *tiny.POINTS), report("bea", *tiny.POINTS), report("carl", "double", "square"),
    report("dora", "double", "exam_tiny"), report("emil", "double"), report("fay"),
]  # fmt: skip


def mistaken(learner: str, exercise: str, mistake: str, *right: str) -> Report:
    """A report in which a mistake was recognised."""
    wrong = replace(tiny.verdict(exercise, right=False), mistake=mistake, message="As it was said then.")
    return report(learner, *right, **{exercise: wrong})


def item(found: Statistics, name: str) -> stats.ItemStats:
    """The numbers of one exercise."""
    return next(one for one in found.items if one.exercise == name)


def test_points_have_mean_and_quartiles() -> None:
    """Mean, quartiles and pass rate are those that one finds by hand."""
    found = statistics_of(LESSON, CLASS)
    assert (found.learners, found.unreadable, found.undecided) == (6, 0, 0)
    assert found.points.values == (0.0, 2.0, 3.0, 5.0, 6.0, 6.0)
    assert found.points.mean == round(22 / 6, 4)
    assert found.points.quartiles == (0.0, 2.25, 4.0, 5.75, 6.0)
    assert (found.points.max_points, found.pass_rate) == (6.0, round(4 / 6, 4))


def test_exercises_are_counted() -> None:
    """Passed, all points, not begun, mean and outcomes of an exercise."""
    partly = Verdict("double", Outcome.UNSTABLE, 1.5, 2.0)
    idle = Verdict("double", Outcome.NOT_STARTED, 0.0, 2.0)
    reports = [*CLASS, report("gil", double=partly), report("hal", double=idle)]
    found = item(statistics_of(LESSON, reports), "double")
    assert (found.judged, found.passed, found.full, found.not_begun) == (8, 6, 5, 1)
    assert found.mean == round(11.5 / 8, 4)
    assert found.outcomes == {"correct": 5, "wrong values": 1, "unstable": 1, "not started": 1}


def test_unreadable_files_count_nowhere() -> None:
    """A file that nobody could read is counted, and lowers no rate."""
    unreadable = replace(report("zoe"), status=Status.UNREADABLE)
    found, without = statistics_of(LESSON, [*CLASS, unreadable]), statistics_of(LESSON, CLASS)
    assert (found.learners, found.unreadable) == (7, 1)
    assert (found.points, found.items, found.pass_rate) == (without.points, without.items, without.pass_rate)


def test_undecided_points_count_nowhere() -> None:
    """Who still waits for a person is in no sum, and that exercise's answer in no rate; the others count."""
    waits = report("zoe", "square", double=Verdict("double", Outcome.NEEDS_A_PERSON, 0.0, 2.0))
    found = statistics_of(LESSON, [*CLASS, waits])
    assert (found.undecided, found.points.count) == (1, 6)
    assert (item(found, "double").judged, item(found, "square").judged) == (6, 7)
    assert item(found, "double").outcomes["needs a person"] == 1


def test_disputed_points_are_decided() -> None:
    """When the references disagree nobody lost points: the sum is known, the answer says nothing about the exercise."""
    disputed = report("zoe", "square", double=Verdict("double", Outcome.NEEDS_A_PERSON, 2.0, 2.0))
    found = statistics_of(LESSON, [*CLASS, disputed])
    assert (found.undecided, found.points.count, item(found, "double").judged) == (0, 7, 6)


def test_mistakes_are_counted_with_todays_sentence() -> None:
    """The most frequent mistake comes first, each with the sentence of the lesson; a renamed one with its own."""
    reports = [
        mistaken("a", "double", "twice"), mistaken("b", "double", "twice"), mistaken("c", "exam_tiny", "six"),
        mistaken("d", "square", "forgotten"),
    ]  # fmt: skip
    found = statistics_of(LESSON, reports).mistakes
    assert [(one.exercise, one.mistake, one.count, one.says) for one in found] == [
        ("double", "twice", 2, TWICE.says),
        ("exam_tiny", "six", 1, "Read the question backwards."),
        ("square", "forgotten", 1, "As it was said then."),
    ]


def test_discrimination_is_a_point_biserial_correlation() -> None:
    """The number is the textbook's: (mean of passed - mean of failed) / deviation * sqrt(p q)."""
    passed = [True] * 7 + [False] * 5
    rest = [9, 8, 7, 9, 6, 5, 8, 4, 3, 6, 2, 1]
    values, yes = np.array(rest, float), np.array(passed)
    by_hand = (values[yes].mean() - values[~yes].mean()) / values.std() * np.sqrt(yes.mean() * (1 - yes.mean()))
    assert point_biserial(passed, rest) == (round(float(by_hand), 4), "")


def test_discrimination_leaves_the_exercise_out_of_the_rest() -> None:
    """Points of the exercise itself do not count for it: an exercise that stands alone tells nobody apart."""
    others = [("square",), ("square",), (), ()] * 4
    reports = [report(f"l{n}", *names, *(("double",) if n % 2 else ())) for n, names in enumerate(others)]
    found = item(statistics_of(LESSON, reports), "double")
    assert found.discrimination == pytest.approx(0.0)
    together = [report(f"l{n}", *(("double", "square") if n % 2 else ())) for n in range(16)]
    assert item(statistics_of(LESSON, together), "double").discrimination == 1.0


@pytest.mark.parametrize(
    ("passed", "rest", "why"),
    [
        ([True, False] * (FEWEST // 2 - 1), range(FEWEST - 2), stats.TOO_FEW),
        ([True] * FEWEST, range(FEWEST), stats.ALL_ALIKE),
        ([False] * FEWEST, range(FEWEST), stats.ALL_ALIKE),
        ([True, False] * FEWEST, [0.1 + 0.2, 0.3] * FEWEST, stats.NO_SPREAD),
        ([], [], stats.TOO_FEW),
    ],
    ids=["too few", "all passed", "all failed", "same points", "nobody"],
)
def test_no_discrimination_without_grounds(passed: list[bool], rest: list[float], why: str) -> None:
    """Too few learners, or nothing that varies: no number, and the reason."""
    assert point_biserial(passed, list(rest)) == (None, why)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.5, 1.0, 3.0, 30.0])), max_size=40))
def test_discrimination_is_a_correlation_or_nothing(pairs: list[tuple[bool, float]]) -> None:
    """Whatever the class: a number between -1 and 1, or None with a reason; never NaN, never a warning."""
    number, why = point_biserial([yes for yes, _ in pairs], [rest for _, rest in pairs])
    assert (number is None) == bool(why)
    assert number is None or -1.0 <= number <= 1.0


def test_mixed_versions_are_named() -> None:
    """Verdicts of different versions of an exercise are not comparable, and the text says what to do."""
    old = replace(tiny.verdict("double", right=True), version=1, expected="a")
    reports = [report("a", double=old), report("b", double=replace(old, version=2))]
    found = statistics_of(LESSON, reports)
    assert item(found, "double").versions == (1, 2)
    assert "different versions: double. `course regrade 01_tiny`" in " ".join(stats.sentences(found))


def test_json_is_plain_and_documented() -> None:
    """JSON has exactly the documented keys, and no number that JSON does not know."""
    facts = json.loads(json.dumps(stats.as_json(statistics_of(LESSON, CLASS)), allow_nan=False))
    assert set(facts) == set(
        "lesson title learners unreadable undecided pass_rate pass_share fewest_learners points items mistakes".split()
    )
    assert set(facts["points"]) == set("count max_points mean quartiles values".split())
    counts = set("exercise max_points judged passed full not_begun mean outcomes versions".split())
    assert set(facts["items"][0]) == counts | {"discrimination", "no_discrimination"}


def test_every_key_of_the_json_is_in_the_docs() -> None:
    """docs/json.md explains each key."""
    reports = [*CLASS, mistaken("m", "double", "twice")]
    facts = stats.as_json(statistics_of(LESSON, reports))
    text = (tiny.PROJECT / "docs" / "json.md").read_text()
    section = text[text.index("## `course stats") :]
    keys = {*facts, *facts["points"], *facts["items"][0], *facts["mistakes"][0]}
    assert {key for key in keys if f"`{key}`" not in section} == set()


def test_nothing_graded_is_a_sentence(tmp_path: Path) -> None:
    """Without reports there are no statistics, and no store is made."""
    with pytest.raises(CourseError, match="Run `course grade 01_tiny` first"):
        stats.latest_reports(Folders(tmp_path), LESSON)
    assert list(tmp_path.iterdir()) == []


def test_latest_reports_are_used(tmp_path: Path) -> None:
    """Of each learner the newest report counts."""
    store = VerdictStore(Folders(tmp_path).verdicts)
    for one in (report("ada"), report("ada", "double"), report("bea")):
        store.put(replace(one, key=f"{one.points}"), True)
    assert [one.points for one in stats.latest_reports(Folders(tmp_path), LESSON)] == [2.0, 0.0]


def shown(found: Statistics) -> str:
    """Everything that people are shown, as text."""
    screen = io.StringIO()
    for table in stats.tables(found):
        Console(width=160, file=screen).print(table)
    return screen.getvalue() + "\n".join(stats.sentences(found))


def test_people_read_rates_points_and_mistakes() -> None:
    """The tables and sentences have the numbers, the reason where there is none, and what discrimination is."""
    text = shown(statistics_of(LESSON, [*CLASS, mistaken("m", "double", "twice")]))
    for words in ("5 (71%)", "fewer than 10 learners", "twice", TWICE.says, "57% of 7", "median 3", "point-biserial"):
        assert words in text


def test_text_of_learners_is_no_markup() -> None:
    """A sentence that looks like markup is printed as it is."""
    odd = replace(tiny.verdict("double", right=False), mistake="[red]x[/red]", message="[bold]no[/bold]")
    assert "[bold]no[/bold]" in shown(statistics_of(LESSON, [report("a", double=odd)]))


CLASSES = {
    "class": CLASS,
    "one": CLASS[:1],
    "nobody readable": [replace(report("a"), status=Status.UNREADABLE)],
    "nobody decided": [report("a", double=Verdict("double", Outcome.NEEDS_A_PERSON, 0.0, 2.0))],
    "nobody has points": [report(f"l{n}") for n in range(12)],
}


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("suffix", [".svg", ".png", ".PNG"])
def test_picture_of_any_class(name: str, suffix: str, tmp_path: Path) -> None:
    """A picture is written for every class, in the format that the name asks for, the same bytes each time."""
    found, path = statistics_of(LESSON, CLASSES[name]), tmp_path / f"class{suffix}"
    assert shown(found)
    stats_picture.write(found, path)
    first = path.read_bytes()
    assert first.startswith(b"<?xml" if suffix == ".svg" else b"\x89PNG")
    stats_picture.write(found, path)
    assert path.read_bytes() == first


def test_picture_says_what_it_shows(tmp_path: Path) -> None:
    """The SVG holds its texts as text, and a description for those who cannot see it."""
    found = statistics_of(LESSON, CLASS)
    stats_picture.write(found, tmp_path / "class.svg")
    text = (tmp_path / "class.svg").read_text()
    words = " ".join(ElementTree.fromstring(text).itertext())
    for word in ("double", "square", "exam_tiny", "not begun", "median: 4", "median 4 of 6", "double 83%"):
        assert word in words


def test_picture_needs_no_colour(tmp_path: Path) -> None:
    """Every pixel is grey: the picture says the same in black and white."""
    stats_picture.write(statistics_of(LESSON, CLASS), tmp_path / "class.png")
    pixels = imread(tmp_path / "class.png")[..., :3]
    assert np.ptp(pixels, axis=-1).max() == 0.0


def test_other_formats_are_refused(tmp_path: Path) -> None:
    """A name that ends otherwise gets a sentence, and no file."""
    with pytest.raises(CourseError, match=r"ends in \.svg or \.png"):
        stats_picture.write(statistics_of(LESSON, CLASS), tmp_path / "class.jpg")
    assert list(tmp_path.iterdir()) == []
