"""Files of public data sets: fetched once, checked, kept in a folder, and found there ever after.

What enters: the name of a data set and of one of its files. What leaves: the path of a file whose SHA-256 is
right, or a `DownloadError` that says what works without a network. Servers are not trusted: a file with another
checksum is never kept. pooch does the work; here is what it leaves open: patience, several homes, and words.

Two environment variables help a class: `COURSE_DATA` is the folder where files are kept (one subfolder per
set; files may be put there by hand), `COURSE_DATA_URL` an address that has the same subfolders.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from course_lib.formats import DataError
from course_lib.sources import Source

FOLDER_VARIABLE = "COURSE_DATA"
ADDRESS_VARIABLE = "COURSE_DATA_URL"

TIMEOUTS_S = (6.0, 30.0)  # to connect, and between two pieces
PAUSES_S = (1.0, 3.0)  # before the second and the third attempt at one address

_FAILED = """{title} could not be downloaded. {file} is missing:
{reports}
Without a network: {offline}
With the file from elsewhere: put it into {folder} and run this again."""
_STATUS = "{host} answered {status}."
_BROKE = "{host} could not be reached, or the connection broke."
_CHECKSUM = "{host} sent a file that is damaged or not the right one: its checksum differs."
_NO_FOLDER = "{folder} cannot be written: {reason}. Name another folder, with cache= or in the variable {variable}."
_NO_ADDRESS = "The address of the data is {address!r}; expected one that begins with http:// or https://."
_NO_FILE = "{title} has no file {file!r}. It has: {files}."
_BAR = "\r{label} [{bar:<20}] {done:.1f} of {total:.1f} MB"
_NO_BAR = "\r{label} {done:.1f} MB"

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS)
_TRY_AGAIN = (408, 416, 425, 429)
_PARTIAL_CONTENT = 206


class DownloadError(DataError):
    """A file is not here and did not come. The message says which server said what, and the way without it."""


def fetch(
    source: Source, file: str, *, base_url: str | None = None, cache: str | Path | None = None, progress: bool = True
) -> Path:
    """The path of a file of a data set; downloaded when it is not there yet, or no longer right.

    Args:
        source: the data set.
        file: the name of one of its files.
        base_url: an address whose subfolder `source.folder` has the file; asked instead of the usual ones.
            Without it, `COURSE_DATA_URL` when that is set.
        cache: the folder in which sets are kept. Without it, `COURSE_DATA`, or else the user's cache folder.
        progress: show a bar on the error stream.

    Raises:
        DownloadError: no address gave the file, or the folder cannot be written.
        ValueError: no such file in the set, or an address that is none.
    """
    import pooch

    if file not in source.files:
        raise ValueError(_NO_FILE.format(title=source.title, file=file, files=", ".join(source.files)))
    addresses = list(_addresses(source, base_url))
    path = cache_folder(cache) / source.folder / file
    if path.is_file() and pooch.file_hash(str(path)) in source.files[file]:
        return path
    _make_folder(path.parent)
    reports = []
    for address in addresses:
        report = _download(f"{address}/{file}", path, source.files[file][0], progress)
        if report is None:
            return path
        reports.append(f"- {report}")
    raise DownloadError(
        _FAILED.format(
            title=source.title, file=file, reports="\n".join(reports), offline=source.offline, folder=path.parent
        )
    )


def cache_folder(cache: str | Path | None = None) -> Path:
    """Where data are kept: the argument, else `COURSE_DATA`, else the user's cache folder."""
    import pooch

    named = cache or os.environ.get(FOLDER_VARIABLE)
    return Path(named).expanduser() if named else Path(pooch.os_cache("deep-learning-course"))


def _addresses(source: Source, base_url: str | None) -> Iterator[str]:
    base = base_url or os.environ.get(ADDRESS_VARIABLE)
    for address in (f"{base.rstrip('/')}/{source.folder}",) if base else source.homes:
        if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).netloc:
            raise ValueError(_NO_ADDRESS.format(address=base))
        yield address


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _no_folder(folder, error) from None


def _no_folder(folder: Path, error: OSError) -> DownloadError:
    reason = error.strerror or type(error).__name__
    return DownloadError(_NO_FOLDER.format(folder=folder, reason=reason, variable=FOLDER_VARIABLE))


def _download(url: str, path: Path, sha256: str, progress: bool) -> str | None:
    """Download to the path. None when it is there; else a sentence with what went wrong at this address."""
    import pooch

    host = urlsplit(url).netloc
    # Its lines "Downloading data from ..." say less than the bar, and come even where no bar is wanted.
    pooch.get_logger().setLevel("WARNING")
    downloader = PatientDownloader(path.name if progress else None)
    try:
        pooch.retrieve(url, sha256, fname=path.name, path=path.parent, downloader=downloader)
    except OSError as error:
        if error.errno in _FULL or isinstance(error, PermissionError):
            raise _no_folder(path.parent, error) from None
        status = _status(error)
        return _STATUS.format(host=host, status=status) if status else _BROKE.format(host=host)
    except ValueError:
        return _CHECKSUM.format(host=host)
    return None


def _status(error: OSError) -> int | None:
    # The errors of requests carry its response, or None when there was none.
    return getattr(getattr(error, "response", None), "status_code", None)


class PatientDownloader:
    """A downloader for pooch that tries again, and goes on where a broken connection stopped.

    Args:
        label: what the progress bar says; None shows none.
    """

    def __init__(self, label: str | None) -> None:
        self.label = label

    def __call__(self, url: str, output_file: str, _pooch: Any, check_only: bool = False) -> None:
        """Download to a file."""
        with open(output_file, "wb") as out:
            for pause in (*PAUSES_S, None):
                try:
                    return self._rest(url, out)
                except OSError as error:
                    if pause is None or not _passes(error):
                        raise
                time.sleep(pause)

    def _rest(self, url: str, out: BinaryIO) -> None:
        """Download what is not there yet."""
        from pooch import HTTPDownloader

        def begin(response: Any, **_kwargs: Any) -> None:
            if not response.is_redirect and response.status_code != _PARTIAL_CONTENT:
                out.seek(0)
                out.truncate()
            # Some servers declare a .gz file as a compressed transfer: unpacked on the way, its checksum would differ.
            response.raw.headers.pop("Content-Encoding", None)

        headers = {"Accept-Encoding": "identity"}
        if out.tell():
            headers["Range"] = f"bytes={out.tell()}-"
        bar = False if self.label is None else _Bar(self.label, out)
        wanted = {"headers": headers, "timeout": TIMEOUTS_S, "hooks": {"response": begin}}
        HTTPDownloader(progressbar=bar, chunk_size=1 << 16, **wanted)(url, out, None)


def _passes(error: OSError) -> bool:
    """Is it worth another attempt? A 404 is not, a broken connection and an overloaded server are."""
    if error.errno in _FULL:
        return False
    status = _status(error)
    return status is None or status >= 500 or status in _TRY_AGAIN


class _Bar:
    """What pooch expects of a progress bar; how far it is, it asks the file."""

    def __init__(self, label: str, out: BinaryIO) -> None:
        self._label, self._out = label, out
        self._end, self._shown = 0, ""

    @property
    def total(self) -> int:
        """Bytes of the whole file; pooch sets what is still to come."""
        return self._end

    @total.setter
    def total(self, rest: int) -> None:
        self._end = self._out.tell() + rest if rest else 0

    def update(self, _count: int = 0) -> None:
        """Draw, if it looks different now."""
        done = self._out.tell()
        bar = "#" * (20 * done // self._end) if self._end else ""
        values = {"label": self._label, "bar": bar, "done": done / 1e6, "total": self._end / 1e6}
        text = (_BAR if self._end else _NO_BAR).format(**values)
        if text != self._shown:
            print(text, end="", file=sys.stderr, flush=True)
            self._shown = text

    def reset(self) -> None:
        """Pooch calls it at the end; nothing to do."""

    def close(self) -> None:
        """Leave the line."""
        print(file=sys.stderr)
