"""From the archives of a learning platform to nbgrader's folders: one submission per learner, and nothing lost.

What enters: archives (`autograder.archives`), and who is who (`autograder.roster`). What leaves: in the target
folder `<learner>/<lesson>/<lesson>.ipynb` with nbgrader's `timestamp.txt`, and a list of all that was not taken, with
reasons. Only the target folder is written to. What lay there before stays, or goes to `.replaced` in the same folder.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any

from dateutil import tz

from autograder import collect_messages as messages
from autograder.archives import Archives, Found, LeftOut
from autograder.files import scratch_folder
from autograder.folders import CourseError
from autograder.roster import Roster, Sender, folded, learner_id, sender_of

ASIDE = ".replaced"
STAMP = "timestamp.txt"
# Platforms and browsers number a file that came twice: name-1.ipynb, name (1).ipynb
_COUNTED = re.compile(r"(-\d+| ?\(\d+\))$")


@dataclass(frozen=True)
class Taken:
    """One learner's submission.

    Args:
        learner: the id.
        archive: the archive it came in.
        entry: its path in there.
        action: new, replaced or unchanged.
        handed_in: the time written beside it, UTC, or "".
        note: one sentence, or "".
    """

    learner: str
    archive: str
    entry: str
    action: str
    handed_in: str = ""
    note: str = ""


@dataclass(frozen=True)
class Collected:
    """What became of the archives.

    Args:
        taken: submissions, by learner.
        left_out: what was not taken, in the order of the archives.
    """

    taken: tuple[Taken, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def refused(self) -> int:
        """How many entries a person should look at."""
        return sum(item.refused for item in self.left_out)


@dataclass(frozen=True)
class Options:
    """How to collect.

    Args:
        roster: who is who; None to take the platform's numbers or names as ids.
        zone: time zone of the times in the archives.
        times: are these the times of handing in?
        replace: put other submissions in place of those that are there?
        dry_run: write nothing?
    """

    zone: tzinfo
    roster: Roster | None = None
    times: bool = True
    replace: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class _Candidate:
    learner: str
    sender: Sender
    found: Found

    def order(self) -> Any:
        """Grows with the time; Canvas packs all files at the same time, but counts uploads."""
        return self.sender.upload if self.sender.form == "canvas" else self.found.when or datetime.min

    def is_called(self, name: str) -> bool:
        """Does the file have this name, whatever number was added to it?"""
        own = (self.found.inner or self.sender.file).rpartition("/")[2]
        return folded(_COUNTED.sub("", own[: -len(".ipynb")])) == folded(name)

    def left_out(self, why: str, *, refused: bool = True) -> LeftOut:
        return LeftOut(self.found.archive, self.found.shown, why, refused)


Advance = Callable[..., None]
_Chosen = list["_Candidate | LeftOut"]


def entries_in(archives: Sequence[Path], options: Options) -> int:
    """How many files the archives hold; inner archives count as one."""
    reader = Archives(Path(), options.zone)
    return sum(reader.count(path) for path in archives)


def collect(
    lesson: str, archives: Sequence[Path], to: Path, options: Options, advance: Advance = lambda **_: None
) -> Collected:
    """Put the submissions of one lesson where grading looks for them; never raises for anything in an archive.

    Args:
        lesson: id of the lesson; all archives hold submissions of it.
        archives: zip files.
        to: the target folder, usually `run/submitted`.
        options: how.
        advance: called with `failed` for each file that was read.

    Raises:
        CourseError: the target is no folder, or cannot be written.
    """
    for place, linked in ((to, False), (to / ASIDE, (to / ASIDE).is_symlink())):
        if linked or (place.exists() and not place.is_dir()):
            raise CourseError(messages.IN_THE_WAY.format(path=place))
    try:
        taken, left_out = _collect(lesson, archives, to, options, advance)
    except OSError as error:
        raise CourseError(messages.CANNOT_WRITE.format(path=error.filename or to, reason=error.strerror)) from None
    order = {str(path): number for number, path in enumerate(archives)}
    left_out.sort(key=lambda item: order[item.archive])
    return Collected(tuple(sorted(taken, key=lambda item: item.learner)), tuple(left_out))


def _collect(
    lesson: str, archives: Sequence[Path], to: Path, options: Options, advance: Advance
) -> tuple[list[Taken], list[LeftOut]]:
    with ExitStack() as stack:
        # A dry run leaves no trace in the target folder.
        scratch = tempfile.TemporaryDirectory() if options.dry_run else scratch_folder(to, "collect")
        work = Path(stack.enter_context(scratch))
        candidates, left_out = _read(lesson, archives, work, options, advance)
        target = _Target(to, lesson, work, options)
        taken: list[Taken] = []
        for one in _choose(lesson, candidates):
            result = one if isinstance(one, LeftOut) else target.put(one)
            (left_out if isinstance(result, LeftOut) else taken).append(result)
        return taken, left_out


def time_zone(name: str) -> tzinfo:
    """A time zone by its name, such as Europe/Paris; this computer's without one.

    Raises:
        CourseError: there is no such time zone.
    """
    zone = tz.gettz(name) if name else tz.tzlocal()
    if zone is None:
        raise CourseError(messages.NO_ZONE.format(name=name))
    return zone


def _read(
    lesson: str, archives: Sequence[Path], work: Path, options: Options, advance: Advance
) -> tuple[list[_Candidate], list[LeftOut]]:
    reader = Archives(work, options.zone)
    candidates: list[_Candidate] = []
    left_out: list[LeftOut] = []
    for item in (item for path in archives for item in reader.read(path)):
        one = item if isinstance(item, LeftOut) else _candidate(item, lesson, options.roster)
        if isinstance(one, _Candidate):
            candidates.append(one)
        else:
            left_out.append(one)
        advance(failed=isinstance(one, LeftOut) and one.refused)
    return candidates, left_out


def _candidate(found: Found, lesson: str, roster: Roster | None) -> _Candidate | LeftOut:
    sender = sender_of(found.entry, lesson)
    try:
        if sender is None:
            raise LookupError(messages.WHOSE)
        # The spelling is kept for now: ids that differ in it alone must not become one without a word.
        learner_id(sender.own_id if roster is None else roster.learner(sender))
        return _Candidate(sender.own_id if roster is None else roster.learner(sender), sender, found)
    except LookupError as error:
        return LeftOut(found.archive, found.shown, str(error.args[0]))


def _choose(lesson: str, candidates: Iterable[_Candidate]) -> Iterator[_Candidate | LeftOut]:
    """One submission per learner; the others with the reason why not."""
    for _, group in groupby(sorted(candidates, key=lambda one: folded(one.learner)), lambda one: folded(one.learner)):
        alike = list(group)
        if why := _mixed_up(alike):
            yield from (one.left_out(why) for one in alike)
            continue
        by_archive: dict[str, list[_Candidate]] = {}
        for one in alike:
            by_archive.setdefault(one.found.archive, []).append(one)
        picked = [one for several in by_archive.values() for one in _of_one_archive(lesson, several)]
        best = [one for one in picked if isinstance(one, _Candidate)]
        yield from (one for one in picked if isinstance(one, LeftOut))
        if best:
            yield from _newest(best, messages.OLDER, lesson)


def _mixed_up(alike: Sequence[_Candidate]) -> str:
    """Why nobody can tell whether these are all one learner's, and which is newest; or ""."""
    learners = sorted({one.learner for one in alike})
    if len(learners) > 1:
        return messages.SAME_ID.format(learners=", ".join(map(repr, learners)))
    if len({one.sender.form for one in alike}) > 1:
        return messages.TWO_PLATFORMS.format(learner=learners[0])
    for archive in {one.found.archive for one in alike}:
        people = sorted({str(one.sender) for one in alike if one.found.archive == archive})
        if len(people) > 1:
            return messages.SEVERAL_PEOPLE.format(learner=learners[0], people=", ".join(people[:5]))
    return ""


def _of_one_archive(lesson: str, several: Sequence[_Candidate]) -> _Chosen:
    """What a learner handed in together: the notebook with the lesson's name before others, then the newest."""
    called = [one for one in several if one.is_called(lesson)]
    if not called:
        return _newest(several, messages.OLDER, lesson)
    chosen = _newest(called, messages.OLDER, lesson)
    newer = next((one.found.shown for one in chosen if isinstance(one, _Candidate)), lesson)
    why = messages.OTHER_NOTEBOOK.format(learner=several[0].learner, newer=newer)
    return chosen + [one.left_out(why, refused=False) for one in several if one not in called]


def _newest(several: Sequence[_Candidate], why: str, lesson: str) -> _Chosen:
    last = max(one.order() for one in several)
    best = [one for one in several if one.order() == last]
    if len({one.found.digest for one in best}) > 1:
        names = ", ".join(one.found.shown for one in best[:5])
        said = messages.SEVERAL_NOTEBOOKS.format(learner=best[0].learner, names=names, expected=f"{lesson}.ipynb")
        return [one.left_out(said) for one in several]
    said = why.format(learner=best[0].learner, newer=best[0].found.shown)
    return [best[0], *(one.left_out(said, refused=False) for one in several if one is not best[0])]


class _Target:
    """The folder that submissions go to."""

    def __init__(self, to: Path, lesson: str, work: Path, options: Options) -> None:
        self._to, self._lesson, self._work, self._options = to, lesson, work, options
        self._there: dict[str, list[Path]] = {}
        for path in to.iterdir() if to.is_dir() else ():
            name = path.stem if path.suffix == ".ipynb" else path.name
            self._there.setdefault(folded(name), []).append(path)

    def put(self, one: _Candidate) -> Taken | LeftOut:
        """Put one submission into its place, unless something else is there."""
        learner, found = learner_id(one.learner), one.found
        folder = self._to / learner / self._lesson
        if why := self._in_the_way(learner, folder):
            return one.left_out(why)
        dated = self._options.times and one.sender.form != "canvas" and found.when is not None
        stamp = f"{found.when:%Y-%m-%d %H:%M:%S} UTC" if dated else ""
        taken = Taken(learner, found.archive, found.shown, "new", stamp, messages.LATE if one.sender.late else "")
        if folder.exists():
            if _digest(folder / f"{self._lesson}.ipynb") == found.digest:
                note = "" if (folder / STAMP).exists() else taken.note
                return replace(taken, action="unchanged", handed_in="", note=note)
            if not self._options.replace:
                return one.left_out(messages.TAKEN.format(learner=learner, folder=folder))
            taken = replace(taken, action="replaced")
        if not self._options.dry_run:
            self._move(found, stamp, folder, self._to / ASIDE / learner)
        return taken

    def _in_the_way(self, learner: str, folder: Path) -> str:
        for path in (folder.parent, folder, self._to / ASIDE / learner):
            if path.is_symlink() or (path.exists() and not path.is_dir()):
                return messages.IN_THE_WAY.format(path=path)
        twins = [path for path in self._there.get(folded(learner), ()) if path.name != learner]
        return messages.TWIN.format(path=twins[0], learner=learner) if twins else ""

    def _move(self, found: Found, stamp: str, folder: Path, aside: Path) -> None:
        """Make the submission's folder whole, then move it: a kill leaves the old one, or it aside, or the new one."""
        made = self._work / f"{found.content.name}.made"
        made.mkdir()
        found.content.replace(made / f"{self._lesson}.ipynb")
        if stamp:
            (made / STAMP).write_text(stamp, encoding="utf-8")
        if folder.exists():
            aside.mkdir(parents=True, exist_ok=True)
            names = (f"{self._lesson}-{number}" for number in range(1, 1_000_000))
            folder.rename(next(aside / name for name in names if not (aside / name).exists()))
        folder.parent.mkdir(parents=True, exist_ok=True)
        made.rename(folder)


def _digest(path: Path) -> str:
    try:
        return "" if path.is_symlink() or not path.is_file() else sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
