"""Kill -9 at random moments: does the next run end where an undisturbed one ends?

    python -m benchmarks.kill9 [--moments 200] [--seed 0] [--json]

A small class is graded by `course grade` with two worker processes, and SIGKILL strikes one of four victims: the whole
process group (as when the machine goes down), the grading process alone, a worker, or a worker's sandbox. A moment is
the k-th event, counted over all processes of the run: a file of the course opened, renamed, made or removed, a database
opened or changed, a program started, a submission's fork made; a worker or sandbox is struck at the first event from
there on at which there is one. Nothing sleeps and nothing is timed. The next run must end
with the verdict store, gradebook, copies, pages and notebooks of the undisturbed run, durations apart; what was kept
before the kill must be among it; and no process and no half-written file may be left.

The doctor's test of the walls writes nothing and is left out, and half the moments start without a gradebook.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import mmap
import os
import random
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent.parent
LESSON = "01_xor_mlp"
VICTIMS = ("group", "grader", "worker", "sandbox")
EVENTS = {"open", "os.rename", "os.mkdir", "os.remove", "os.chmod", "sqlite3.connect", "subprocess.Popen"}
STATEMENTS = {"BEGIN", "COMMIT", "INSERT", "UPDATE", "DELETE", "CREATE"}
FORK = "/proc/self/fdinfo/"
PATIENCE = 20.0
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Moment:
    """When and whom.

    Args:
        event: number of the event, from 1.
        victim: one of `VICTIMS`.
        fresh: without a gradebook at the start.
    """

    event: int
    victim: str
    fresh: bool = False


@dataclass(frozen=True)
class Events:
    """How many events there were, the number of the last that a worker saw, and whether the kill was done."""

    count: int
    last_of_workers: int
    struck: int


def make_class(root: Path) -> None:
    """A course with one lesson and five submissions: right, wrong, hostile, half empty and unreadable."""
    from autograder.catalogue import find_lesson
    from autograder.classroom import answers_of, fill, hand_in, source_as
    from autograder.expected import load_expectations
    from autograder.folders import Folders
    from autograder.gradebook import ensure_lesson

    root.mkdir(parents=True)
    for name in ("solutions", "notebooks"):
        shutil.copytree(PROJECT / name / LESSON, root / name / LESSON)
    shutil.copy(PROJECT / "nbgrader_config.py", root)
    folders, lesson = Folders(root), find_lesson(LESSON)
    folders.make_secret()
    load_expectations(lesson, folders.secret(), folders.expected)
    ensure_lesson(root, LESSON)
    released = json.loads(folders.released(LESSON).read_bytes())
    solved = answers_of(json.loads(folders.solution(LESSON).read_bytes()))
    # Its cases train for a second, which would be most of the time.
    solved["train_xor"] = answers_of(released)["train_xor"]
    wrong = {item.id: source_as(item.mistakes[0].code, item.id) for item in lesson.exercises[:4]}
    exits = {"mse_loss": "import os\n\ndef mse_loss(y_hat, y):\n    os._exit(0)"}
    handed = {"ada": solved, "ben": solved | wrong, "eve": solved | exits, "kim": dict(list(solved.items())[:4])}
    for learner, answers in handed.items():
        hand_in(folders.submitted, learner, LESSON, fill(released, answers, learner))
    hand_in(folders.submitted, "nils", LESSON, b"")


def copy_class(source: Path, root: Path, *, fresh: bool = False) -> Path:
    """A copy to be graded; `fresh` leaves the gradebook out."""
    shutil.copytree(source, root)
    if fresh:
        (root / "run" / "gradebook.db").unlink()
    return root


def grade(root: Path, moment: Moment | None = None) -> tuple[int, Events]:
    """Grade the class; return the exit code and what happened."""
    counter = root / "events"
    counter.write_bytes(bytes(12))
    number, victim = (moment.event, moment.victim) if moment else (0, "group")
    command = [sys.executable, "-m", "benchmarks.kill9", "--child", str(root), str(number), victim]
    paths = os.pathsep.join([str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        command,
        cwd=root,
        env=os.environ | {"PYTHONPATH": paths},
        start_new_session=True,
        capture_output=True,
        text=True,
    )
    events = Events(*struct.unpack("<3i", counter.read_bytes()))
    counter.unlink()
    if moment is None and done.returncode:
        raise SystemExit(f"An undisturbed run failed:\n{done.stdout[-500:]}\n{done.stderr[-3000:]}")
    return done.returncode, events


def child(root: str, number: int, victim: str) -> None:
    """Be the command `course grade`, and strike at an event."""
    from autograder import cli, readiness

    readiness.missing_walls = lambda *_: []
    with open(os.path.join(root, "events"), "r+b") as file:
        shared = memoryview(mmap.mmap(file.fileno(), 12)).cast("i")
    grader = os.getpid()

    def step() -> None:
        shared[0] += 1
        if os.getpid() != grader:
            shared[1] = shared[0]
        if 0 < number <= shared[0] and not shared[2]:
            shared[2] = 1  # before the blow: it may be this process that falls
            shared[2] = strike(victim, grader)

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in EVENTS:
            return
        place = str(arguments[0]) if arguments else ""
        if event == "subprocess.Popen" or place.startswith((root, FORK)):
            step()

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = honest(*arguments, **options)
        connection.set_trace_callback(lambda text: step() if text.split(maxsplit=1)[0].upper() in STATEMENTS else None)
        return connection

    honest = sqlite3.connect
    sqlite3.connect = sqlite3.dbapi2.connect = connect
    sys.addaudithook(count)
    sys.argv = ["course", "grade", LESSON, "--processes", "2", "--json"]
    cli.main()


def strike(victim: str, grader: int) -> int:
    """Kill, and return 1; 0 when there is no such victim at this moment."""
    if victim == "group":
        os.killpg(grader, signal.SIGKILL)
    family = dict(_descendants(grader))
    workers = [process for process, (parent, name) in family.items() if parent == grader and name != "bwrap"]
    sandboxes = [process for process, (parent, name) in family.items() if parent in workers and name == "bwrap"]
    chosen = {"grader": [grader], "worker": workers, "sandbox": sandboxes}[victim]
    for process in chosen[:1]:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return len(chosen[:1])


def _descendants(top: int) -> Iterator[tuple[int, tuple[int, str]]]:
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError), open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
            head, _, rest = file.read().rpartition(")")
            found[int(name)] = int(rest.split()[1]), head.partition("(")[2]
    wanted = {top}
    for process in sorted(found):
        if found[process][0] in wanted:
            wanted.add(process)
            yield process, found[process]


def leftovers(root: Path) -> list[str]:
    """Processes that still name the course's folder, after some patience."""
    end, found = time.monotonic() + PATIENCE, ["?"]
    while found and time.monotonic() < end:
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                command = (folder / "cmdline").read_bytes()
                found += [command.decode(errors="replace")[:80]] if str(root).encode() in command else []
    return found


def state(root: Path) -> dict[str, Any]:
    """Everything that a run leaves, in a form in which equal runs are equal."""
    run = root / "run"
    files = {str(path.relative_to(root)): path for path in sorted(root.rglob("*")) if path.is_file()}
    databases = {"run/verdicts.db": _verdicts, "run/gradebook.db": _gradebook}
    found: dict[str, Any] = {}
    for name, path in files.items():
        whole = name.startswith(("run/autograded/", "run/feedback/", "notebooks/", "solutions/"))
        found[name] = path.read_bytes() if whole else databases.get(name, lambda _: "there")(run.parent / name)
    return found


def _verdicts(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as database:
        kept = database.execute("SELECT key, report FROM verdicts").fetchall()
        latest = database.execute("SELECT lesson || ' ' || learner, report FROM latest").fetchall()
    return {name: json.dumps(_timeless(json.loads(text)), sort_keys=True) for name, text in sorted(kept + latest)}


def _timeless(facts: Any) -> Any:
    if isinstance(facts, dict):
        return {name: _timeless(value) for name, value in facts.items() if name != "seconds"}
    return [_timeless(value) for value in facts] if isinstance(facts, list) else facts


def _gradebook(path: Path) -> Counter[str]:
    """Rows of all tables; nbgrader's row ids, which are random, are replaced by what the rows say."""
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [(name, dict(row)) for name in names for row in database.execute(f'SELECT * FROM "{name}"')]
    said: dict[str, str] = {}
    for _round in range(5):
        whose: dict[str, list[str]] = {}
        for name, row in rows:
            whose.setdefault(str(row.get("id")), []).append(_row(name, row, said))
        said = {key: hashlib.sha256(repr(sorted(texts)).encode()).hexdigest() for key, texts in whose.items()}
    return Counter(_row(name, row, said) for name, row in rows)


def _row(table: str, row: dict[str, Any], said: dict[str, str]) -> str:
    plain = {k: f"<{said.get(str(v), '')}>" if _ID.fullmatch(str(v)) else v for k, v in row.items() if k != "id"}
    own = row.get("id")
    return repr((table, None if _ID.fullmatch(str(own)) else own, sorted(plain.items(), key=str)))


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """Names of what is missing, additional or different."""
    return sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))


@dataclass(frozen=True)
class Finding:
    """What one moment showed.

    Args:
        moment: when and whom.
        code: exit code of the run that was struck.
        struck: was the victim there?
        wrong: what is not as it should be; empty when all is well.
    """

    moment: Moment
    code: int
    struck: bool
    wrong: list[str]


def examine(source: Path, place: Path, moment: Moment, wanted: dict[str, Any]) -> Finding:
    """Grade a copy of the class, strike, look, grade again, compare."""
    root = copy_class(source, place, fresh=moment.fresh)
    code, events = grade(root, moment)
    wrong = [f"process left: {name}" for name in leftovers(root)]
    store = root / "run" / "verdicts.db"
    if store.exists():
        with suppress(sqlite3.OperationalError):  # struck before its tables were made
            wrong += [f"changed: {k}" for k, v in _verdicts(store).items() if wanted["run/verdicts.db"].get(k) != v]
    if code == 0:
        wrong += [f"at once: {name}" for name in differences(state(root), wanted)]
    again, _ = grade(root, Moment(0, "group"))
    wrong += [f"second run ended with {again}"] if again else []
    wrong += [f"afterwards: {name}" for name in differences(state(root), wanted)]
    wrong += [f"process left: {name}" for name in leftovers(root)]
    if not wrong:
        shutil.rmtree(root)
    return Finding(moment, code, bool(events.struck), wrong)


def moments(count: int, events: dict[bool, Events], seed: int) -> list[Moment]:
    """Random moments, victims by turns; `events` is how many there are with and without a gradebook to begin with."""
    rng = random.Random(seed)
    chosen = [(VICTIMS[number % 4], bool(number // 4 % 2)) for number in range(count)]
    last = {f"{victim} {fresh}": e.last_of_workers for victim in ("worker", "sandbox") for fresh, e in events.items()}
    ends = [last.get(f"{victim} {fresh}", events[fresh].count) for victim, fresh in chosen]
    return [Moment(rng.randint(1, end), *who) for end, who in zip(ends, chosen, strict=True)]


def main() -> None:
    """Strike and report."""
    parser = argparse.ArgumentParser(description="Kill -9 at random moments, and compare what the next run leaves.")
    parser.add_argument("--moments", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        root, number, victim = options.child
        return child(root, int(number), victim)
    with tempfile.TemporaryDirectory(prefix="kill9-") as folder:
        findings, events = _run(Path(folder), options.moments, options.seed, quiet=options.json)
    failed = [finding for finding in findings if finding.wrong]
    if options.json:
        print(json.dumps({"events": events, "findings": [asdict(finding) for finding in findings]}, indent=1))
    else:
        print(f"{len(findings)} moments of {events[False].count} events ({events[True].count} without a gradebook).")
        for name in VICTIMS:
            codes = [finding.code for finding in findings if finding.moment.victim == name and finding.struck]
            print(f"{name}: struck {len(codes)} times; the run went on to its end {codes.count(0)} times.")
        print(f"The next run did not end like an undisturbed one: {len(failed)}.")
    raise SystemExit(1 if failed else 0)


def _run(folder: Path, count: int, seed: int, *, quiet: bool) -> tuple[list[Finding], dict[bool, Events]]:
    make_class(folder / "class")
    events, states = {}, []
    for fresh in (False, True):
        root = copy_class(folder / "class", folder / f"undisturbed-{fresh}", fresh=fresh)
        events[fresh] = grade(root)[1]
        states.append(state(root))
    wrong = differences(*states)
    if wrong:
        raise SystemExit(f"Two undisturbed runs differ: {wrong}")
    findings = []
    for number, moment in enumerate(moments(count, events, seed)):
        findings.append(examine(folder / "class", folder / f"moment-{number}", moment, states[0]))
        if not quiet:
            print(number, findings[-1], file=sys.stderr, flush=True)
    return findings, events


if __name__ == "__main__":
    main()
