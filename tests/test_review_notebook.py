"""`course review` from the journal to a notebook that runs, and back into the journal."""

from __future__ import annotations

import builtins
import contextlib
import dis
import io
import json
import shutil
import tomllib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import CodeType, ModuleType, SimpleNamespace
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from typer.testing import CliRunner, Result

from autograder.catalogue import LESSONS
from autograder.classroom import answers_of, source_as
from autograder.cli import app
from autograder.course import Exercise, Lesson
from autograder.folders import CourseError, Folders
from autograder.review import Due, comes_back, schedule
from autograder.review_notebook import Session, builds_on, write_review
from course_lib import CheckFailed, check, journal
from course_lib.exam import question_text
from course_lib.review import Review, ReviewError, open_review

ROOT = Path(__file__).parent.parent
READERS = ROOT / "tests" / "submissions" / "readers"
PARTS = ("first_attempts", "handed_in")


@pytest.fixture
def course_review(course: Folders, journal_file: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `course review` inside a course, with a journal that is empty at first."""
    monkeypatch.chdir(course.root)
    return lambda *options: CliRunner().invoke(app, ["review", *map(str, options)], env={"COLUMNS": "200"})


def one_line(done: Result) -> str:
    """What was printed, however wide the terminal is."""
    return " ".join(done.stdout.split())


def passed(days_ago: float, lesson: str, *names: str) -> None:
    """Write into the journal what was passed so many days ago."""
    at = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat()
    for name in names:
        line = {"v": 1, "at": at, "kind": "passed", "lesson": lesson, "exercise": name, "facts": {}}
        with journal.path().open("a") as file:
            file.write(json.dumps(line) + "\n")


def session(*names: str, lesson: str = "01_xor_mlp", seed: str = "one") -> Session:
    """A session that asks for these."""
    chosen = [Due(name, lesson, date(2026, 3, 2), "Passed 9 days ago after 2 tries.", 4, 0.5) for name in names]
    return Session(chosen, date(2026, 3, 2), seed)


def code_cells(path: Path) -> list[str]:
    """Sources of a notebook's code cells."""
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def study(lesson: Lesson, folder: Path, clock: SimpleNamespace) -> None:
    """A reader's lesson: each first attempt, then what was handed in, some hours apart; checks write the journal."""
    parts = [tomllib.loads((folder / lesson.id / f"{part}.toml").read_text()) for part in PARTS]
    module = ModuleType("notebook")
    vars(module)["np"] = np
    for name in parts[1]["answers"]:
        for part in parts:
            clock.now += timedelta(hours=2)
            with contextlib.suppress(CheckFailed), contextlib.redirect_stdout(io.StringIO()):
                exec(compile(part["answers"].get(name, ""), f"<{name}>", "exec"), vars(module))
                if name in vars(module):
                    check(name, vars(module)[name], learner=part["learner"])


def run(path: Path, answers: dict[str, str]) -> dict[str, list[Any]]:
    """Run a review with answers put in; check's name to what its cell showed."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        name = next((name for name in answers if cell.source.startswith((f"def {name}(", f"{name} = "))), "")
        cell.source = answers.get(name, cell.source)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}}).execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return {cell.source.split('"')[1]: cell.outputs for cell in code if cell.source.startswith("check(")}


def test_two_lessons_come_back_and_are_reviewed(
    course: Folders, course_review: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a reader passed is asked again; right answers pass, a known mistake is named, and the journal knows."""
    clock = SimpleNamespace(now=datetime.now(UTC) - timedelta(days=30))
    with monkeypatch.context() as patched:
        fake = SimpleNamespace(now=lambda _zone: clock.now, fromisoformat=datetime.fromisoformat)
        patched.setattr(journal, "datetime", fake)
        for lesson in LESSONS[:2]:
            study(lesson, READERS, clock)
    done = course_review("--json", "--minutes", 20, "--folder", tmp_path / "reviews")
    made = json.loads(done.stdout)
    exercises = {item.id: item for lesson in LESSONS[:2] for item in lesson.exercises if item.id in made["chosen"]}
    assert {one["lesson"] for one in made["due"]} == {lesson.id for lesson in LESSONS[:2]}
    wrong = next(item for item in exercises.values() if not item.uses)
    solved = {key: text for item in LESSONS[:2] for key, text in solutions(course, item).items() if key in exercises}
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    shown = run(Path(made["notebook"]), solved | {wrong.id: source_as(wrong.mistakes[0].code, wrong.id)})
    failed = {name for name, outputs in shown.items() if any(out.output_type == "error" for out in outputs)}
    assert failed & set(exercises) == {wrong.id}
    assert wrong.mistakes[0].says in shown[wrong.id][0]["data"]["text/plain"]
    recorded = {event.exercise: event.facts["passed"] for event in journal.read() if event.kind == "reviewed"}
    assert recorded == {name: name != wrong.id for name in exercises}
    assert {one["exercise"] for one in json.loads(course_review("--list", "--json").stdout)["due"]}.isdisjoint(recorded)


def solutions(course: Folders, lesson: Lesson) -> dict[str, str]:
    """The solution's answers of a lesson."""
    return answers_of(json.loads(course.solution(lesson.id).read_bytes()))


def test_numbers_are_fresh(course: Folders, tmp_path: Path) -> None:
    """Two sessions ask for the same with other numbers, and the exam corner has other numbers than in the lesson."""
    first, second = (session("mse_loss", "exam_mse", seed=seed) for seed in ("one", "two"))
    inputs = []
    for one in (first, second):
        opened = open_review(write_review(course, one, tmp_path).with_suffix(".safetensors"))
        inputs.append([item.case.inputs["y"] for item in opened.expectations["mse_loss"].cases])
    assert not any(np.array_equal(a, b) for a, b in zip(*inputs, strict=True) if a.size > 1)
    texts = {question_text("01_xor_mlp", "exam_mse", name) for name in ("self-study", first.learner, second.learner)}
    assert len(texts) == 3


def test_nothing_is_overwritten(course: Folders, tmp_path: Path) -> None:
    """A second session on one day gets a name of its own, beside a case file of somebody else, too."""
    (tmp_path / "2026-03-02-2.safetensors").write_bytes(b"kept")
    names = [write_review(course, session("mse_loss"), tmp_path).name for _ in range(2)]
    assert names == ["2026-03-02.ipynb", "2026-03-02-3.ipynb"]
    assert (tmp_path / "2026-03-02-2.safetensors").read_bytes() == b"kept"


def test_task_is_the_lessons_own(course: Folders, tmp_path: Path) -> None:
    """Text, stub and hints are those of the released lesson; its link leads there; nothing of the answer is in it."""
    path = write_review(course, session("sigmoid"), tmp_path)
    texts = [cell.source for cell in nbformat.read(path, as_version=4).cells]
    released = ["".join(cell["source"]) for cell in json.loads(course.released("01_xor_mlp").read_bytes())["cells"]]
    assert len(set(texts) & set(released)) >= 3
    (link,) = [text.split("](")[1].split(")")[0] for text in texts if text.startswith("## 1")]
    assert (path.parent / link).resolve() == course.released("01_xor_mlp")
    assert "np.exp(-np.abs(x))\n" not in "".join(code_cells(path))


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_answers_find_all_they_build_on(
    course: Folders, lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alone in a session, each exercise finds every name that its solution and its cases use."""
    monkeypatch.setattr("autograder.review_notebook.expect", lambda *_: None)
    monkeypatch.setattr("autograder.review_notebook.expectation_to_tree", lambda _: {})
    monkeypatch.setattr("course_lib.review.open_review", lambda _: None)
    solved, missing = solutions(course, lesson), {}
    for item in (item for at, item in comes_back().values() if at == lesson and isinstance(item, Exercise)):
        names: dict[str, Any] = {"__name__": "review", **vars(builtins)}
        *given, stub, _check = code_cells(write_review(course, session(item.id, lesson=lesson.id), tmp_path))
        for source in (*given, stub):
            exec(source, names)
        missing[item.id] = (looked_up(compile(solved[item.id], "<answer>", "exec")) | {*item.uses}) - names.keys()
    assert {name: left for name, left in missing.items() if left} == {}


def looked_up(code: CodeType) -> set[str]:
    """Names that some code and the functions in it look up outside themselves."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    own = {one.argval for one in dis.get_instructions(code) if one.opname == "STORE_NAME"}
    found = {one.argval for one in dis.get_instructions(code) if one.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return found.union(*map(looked_up, inner)) - own


def test_links_are_those_of_the_solutions(course: Folders) -> None:
    """What a solution calls, and the forward pass that it is played with, count as what it builds on."""
    asked = session("mlp_backward", "mse_loss").chosen
    linked = {"mlp_forward", "hidden_delta", "affine_forward", "sigmoid"}
    assert builds_on(course, asked) == {"mlp_backward": linked, "mse_loss": set()}


def test_lesson_without_the_exercise_is_named(course: Folders, tmp_path: Path) -> None:
    """A lesson that was built without the exercise gets a sentence with the command that builds it."""
    other = Folders(tmp_path)
    shutil.copytree(course.root / "solutions/02_activations", tmp_path / "solutions/02_activations")
    text = other.solution("02_activations").read_text().replace('"grade_id": "softmax"', '"grade_id": "other"')
    other.solution("02_activations").write_text(text)
    with pytest.raises(CourseError, match=r"no answer cell for `softmax`.*`course generate 02_activations`"):
        builds_on(other, session("softmax", lesson="02_activations").chosen)


def test_given_forward_fits_its_backward(course: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backward pass is played with the forward pass that the notebook shows, whose cache it can read."""
    path = write_review(course, session("maxpool2d_backward", lesson="06_cnn"), tmp_path)
    setup, given, *_ = code_cells(path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for source in (setup, given, solutions(course, LESSONS[5])["maxpool2d_backward"]):
        exec(source, names)
    assert given.startswith("# Given")
    assert "SOLUTION" not in given
    names["check"]("maxpool2d_backward", names["maxpool2d_backward"])


@pytest.fixture(scope="module")
def opened(course: Folders, tmp_path_factory: pytest.TempPathFactory) -> Review:
    """The check of a session with one exercise and one question."""
    path = write_review(course, session("mse_loss", "exam_mse"), tmp_path_factory.mktemp("opened"))
    return open_review(path.with_suffix(".safetensors"))


def mse_loss(y_hat: np.ndarray, y: np.ndarray) -> Any:
    """A right answer."""
    return ((y_hat - y) ** 2).sum() / len(y)


def test_every_real_attempt_is_written_down(
    opened: Review, journal_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Right and wrong answers are events; a stub, an empty question and a forgotten function are not."""
    with pytest.raises(CheckFailed):
        opened("mse_loss", lambda y_hat, y: 0.0)
    opened("mse_loss", mse_loss)
    for name, answer in (("mse_loss", _stub), ("mse_loss", 3), ("exam_mse", None)):
        with pytest.raises(CheckFailed):
            opened(name, answer)
    with pytest.raises(CheckFailed):
        opened("exam_mse", -1.0)
    events = [(event.kind, event.exercise, event.facts["passed"], event.facts["review"]) for event in journal.read()]
    expected = [("mse_loss", False), ("mse_loss", True), ("exam_mse", False)]
    assert events == [("reviewed", name, right, "one") for name, right in expected]
    assert "fresh cases agree" in capsys.readouterr().out


def _stub(_y_hat: np.ndarray, _y: np.ndarray) -> Any:
    raise NotImplementedError("mse_loss: replace this line with your code")


def test_solution_that_is_shown_is_written_down(
    opened: Review, journal_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The solution is one call away, and the journal knows that it was seen."""
    opened.solution("mse_loss")
    (event,) = (event for event in journal.read() if event.kind == "reviewed")
    assert (event.facts["passed"], event.facts["shown"]) == (False, True)
    assert "def mse_loss" in capsys.readouterr().out


def test_foreign_names_get_a_sentence(opened: Review) -> None:
    """What the session does not ask for is neither checked nor shown, and the sentence says what it asks for."""
    with pytest.raises(ReviewError, match="It asks for: mse_loss, exam_mse"):
        opened("sigmoid", abs)
    with pytest.raises(ReviewError, match="It asks for: mse_loss, exam_mse"):
        opened.solution("sigmoid")


@pytest.mark.parametrize("content", [None, b"", b"not a case file", b"{}"])
def test_lost_or_damaged_numbers_get_a_sentence(content: bytes | None, tmp_path: Path) -> None:
    """A notebook without its case file, or with a damaged one, says what to do and shows no traceback."""
    path = tmp_path / "2026-03-02.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ReviewError, match=r"2026-03-02\.safetensors.*`course review`") as caught:
        open_review(path)
    assert caught.value._render_traceback_() == [str(caught.value)]


def test_session_is_written_where_the_lab_finds_it(course_review: Callable[..., Result], course: Folders) -> None:
    """Without options a notebook lands beside the lessons, and the last line says where."""
    passed(9, "01_xor_mlp", "mse_loss")
    done = course_review()
    (path,) = (course.root / "notebooks" / "review").glob("*.ipynb")
    assert done.exit_code == 0
    assert "Passed 9 days ago at the first try." in done.stdout
    assert f"open review/{path.name}." in one_line(done)


def test_list_writes_nothing(course_review: Callable[..., Result], tmp_path: Path) -> None:
    """`--list` says what is due in all, and makes no file."""
    passed(9, "01_xor_mlp", "mse_loss", "sigmoid", "count_parameters", "mlp_backward")
    done = course_review("--list", "--folder", tmp_path / "reviews")
    assert "Due: 4, about 20 minutes in all." in done.stdout
    assert not (tmp_path / "reviews").exists()


def test_lesson_narrows_the_choice(course_review: Callable[..., Result]) -> None:
    """`--lesson 02` asks for lesson 02 alone; the number and the whole id mean the same."""
    passed(9, "01_xor_mlp", "mse_loss")
    passed(9, "02_activations", "softmax")
    for given in ("2", "02", "02_activations"):
        found = json.loads(course_review("--list", "--json", "--lesson", given).stdout)
        assert [one["exercise"] for one in found["due"]] == ["softmax"]
        assert set(found) == {"due", "chosen", "next", "notebook"}
        assert set(found["due"][0]) == {"exercise", "lesson", "since", "why", "minutes", "recall"}


def test_nothing_due_names_the_next_day(course_review: Callable[..., Result]) -> None:
    """When nothing is due, the date of the next one is given."""
    passed(0, "01_xor_mlp", "mse_loss")
    (one,) = schedule(journal.read(), datetime.now().astimezone())
    done = course_review()
    assert done.exit_code == 0
    assert f"`mse_loss`, comes back on {one.since.day} {one.since:%B %Y}." in one_line(done)


def test_empty_journal_says_how_to_begin(course_review: Callable[..., Result]) -> None:
    """Somebody new is told what to do first, also for one lesson, and when the journal is switched off."""
    assert "Open a lesson with `make lab`" in one_line(course_review())
    assert "Nothing of 03_backpropagation" in one_line(course_review("--lesson", "3"))


def test_journal_that_is_off_is_named(course_review: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a journal the sentence names the switch."""
    monkeypatch.setenv("COURSE_JOURNAL", "off")
    assert "COURSE_JOURNAL=off" in one_line(course_review())


def test_damaged_lines_are_counted(course_review: Callable[..., Result], journal_file: Path) -> None:
    """Damaged lines of the journal are left out and counted."""
    passed(9, "01_xor_mlp", "mse_loss")
    journal_file.write_bytes(journal_file.read_bytes() + b"damaged\n{}\n")
    done = course_review("--list")
    assert "mse_loss" in done.stdout
    assert "2 lines of" in done.stderr
