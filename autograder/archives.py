"""Files out of zip archives that nobody trusts: what is in a header is checked against what is really read.

What enters: archives of a learning platform, with files that learners chose. What leaves: for every entry a copy
under a name of ours, or a sentence that says why not. No name out of an archive ever becomes a path here.
An archive that a learner handed in is looked into as well, once.
"""

from __future__ import annotations

import hashlib
import io
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from autograder import collect_messages as messages

MAX_ENTRIES = 20_000
MAX_INNER_ENTRIES = 1_000
MAX_FILE_BYTES = 100 << 20  # what is larger, grading would not read
MAX_TOTAL_BYTES = 20 << 30
MAX_RATIO = 200
RATIO_FROM = 16 << 20  # outputs of small notebooks may be very regular
CHUNK = 1 << 16
_ENTRY_BYTES = 512  # of the archive's directory; entries of learning platforms need less than half of it
_DRIVE = re.compile(r"[A-Za-z]:")
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNIX_TIMES = 0x5455
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError, struct.error)


@dataclass(frozen=True)
class Found:
    """A notebook that was read whole.

    Args:
        archive: the archive's name.
        entry: its path in there; for a notebook in an inner archive, the path of that one.
        content: where its copy lies.
        digest: hash of its content.
        when: the entry's time in UTC without time zone, or None.
        inner: its path in the inner archive, or "".
    """

    archive: str
    entry: str
    content: Path
    digest: str
    when: datetime | None = None
    inner: str = ""

    @property
    def shown(self) -> str:
        """Where it is, for people."""
        return f"{self.entry}/{self.inner}" if self.inner else self.entry


@dataclass(frozen=True)
class LeftOut:
    """What was not taken, and why.

    Args:
        archive: the archive's name.
        entry: the path in there, or "" for all of it.
        why: one sentence.
        refused: is it something that a person should look at?
    """

    archive: str
    entry: str
    why: str
    refused: bool = True


class _Refused(Exception):
    """This entry is not taken; the text says why."""


class _TooMuch(Exception):
    """The limit over all archives is reached."""


class _Guarded(io.BufferedReader):
    """A file of which nobody reads more at once than allowed: `zipfile` loads a directory as large as it claims."""

    def __init__(self, path: Path, most: int) -> None:
        super().__init__(io.FileIO(path))
        self.most = most

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, unless it is too much."""
        if size is not None and size > self.most:
            raise _Refused(messages.TOO_MANY_ENTRIES.format(most=self.most // _ENTRY_BYTES))
        return super().read(size)


class Archives:
    """Reads archives, one after the other, under common limits.

    Args:
        work: an empty folder for copies.
        zone: time zone of the times in the archives, which say it rarely.
    """

    def __init__(self, work: Path, zone: tzinfo) -> None:
        self._work = work
        self._zone = zone
        self._left = MAX_TOTAL_BYTES
        self._number = 0

    def count(self, path: Path) -> int:
        """How many entries an archive has, for those who wait; 0 when it cannot be read."""
        try:
            with _opened(path, MAX_ENTRIES) as archive:
                return sum(not info.is_dir() for info in archive.infolist())
        except (_Refused, OSError, *_BROKEN):
            return 0

    def read(self, path: Path) -> Iterator[Found | LeftOut]:
        """Every entry of an archive but folders; never raises for anything that an archive holds.

        Raises:
            OSError: the working folder cannot be written.
        """
        try:
            with _opened(path, MAX_ENTRIES) as archive:
                for info in archive.infolist():
                    yield from self._entry(str(path), archive, info)
        except _TooMuch:
            yield LeftOut(str(path), "", messages.TOO_MUCH.format(most=MAX_TOTAL_BYTES >> 30))
        except _Refused as refusal:
            yield LeftOut(str(path), "", str(refusal))
        except OSError as error:
            if str(error.filename) != str(path):
                raise
            yield LeftOut(str(path), "", messages.NO_ARCHIVE.format(reason=_reason(error)))
        except _BROKEN as error:
            yield LeftOut(str(path), "", messages.NO_ARCHIVE.format(reason=_reason(error)))

    def _entry(self, name: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[Found | LeftOut]:
        entry = _name(info)
        try:
            refuse_unsafe(entry)
            _refuse_special(info)
            if info.is_dir():
                return
            kind = _kind(entry)
            if not kind:
                yield LeftOut(name, entry, messages.NOT_A_NOTEBOOK, refused=False)
                return
            content, digest = self._copy(archive, info)
        except _Refused as refusal:
            yield LeftOut(name, printable(entry), str(refusal))
            return
        when = _when(info, self._zone)
        if kind == ".ipynb":
            yield Found(name, entry, content, digest, when)
        else:
            yield from self._inner(name, entry, content, when)

    def _inner(self, name: str, entry: str, path: Path, when: datetime | None) -> Iterator[Found | LeftOut]:
        """Notebooks of an archive that was handed in. Its own times are the learner's claim: the outer one counts."""
        try:
            with _opened(path, MAX_INNER_ENTRIES) as archive:
                found = [item for info in archive.infolist() for item in self._inner_entry(archive, info)]
        except _Refused as refusal:
            yield LeftOut(name, entry, str(refusal))
            return
        except _BROKEN as error:
            yield LeftOut(name, entry, messages.DAMAGED.format(reason=_reason(error)))
            return
        finally:
            path.unlink()
        for inside, content in found:
            if isinstance(content, LeftOut):
                yield LeftOut(name, f"{entry}/{inside}", content.why, content.refused)
            else:
                yield Found(name, entry, *content, when, inside)
        if not any(isinstance(content, tuple) for _, content in found):
            yield LeftOut(name, entry, messages.NO_NOTEBOOK_INSIDE)

    def _inner_entry(
        self, archive: zipfile.ZipFile, info: zipfile.ZipInfo
    ) -> Iterator[tuple[str, tuple[Path, str] | LeftOut]]:
        inside = _name(info)
        try:
            refuse_unsafe(inside)
            _refuse_special(info)
            if info.is_dir():
                return
            kind = _kind(inside)
            if kind == ".ipynb":
                yield inside, self._copy(archive, info)
            else:
                why = messages.TOO_DEEP if kind else messages.NOT_A_NOTEBOOK
                yield inside, LeftOut("", "", why, refused=bool(kind))
        except _Refused as refusal:
            yield printable(inside), LeftOut("", "", str(refusal))

    def _copy(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[Path, str]:
        if info.flag_bits & 0x41:
            raise _Refused(messages.ENCRYPTED)
        # Other methods may expand without bounds before their first byte is seen.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _Refused(messages.METHOD.format(method=info.compress_type))
        self._number += 1
        path = self._work / f"{self._number}"
        try:
            return path, self._chunks(archive, info, path)
        except BaseException as error:
            path.unlink(missing_ok=True)
            if isinstance(error, _BROKEN):
                raise _Refused(messages.DAMAGED.format(reason=_reason(error))) from None
            raise

    def _chunks(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> str:
        digest, size = hashlib.sha256(), 0
        with archive.open(info) as source, path.open("xb") as copy:
            while chunk := source.read(CHUNK):
                size += len(chunk)
                self._left -= len(chunk)
                if self._left < 0:
                    raise _TooMuch
                if size > MAX_FILE_BYTES:
                    raise _Refused(messages.TOO_LARGE.format(most=MAX_FILE_BYTES >> 20))
                if size > max(RATIO_FROM, MAX_RATIO * info.compress_size):
                    raise _Refused(messages.BOMB.format(ratio=MAX_RATIO))
                digest.update(chunk)
                copy.write(chunk)
        return digest.hexdigest()


def refuse_unsafe(name: str) -> None:
    """Refuse a name that would be another place if anybody made a path of it, or that hides what it is.

    Raises:
        _Refused: with the sentence.
    """
    if "\\" in name or _DRIVE.match(name) or not {"", ".", ".."}.isdisjoint(name.removesuffix("/").split("/")):
        raise _Refused(messages.UNSAFE_NAME)
    if printable(name) != name:
        raise _Refused(messages.UNPRINTABLE)


def printable(text: str) -> str:
    """The text without control characters, lone surrogates and marks that turn the direction of writing.

    >>> printable("a\\x1bb")
    'a?b'
    """
    return "".join("?" if unicodedata.category(c) in ("Cc", "Cs") or c in _DIRECTIONS else c for c in text)


@contextmanager
def _opened(path: Path, most: int) -> Iterator[zipfile.ZipFile]:
    with _Guarded(path, most * _ENTRY_BYTES) as stream, zipfile.ZipFile(stream) as archive:
        if len(archive.infolist()) > most:
            raise _Refused(messages.TOO_MANY_ENTRIES.format(most=most))
        if sum(info.compress_size for info in archive.infolist()) > path.stat().st_size:
            raise _Refused(messages.OVERLAP)
        yield archive


def _name(info: zipfile.ZipInfo) -> str:
    # zipfile cuts a name at a NUL and turns separators; what stands in the archive is what is judged.
    name = info.orig_filename
    if not info.flag_bits & 0x800:
        # Some programs write UTF-8 and forget to say so.
        try:
            return name.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return name


def _refuse_special(info: zipfile.ZipInfo) -> None:
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _Refused(messages.SPECIAL)


def _kind(entry: str) -> str:
    """``.ipynb``, ``.zip``, or "" for what nobody handed in: other kinds, hidden files, a Mac's extra folder."""
    parts = entry.split("/")
    suffix = Path(parts[-1]).suffix.lower()
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return suffix if suffix in (".ipynb", ".zip") and not hidden else ""


def _when(info: zipfile.ZipInfo, zone: tzinfo) -> datetime | None:
    """The entry's time in UTC without time zone; None without one."""
    extra = info.extra
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        if kind == _UNIX_TIMES and size >= 5 and len(extra) >= 9 and extra[4] & 1:
            return datetime.fromtimestamp(struct.unpack("<i", extra[5:9])[0], UTC).replace(tzinfo=None)
        extra = extra[4 + size :]
    try:
        local = datetime(*info.date_time, tzinfo=zone)
    except ValueError:
        return None
    return local.astimezone(UTC).replace(tzinfo=None) if local.year > 1980 else None


def _reason(error: Exception) -> str:
    said = error.strerror if isinstance(error, OSError) else str(error)
    return printable(said or type(error).__name__)[:100].rstrip(".")
