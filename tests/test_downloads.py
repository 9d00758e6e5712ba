"""Files come once, whole and right, or a sentence says what to do instead. Everything is served from loopback."""

from __future__ import annotations

import http.server
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from loopback import (
    Answer,
    Mirror,
    changed,
    cut,
    declared_as_transfer,
    half,
    idx,
    moved,
    serve,
    sha256,
    status,
    without_ranges,
)

from course_lib import downloads
from course_lib.downloads import DownloadError, cache_folder, fetch
from course_lib.sources import SOURCES, Source

ROOT = Path(__file__).resolve().parents[1]
FILE = "some.bin"
CONTENT = bytes(range(256)) * 2048  # half of it is a whole number of the pieces in which files are read


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """No proxy, no variables, no waiting between attempts: the pauses that were asked for come back as a list."""
    for name in (downloads.FOLDER_VARIABLE, downloads.ADDRESS_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    pauses: list[float] = []
    monkeypatch.setattr(downloads.time, "sleep", pauses.append)
    return pauses


@pytest.fixture
def source() -> Source:
    """A set of one file."""
    return Source("The set", "some", ("http://127.0.0.1:9",), {FILE: (sha256(CONTENT),)}, "load_digits() is here.")


@pytest.fixture
def server() -> Iterator[Mirror]:
    """Serves that file."""
    with serve({f"/some/{FILE}": CONTENT}) as mirror:
        yield mirror


@pytest.fixture
def closed_port() -> str:
    """An address at which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def left_over(folder: Path) -> list[str]:
    """Names of all files under a folder."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_file_comes_once(source: Source, server: Mirror, tmp_path: Path) -> None:
    """The first call downloads into the set's subfolder, the second asks nobody."""
    path = fetch(source, FILE, base_url=server.url, cache=tmp_path)
    assert path == tmp_path / "some" / FILE
    assert path.read_bytes() == CONTENT
    assert fetch(source, FILE, base_url=server.url, cache=tmp_path) == path
    assert len(server.asked) == 1


def test_kept_file_needs_no_network(source: Source, server: Mirror, closed_port: str, tmp_path: Path) -> None:
    """What is kept is used when no server can be reached."""
    path = fetch(source, FILE, base_url=server.url, cache=tmp_path)
    assert fetch(source, FILE, base_url=closed_port, cache=tmp_path) == path


def test_spoiled_file_is_replaced(source: Source, server: Mirror, tmp_path: Path) -> None:
    """A kept file whose bytes have changed is downloaded again."""
    path = fetch(source, FILE, base_url=server.url, cache=tmp_path)
    path.write_bytes(CONTENT[:-1])
    assert fetch(source, FILE, base_url=server.url, cache=tmp_path).read_bytes() == CONTENT


def test_other_good_version_is_taken(source: Source, closed_port: str, tmp_path: Path) -> None:
    """A file put there by hand counts when its checksum is any of those in the table."""
    other = replace(source, files={FILE: (sha256(CONTENT), sha256(b"older"))})
    path = tmp_path / "some" / FILE
    path.parent.mkdir()
    path.write_bytes(b"older")
    assert fetch(other, FILE, base_url=closed_port, cache=tmp_path).read_bytes() == b"older"


def test_variables_name_address_and_folder(
    source: Source, server: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """COURSE_DATA_URL and COURSE_DATA stand in for base_url= and cache=."""
    monkeypatch.setenv("COURSE_DATA_URL", f"{server.url}/")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert fetch(source, FILE) == tmp_path / "some" / FILE


def test_arguments_beat_variables(
    source: Source, server: Mirror, closed_port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """base_url= and cache= count when the variables say something else."""
    monkeypatch.setenv("COURSE_DATA_URL", closed_port)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "elsewhere"))
    fetch(source, FILE, base_url=server.url, cache=tmp_path / "here")
    assert left_over(tmp_path / "here") == left_over(tmp_path) == [FILE]


def test_usual_folder_is_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without argument and variable, files go to a folder of the course in the user's cache."""
    assert cache_folder().name == "deep-learning-course"
    assert cache_folder().is_absolute()
    monkeypatch.setenv("COURSE_DATA", "~/sets")
    assert cache_folder() == Path.home() / "sets"


def test_next_home_is_asked(source: Source, server: Mirror, tmp_path: Path) -> None:
    """When the first address does not have the file, the second one is asked."""
    homes = replace(source, homes=(f"{server.url}/nothing", f"{server.url}/some"))
    assert fetch(homes, FILE, cache=tmp_path).read_bytes() == CONTENT
    assert [path for path, _ in server.asked] == [f"/nothing/{FILE}", f"/some/{FILE}"]


def test_broken_connection_goes_on(source: Source, server: Mirror, tmp_path: Path, quick: list[float]) -> None:
    """After half a file, the second attempt asks for the rest alone."""
    server.answers = [half]
    assert fetch(source, FILE, base_url=server.url, cache=tmp_path).read_bytes() == CONTENT
    assert [asked for _, asked in server.asked] == [None, f"bytes={len(CONTENT) // 2}-"]
    assert quick == [downloads.PAUSES_S[0]]


def test_broken_connection_goes_on_after_redirect(source: Source, server: Mirror, tmp_path: Path) -> None:
    """A redirect on the way to the rest does not lose the first half."""
    server.answers = [half, moved]
    assert fetch(source, FILE, base_url=server.url, cache=tmp_path).read_bytes() == CONTENT
    assert server.asked[-1] == (f"/moved/some/{FILE}", f"bytes={len(CONTENT) // 2}-")


@pytest.mark.parametrize("second", [[without_ranges], [status(416)]], ids=["no ranges", "range refused"])
def test_broken_connection_starts_again(source: Source, server: Mirror, tmp_path: Path, second: list[Answer]) -> None:
    """Where a server cannot send the rest, the file is begun anew, not appended to."""
    server.answers = [half, *second]
    assert fetch(source, FILE, base_url=server.url, cache=tmp_path).read_bytes() == CONTENT


def test_slow_start_is_tried_again(
    source: Source, server: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that stays silent at first is asked again, and answers then."""
    monkeypatch.setattr(downloads, "TIMEOUTS_S", (5.0, 0.1))
    awake, gave_up = threading.Event(), threading.Event()

    def silent(_request: http.server.BaseHTTPRequestHandler, _content: bytes) -> None:
        if not awake.wait(timeout=20):
            gave_up.set()

    server.answers = [silent]
    assert fetch(source, FILE, base_url=server.url, cache=tmp_path).read_bytes() == CONTENT
    awake.set()
    assert len(server.asked) == 2
    assert not gave_up.is_set()


def test_overloaded_server_is_tried_again(source: Source, server: Mirror, tmp_path: Path) -> None:
    """Error 503 passes: the same address is asked again."""
    server.answers = [status(503), status(503)]
    assert fetch(source, FILE, base_url=server.url, cache=tmp_path).read_bytes() == CONTENT


def test_declared_transfer_stays_packed(tmp_path: Path) -> None:
    """A .gz file stays the file it is when the server calls its compression a transfer encoding."""
    import numpy as np

    packed = idx(np.arange(10))
    source = Source("The set", "some", (), {"x.gz": (sha256(packed),)}, "")
    with serve({"/some/x.gz": packed}) as server:
        server.answers = [declared_as_transfer]
        assert fetch(source, "x.gz", base_url=server.url, cache=tmp_path).read_bytes() == packed


@pytest.mark.parametrize(
    ("answers", "says", "requests"),
    [
        ([status(404)], "answered 404.", 1),
        ([status(503)] * 3, "answered 503.", 3),
        ([half] * 3, "the connection broke.", 3),
        ([changed], "its checksum differs.", 1),
        ([cut], "its checksum differs.", 1),
    ],
    ids=["404", "503", "cut off", "wrong checksum", "truncated copy"],
)
def test_failure_is_explained(
    source: Source, server: Mirror, tmp_path: Path, answers: list[Answer], says: str, requests: int
) -> None:
    """The message says what the server did, what works offline and where to put the file; nothing half stays."""
    server.answers = list(answers)
    with pytest.raises(DownloadError) as failure:
        fetch(source, FILE, base_url=server.url, cache=tmp_path)
    message = str(failure.value)
    assert f"The set could not be downloaded. {FILE} is missing" in message
    assert f"{server.url.removeprefix('http://')} " in message
    assert says in message
    assert "Without a network: load_digits() is here." in message
    assert str(tmp_path / "some") in message
    assert len(server.asked) == requests
    assert left_over(tmp_path) == []


def test_no_network_is_explained(source: Source, closed_port: str, tmp_path: Path, quick: list[float]) -> None:
    """Where nobody answers, the message says so after three attempts, and the error stands alone."""
    with pytest.raises(DownloadError, match="could not be reached") as failure:
        fetch(source, FILE, base_url=closed_port, cache=tmp_path)
    assert quick == list(downloads.PAUSES_S)
    assert failure.value.__context__ is None
    assert failure.value._render_traceback_() == [str(failure.value)]


def test_every_home_is_reported(source: Source, server: Mirror, closed_port: str, tmp_path: Path) -> None:
    """With several addresses, the message has one line for each."""
    homes = replace(source, homes=(f"{server.url}/nothing", closed_port))
    with pytest.raises(DownloadError) as failure:
        fetch(homes, FILE, cache=tmp_path)
    assert [line for line in str(failure.value).splitlines() if line.startswith("- ")] == [
        f"- {server.url.removeprefix('http://')} answered 404.",
        f"- {closed_port.removeprefix('http://')} could not be reached, or the connection broke.",
    ]


def test_spoiled_file_survives_failure(source: Source, closed_port: str, tmp_path: Path) -> None:
    """A file with another checksum is neither used nor deleted while nothing better comes."""
    path = tmp_path / "some" / FILE
    path.parent.mkdir()
    path.write_bytes(b"mine")
    with pytest.raises(DownloadError):
        fetch(source, FILE, base_url=closed_port, cache=tmp_path)
    assert path.read_bytes() == b"mine"


def test_bad_folder_is_explained(source: Source, server: Mirror, tmp_path: Path) -> None:
    """A folder that cannot be made is named, with the variable that names another."""
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match=r"cannot be written: .* COURSE_DATA\.") as failure:
        fetch(source, FILE, base_url=server.url, cache=tmp_path / "file")
    assert str(tmp_path / "file" / "some") in str(failure.value)


def test_full_disk_is_explained(
    source: Source, server: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: list[float]
) -> None:
    """A disk that fills up is not mistaken for a bad connection, and nothing is tried again."""

    def fill(*_args: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(downloads.PatientDownloader, "_rest", fill)
    with pytest.raises(DownloadError, match="No space left"):
        fetch(source, FILE, base_url=server.url, cache=tmp_path)
    assert quick == []


@pytest.mark.parametrize("address", ["data.example", "ftp://127.0.0.1", "http://", "file:///tmp"])
def test_bad_address_is_refused(source: Source, tmp_path: Path, address: str) -> None:
    """An address that is none is named before anything is tried."""
    with pytest.raises(ValueError, match=r"expected one that begins with http:// or https://"):
        fetch(source, FILE, base_url=address, cache=tmp_path)
    assert left_over(tmp_path) == []


def test_unknown_file_is_refused(source: Source, tmp_path: Path) -> None:
    """A file that is not in the table is never asked for."""
    with pytest.raises(ValueError, match="The set has no file 'other'. It has: some.bin"):
        fetch(source, "other", cache=tmp_path)


def test_bar_shows_progress(source: Source, server: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The bar names the file and ends full, also when the second half came later."""
    server.answers = [half]
    fetch(source, FILE, base_url=server.url, cache=tmp_path)
    drawn = capsys.readouterr().err
    assert f"\r{FILE} [{'#' * 20}] 0.5 of 0.5 MB\n" in drawn
    assert f"[{'#' * 10}{' ' * 10}]" in drawn


def test_bar_can_be_left_out(
    source: Source, server: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without progress, no bar is drawn."""
    fetch(source, FILE, base_url=server.url, cache=tmp_path, progress=False)
    assert "[#" not in capsys.readouterr().err


@pytest.mark.parametrize("key", SOURCES)
def test_table_is_well_formed(key: str) -> None:
    """Each set is kept under its key, has addresses, SHA-256 sums and an alternative that needs no download."""
    source = SOURCES[key]
    assert source.folder == key
    assert all(home.startswith(("https://", "http://")) and not home.endswith("/") for home in source.homes)
    assert source.homes[0].startswith("https://")
    assert all(len(sum_) == 64 and int(sum_, 16) for sums in source.files.values() for sum_ in sums)
    assert "() has " in source.offline
    assert "needs no download" in source.offline


def test_no_pickle_is_downloaded() -> None:
    """CIFAR-10 comes in its binary version."""
    assert list(SOURCES["cifar10"].files) == ["cifar-10-binary.tar.gz"]


def test_data_loads_no_network_code() -> None:
    """Importing the lessons' data loads neither pooch nor requests: only downloading does."""
    code = (
        "import sys, course_lib.data; print([m for m in ('pooch', 'requests', 'torch', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
