"""Every attack of `tests/attacks`, through the real pipeline: it gets what it should, and nobody else notices."""

from __future__ import annotations

import copy
import inspect
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import Any

import pytest
from attacks import _table, damage, layout
from attacks._corpus import THREATS, Attack, attacks

from autograder.catalogue import find_exercise
from autograder.classroom import fill, hand_in
from autograder.course import Lesson, Outcome, Report
from autograder.expected import cases_for, numpy_namespace
from autograder.feedback import page
from autograder.folders import Folders
from autograder.grade import Graded, Grader
from autograder.gradebook import LearnerScore
from autograder.intake import Entry, find_submissions
from autograder.verdicts import report_to_json
from course_lib.cases import run

PROJECT = Path(__file__).parent.parent
ATTACKS = attacks()
LEARNER = "mallory"
# One of each kind, for the class in which honest learners sit between them.
CLASSMATES = (
    "P1_forge_replies_ahead", "P1_seeds", "P2_leave_files", "P2_leave_modules", "P2_leave_patches", "P2_html_in_file",
    "P3_kills_parent", "P3_growing_list", "P3_left_over_threads", "P3_segmentation_fault", "P3_truncated", "P2_pipe",
)  # fmt: skip
TAGS = set("html head meta title style body main h1 h2 h3 p strong section a".split())
TAGS |= set("table caption thead tbody tr th td pre code".split())
ATTRIBUTES = set("lang charset http-equiv content name class id scope href aria-labelledby".split())

each_attack = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
each_probe = pytest.mark.parametrize("attack", [a for a in ATTACKS if a.probe], ids=lambda attack: attack.name)


@dataclass(frozen=True)
class Planted:
    """What lies around the grader for attacks to find.

    Args:
        words: texts that nobody may ever see.
        tokens: what stands for them in attacks.
        listeners: sockets on which nobody may call.
    """

    words: tuple[str, ...]
    tokens: Mapping[str, str]
    listeners: tuple[socket.socket, ...]

    def calls(self) -> int:
        """How many listeners were called since the last time."""
        return sum(map(_was_called, self.listeners))


def _was_called(listener: socket.socket) -> bool:
    with suppress(BlockingIOError):
        listener.recv(9) if listener.type == socket.SOCK_DGRAM else listener.accept()[0].close()
        return True
    return False


@pytest.fixture(scope="module")
def planted(course: Folders, lesson: Lesson) -> Iterator[Planted]:
    """Secrets in every place that an attack may look at, and listeners."""
    word = f"PLANTED{secrets.token_hex(8)}"
    with ExitStack() as stack:
        readable = Path(stack.enter_context(TemporaryDirectory(prefix="planted-")))
        readable.chmod(0o755)
        home = stack.enter_context(NamedTemporaryFile(prefix=".course-planted-", dir=Path.home()))
        home.write(word.encode())
        home.flush()
        places = [course.run / kind / "victim" / lesson.id for kind in ("submitted", "autograded", "feedback")]
        for folder in (readable, *places, course.run, course.solution(lesson.id).parent, course.expected):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "planted.txt").write_text(word)
            (folder / "planted.txt").chmod(0o644)
        (course.run / "gradebook.db").write_text(word)
        stack.callback((course.run / "gradebook.db").unlink)
        os.environ["COURSE_PLANTED"] = word
        stack.callback(os.environ.pop, "COURSE_PLANTED")
        listeners, tokens = _listen(stack, readable)
        tokens |= {"OPEN": str(readable), "COURSE": str(course.root), "PROJECT": str(PROJECT)}
        tokens |= {"HOME": str(Path.home()), "PACKAGES": str(Path(find_spec("torch").origin).parents[1])}
        yield Planted((word, course.secret().hex()), tokens, listeners)


def _listen(stack: ExitStack, folder: Path) -> tuple[tuple[socket.socket, ...], dict[str, str]]:
    tcp, udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    path, name = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    tcp.bind(("127.0.0.1", 0))
    udp.bind(("127.0.0.1", 0))
    path.bind(str(folder / "socket"))
    name.bind(f"\0{folder.name}")
    for listener in (tcp, udp, path, name):
        stack.enter_context(listener)
        listener.setblocking(False)
        if listener is not udp:
            listener.listen(50)
    tokens = {"TCP": str(tcp.getsockname()[1]), "UDP": str(udp.getsockname()[1])}
    return (tcp, udp, path, name), tokens | {"UNIX": str(folder / "socket"), "ABSTRACT": folder.name}


Made = Callable[..., bytes]
Attacked = Callable[..., Graded]


@pytest.fixture(scope="module")
def made(released: dict[str, Any], solved: dict[str, str], planted: Planted) -> Made:
    """The bytes of a submission."""

    def make(attack: Attack, answers: Mapping[str, str] | None = None, learner: str = LEARNER) -> bytes:
        texts = attack.answers if answers is None else answers
        base = solved if attack.base == "solved" else {}
        filled = fill(released, base | {name: written(text, planted) for name, text in texts.items()}, learner)
        for cell in attack.cells if answers is None else ():
            shown = {"cell_type": "code", "metadata": {}, "outputs": [], **cell}
            filled["cells"].insert(shown.pop("at", len(filled["cells"])), shown)
        harm = getattr(damage, attack.damage) if attack.damage and answers is None else json.dumps
        content = harm(copy.deepcopy(filled))
        return content if isinstance(content, bytes) else content.encode()

    return make


@pytest.fixture
def attacked(
    made: Made, grader: Grader, course: Folders, lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Attacked:
    """Hand an attack in, find it as the command does, and grade it."""

    def grade(attack: Attack) -> Graded:
        monkeypatch.setattr(grader._judge, "limits", replace(grader._judge.limits, **attack.limits))
        place = layout.Place(tmp_path / "submitted", LEARNER, lesson.id, made(attack), course.root)
        if attack.files:
            getattr(layout, attack.files)(place)
        else:
            place.notebook().write_bytes(place.content)
        entries = find_submissions(place.folder, lesson.id)
        return grader.grade(next(entry for entry in entries if entry.learner != "ada"), fresh=True)

    return grade


def written(text: str, planted: Planted) -> str:
    """The text of an attack with its marks replaced."""
    for name, value in planted.tokens.items():
        text = text.replace(f"@{name}@", value)
    text = re.sub(r"@REPEAT\((.+?)\|(\d+)\)@", lambda match: match[1] * int(match[2]), text)
    text = re.sub(r"@REPEAT_LINES\((.*?)\|(\d+)\)@", lambda match: (match[1] + "\n") * int(match[2]), text)
    return re.sub(r"@PUBLIC_CASES_OF_(\w+)@", lambda match: repr(public_table(match[1])), text)


def public_table(name: str) -> dict[str, float]:
    """What somebody could write down who knows all public cases: inputs to result."""
    lesson, exercise = find_exercise(name)
    references = numpy_namespace(lesson)
    return {
        repr(tuple(value.tolist() for value in case.inputs.values())): float(run(case, references)["result"])
        for case in cases_for(exercise, None)
    }


def surprises(attack: Attack, report: Report, lesson: Lesson) -> list[str]:
    """A line for every exercise and question that got something else than it should."""
    expected, found = attack.expected, []
    for item, verdict in zip((*lesson.exercises, *lesson.questions), report.verdicts, strict=True):
        outcome = expected.exercises.get(item.id, expected.all or str(Outcome.CORRECT))
        points = expected.points.get(item.id, item.points if outcome == Outcome.CORRECT else 0.0)
        good = (verdict.exercise, verdict.outcome, verdict.points) == (item.id, outcome, points)
        if not good or expected.says.get(item.id, "") not in verdict.message:
            found.append(f"{item.id}: {verdict.outcome}, {verdict.points:g}, {verdict.message}, not {outcome}")
    return found


def timeless(report: Report) -> list[dict[str, Any]]:
    """The verdicts without how long they took."""
    return [asdict(replace(verdict, seconds=0.0)) for verdict in report.verdicts]


def shown(graded: Graded, lesson: Lesson, course: Folders) -> tuple[str, str]:
    """The feedback page and the marker's copy, as text."""
    html = page(graded.report, lesson, graded.texts or {}, LearnerScore(graded.report.learner))
    copied = course.autograded / graded.report.learner / lesson.id / f"{lesson.id}.ipynb"
    return html, copied.read_text(encoding="utf-8")


class Tags(HTMLParser):
    """Collects tags and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value or "" for name, value in attrs if name in ("href", "src", "action")}


def snapshot(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Every file below a folder, byte by byte, with time and mode; the verdict store left out."""
    paths = {str(path.relative_to(folder)): path for path in folder.rglob("*") if not path.is_dir()}
    ours = {name: path for name, path in paths.items() if not name.startswith("run/verdicts.db")}
    return {name: (_digest(path), path.lstat().st_mtime_ns, path.lstat().st_mode) for name, path in ours.items()}


def _digest(path: Path) -> bytes:
    return blake2b(os.readlink(path).encode() if path.is_symlink() else path.read_bytes()).digest()


def foreign_changes(before: Mapping[str, Any], after: Mapping[str, Any], learner: str) -> set[str]:
    """Files that are new, gone or different, and not a learner's own copy."""
    changed = {name for name, _ in before.items() ^ after.items()}
    return {name for name in changed if not name.startswith(f"run/autograded/{learner}/")}


def descendants() -> set[int]:
    """Processes below this one that are not just ending."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if state not in "ZX":
                parents[int(folder.name)] = int(parent)
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def settled(before: set[int]) -> bool:
    """Are only the processes left that were there before? A killed one may need a moment."""
    end = time.monotonic() + 5
    while descendants() - before and time.monotonic() < end:
        time.sleep(0.01)
    return not descendants() - before


@each_attack
def test_attack_gets_what_it_should(
    attack: Attack, attacked: Attacked, course: Folders, lesson: Lesson, planted: Planted
) -> None:
    """Status, outcome and points are the expected ones; nothing planted, left over, changed or marked up is found."""
    files, processes = snapshot(course.root), descendants()
    graded = attacked(attack)
    report = graded.report
    assert surprises(attack, report, lesson) == []
    assert report.status == attack.expected.status, report.reason
    assert attack.expected.reason in report.reason
    assert bool(report.reason) == (report.status != "graded")
    html, copied = shown(graded, lesson, course)
    everything = json.dumps(report_to_json(report)) + html + copied
    assert [word for word in planted.words if word in everything] == []
    assert planted.calls() == 0
    assert settled(processes)
    assert foreign_changes(files, snapshot(course.root), report.learner) == set()
    tags = Tags(html)
    assert (tags.tags - TAGS, {link for link in tags.links if not link.startswith("#")}) == (set(), set())
    assert tags.attributes <= ATTRIBUTES


@each_probe
def test_probe_succeeds_without_walls(attack: Attack, planted: Planted) -> None:
    """What an attack looks for is really there: outside the walls the same code finds it."""
    source = "import numpy as np\n" + written(attack.answers[attack.probe], planted)
    call = f"\n{attack.probe}(np.ones((2, 3)), np.zeros((2, 3)))\nprint('right')\n"
    done = subprocess.run([sys.executable, "-c", source + call], capture_output=True, text=True, timeout=60)
    found = any(word in done.stderr for word in ("PLANTED", "planted", "\\x", "cells"))
    computed = attack.promise == "P1" and done.returncode == 0
    assert found or computed or planted.calls(), done.stderr


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.then], ids=lambda attack: attack.name)
def test_next_learner_finds_nothing(
    attack: Attack, attacked: Attacked, made: Made, grader: Grader, lesson: Lesson, tmp_path: Path
) -> None:
    """Who is judged next gets full points for an answer that looks for traces of the one before."""
    attacked(attack)
    path = hand_in(tmp_path / "next", "grace", lesson.id, made(attack, attack.then, "grace"))
    assert grader.grade(Entry("grace", path), fresh=True).report.points == lesson.max_points


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.repeat], ids=lambda attack: attack.name)
def test_same_submission_gets_same_verdict(attack: Attack, attacked: Attacked, grader: Grader, tmp_path: Path) -> None:
    """Judged twice, by different forks, it is the same, message and all."""
    first = attacked(attack).report
    again = grader.grade(next(iter(find_submissions(tmp_path / "submitted", first.lesson))), fresh=True).report
    assert (timeless(again), again.key, again.status) == (timeless(first), first.key, first.status)


def test_honest_learner_is_served_the_same_among_attackers(
    attacked: Attacked, made: Made, grader: Grader, course: Folders, lesson: Lesson, tmp_path: Path
) -> None:
    """Before and after each attacker an honest learner gets the same verdicts, page and copy, byte by byte."""
    by_name = {attack.name: attack for attack in ATTACKS}
    wrong = "def mse_loss(y_hat, y):\n    return ((y_hat - y) ** 2).mean()"
    honest = replace(by_name["P4_solution"], answers={"mse_loss": wrong})
    path = hand_in(tmp_path / "honest", "ada", lesson.id, made(honest, learner="ada"))
    seen = set()
    for name in ("P4_solution", *CLASSMATES):
        with suppress(FileNotFoundError):
            (tmp_path / "submitted").rename(tmp_path / f"before {name}")
        attacked(by_name[name])
        graded = grader.grade(Entry("ada", path), fresh=True)
        seen.add((json.dumps(timeless(graded.report)), *shown(graded, lesson, course)))
    assert len(seen) == 1


@pytest.mark.parametrize(("promise", "threat"), [(p, threat) for p, lines in THREATS.items() for threat in lines])
def test_threat_has_an_attack(promise: str, threat: str) -> None:
    """Every line of the list is tried."""
    assert [attack.name for attack in ATTACKS if (attack.promise, attack.threat) == (promise, threat)]


@each_attack
def test_attack_names_a_threat(attack: Attack) -> None:
    """Every attack says which line it covers, and its name begins with the promise."""
    assert attack.threat in THREATS[attack.promise]
    assert attack.name.startswith(attack.promise)
    assert re.fullmatch(r"[^|\n]+\.", attack.why)


@pytest.mark.parametrize(("module", "key"), [(damage, "damage"), (layout, "files")])
def test_every_transformation_is_used(module: Any, key: str) -> None:
    """No damage lies around that no attack does."""
    found = inspect.getmembers(module, inspect.isfunction)
    functions = {name for name, item in found if item.__module__ == module.__name__ and not name.startswith("_")}
    assert functions == {getattr(attack, key) for attack in ATTACKS} - {""}


def test_page_shows_the_corpus() -> None:
    """docs/attacks.md is what `python -m attacks._table` writes."""
    assert _table.PAGE.read_text(encoding="utf-8") == _table.page()
