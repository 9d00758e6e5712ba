"""Archives that nobody trusts: every entry becomes a copy under a name of ours, or a sentence; nothing else happens."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import archives, submission
from autograder.archives import Archives, Found, LeftOut, refuse_unsafe

Entries = dict[str, bytes]


def packed(entries: Entries, change: Callable[[zipfile.ZipInfo], None] = lambda info: None) -> bytes:
    """An archive with these entries, each handed in on 31 January."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            info = zipfile.ZipInfo("x", (2026, 1, 31, 18, 30, 0))
            info.filename, info.compress_type = name, zipfile.ZIP_DEFLATED
            change(info)
            archive.writestr(info, content)
    return stream.getvalue()


def read(folder: Path, content: bytes, zone: str = "UTC") -> tuple[dict[str, str], dict[str, str]]:
    """Read an archive: content by place, and why by place."""
    from dateutil import tz

    folder.mkdir(exist_ok=True)
    path, work = folder / "x.zip", folder / "work"
    path.write_bytes(content)
    work.mkdir()
    items = list(Archives(work, tz.gettz(zone)).read(path))
    found = {item.shown: item.content.read_text() for item in items if isinstance(item, Found)}
    assert {path.read_text() for path in work.iterdir()} == set(found.values()), "copies of what was refused are left"
    assert {child.name for child in folder.iterdir()} == {"x.zip", "work"}, "something was written elsewhere"
    return found, {item.entry: item.why for item in items if isinstance(item, LeftOut)}


def test_a_file_limit_is_that_of_the_reader() -> None:
    """What would be refused later is refused now, and nothing else."""
    assert archives.MAX_FILE_BYTES == submission.MAX_FILE_BYTES


@pytest.mark.parametrize(
    "name",
    ["../x.ipynb", "a/../../x.ipynb", "/x.ipynb", "a//x.ipynb", "./x.ipynb", "C:/x.ipynb", "c:x.ipynb", "a\\x.ipynb",
     "..\\x.ipynb", "\\\\host\\x.ipynb", "..", "a/.."],
)  # fmt: skip
def test_names_that_climb_are_refused(name: str, tmp_path: Path) -> None:
    """Such an entry is not read, the others are, and nothing lies outside the folder."""
    found, why = read(tmp_path / "a", packed({name: b"evil", "ada/x.ipynb": b"good"}))
    assert found == {"ada/x.ipynb": "good"}
    assert "another folder" in why[name]


@pytest.mark.parametrize("name", ["a\0/x.ipynb", "a/\x1b[2J.ipynb", "a/\u202excod.ipynb", "a/x\n.ipynb"])
def test_names_that_cannot_be_shown_are_refused(name: str, tmp_path: Path) -> None:
    """Control characters would reach the terminal, and a NUL would cut the name; the sentence has neither."""
    found, why = read(tmp_path / "a", packed({name: b"evil"}))
    assert found == {}
    ((entry, said),) = why.items()
    assert "cannot be shown" in said
    assert entry.isprintable()


@given(st.text(max_size=20))
def test_no_name_that_is_let_through_leads_elsewhere(name: str) -> None:
    """Whatever passes stays below the folder that it would be put in, on any system."""
    try:
        refuse_unsafe(name)
    except archives._Refused:
        return
    assert Path("/top", name).resolve().is_relative_to("/top/")
    assert "\\" not in name
    assert name[1:2] != ":" or not name[0].isascii() or not name[0].isalpha()
    assert "\0" not in name


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_links_and_devices_are_refused(kind: int, tmp_path: Path) -> None:
    """Only files and folders are taken."""

    def change(info: zipfile.ZipInfo) -> None:
        info.external_attr, info.create_system = (kind | 0o777) << 16, 3

    found, why = read(tmp_path / "a", packed({"ada/x.ipynb": b"/etc/passwd"}, change))
    assert (found, list(why)) == ({}, ["ada/x.ipynb"])
    assert "symbolic link or a special file" in why["ada/x.ipynb"]


def test_a_bomb_is_stopped_while_it_expands(tmp_path: Path) -> None:
    """64 MB of zeros in 64 kB: the entry is refused, its neighbour taken."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("eve/x.ipynb", "w") as entry:
            for _ in range(64):
                entry.write(bytes(1 << 20))
        archive.writestr("ada/x.ipynb", "good")
    found, why = read(tmp_path / "a", stream.getvalue())
    assert found == {"ada/x.ipynb": "good"}
    assert "more than 200 times" in why["eve/x.ipynb"]


def test_a_header_that_lies_about_the_size_is_not_believed(tmp_path: Path) -> None:
    """A bomb that claims to be a few bytes, and one that claims to be compressed badly, are refused."""
    content = packed({"eve/x.ipynb": bytes(40 << 20)})
    place = content.index(b"PK\x01\x02")
    small = bytearray(content)
    small[place + 24 : place + 28] = struct.pack("<I", 10)
    found, why = read(tmp_path / "small", bytes(small))
    assert found == {}
    assert "damaged" in why["eve/x.ipynb"]
    large = bytearray(content)
    large[place + 20 : place + 24] = struct.pack("<I", 30 << 20)
    found, why = read(tmp_path / "large", bytes(large))
    assert (found, list(why)) == ({}, [""])
    assert "claim more bytes than the archive has" in why[""]


def test_entries_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    """A small archive whose many entries all point at the same bytes expands without end; it is not begun."""
    content = packed({"ada/x.ipynb": bytes(range(256)) * 8})
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    entry, last = content[start:end], bytearray(content[end:])
    last[8:12] = struct.pack("<HH", 50, 50)
    last[12:16] = struct.pack("<I", 50 * len(entry))
    found, why = read(tmp_path / "a", content[:start] + entry * 50 + bytes(last))
    assert (found, list(why)) == ({}, [""])
    assert "claim more bytes than the archive has" in why[""]


def test_all_limits_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file, all files together, the number of entries: each limit has its sentence."""
    monkeypatch.setattr(archives, "MAX_FILE_BYTES", 1000)
    assert "larger than" in read(tmp_path / "a", packed({"ada/x.ipynb": b"x" * 1001}))[1]["ada/x.ipynb"]
    assert read(tmp_path / "b", packed({"ada/x.ipynb": b"x" * 1000}))[1] == {}
    monkeypatch.setattr(archives, "MAX_TOTAL_BYTES", 1500)
    found, why = read(tmp_path / "c", packed({f"{who}/x.ipynb": who.encode() * 1000 for who in "abc"}))
    assert list(found) == ["a/x.ipynb"]
    assert "The rest was not read" in why[""]
    monkeypatch.setattr(archives, "MAX_ENTRIES", 4)
    found, why = read(tmp_path / "d", packed({f"{n}/x.ipynb": b"" for n in range(5)}))
    assert (found, list(why)) == ({}, [""])
    assert "more than 4 entries" in why[""]


def test_a_directory_that_claims_to_be_huge_is_not_loaded(tmp_path: Path) -> None:
    """`zipfile` reads as much as the last record says; what an archive of so many entries cannot need is refused."""
    content = bytearray(packed({"ada/x.ipynb": b""}) + bytes(20 << 20))
    end = packed({})[-22:]
    content += end[:12] + struct.pack("<II", 20 << 20, len(content) - (20 << 20)) + end[20:]
    found, why = read(tmp_path / "a", bytes(content))
    assert (found, list(why)) == ({}, [""])
    assert "more than 20000 entries" in why[""]


def test_encrypted_and_unknown_methods_are_refused(tmp_path: Path) -> None:
    """A password and methods that expand without bounds each get a sentence."""
    content = bytearray(packed({"ada/x.ipynb": b"x"}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in read(tmp_path / "a", bytes(content))[1]["ada/x.ipynb"]

    def change(info: zipfile.ZipInfo) -> None:
        info.compress_type = zipfile.ZIP_LZMA

    assert "method 14" in read(tmp_path / "b", packed({"ada/x.ipynb": b"x"}, change))[1]["ada/x.ipynb"]


@pytest.mark.parametrize("name", ["a/x.txt", "a/x.py", "a/timestamp.txt", "a/.x.ipynb", "__MACOSX/a/._x.ipynb",
                                  "a/.ipynb_checkpoints/x.ipynb", "a/x.ipynb.exe", "a/x"])  # fmt: skip
def test_foreign_names_are_listed_and_left_out(name: str, tmp_path: Path) -> None:
    """They are no reason for alarm, but nobody has to wonder where they went."""
    path = tmp_path / "x.zip"
    path.write_bytes(packed({name: b"x"}))
    (item,) = Archives(tmp_path, UTC).read(path)
    assert (item.entry, item.why, item.refused) == (name, "It is no notebook (.ipynb).", False)


def test_an_archive_that_was_handed_in_is_opened_once(tmp_path: Path) -> None:
    """Notebooks in it are found, under the same rules; a third level is not opened."""
    inside = packed({"w/x.ipynb": b"one", "../y.ipynb": b"evil", "z.zip": packed({"q.ipynb": b"deep"})})
    found, why = read(tmp_path / "a", packed({"ada/work.zip": inside, "eve/w.zip": b"no zip", "joe/w.ZIP": packed({})}))
    assert found == {"ada/work.zip/w/x.ipynb": "one"}
    assert "another folder" in why["ada/work.zip/../y.ipynb"]
    assert "inside an archive" in why["ada/work.zip/z.zip"]
    assert "damaged" in why["eve/w.zip"]
    assert "no notebook in it" in why["joe/w.ZIP"]


def test_times_are_in_utc(tmp_path: Path) -> None:
    """A time without a zone is in the zone that was given; the time in an extra field is UTC already; 1980 is none."""

    def extra(info: zipfile.ZipInfo) -> None:
        info.extra = struct.pack("<HHBi", 0x5455, 5, 1, 1_700_000_000)

    def none(info: zipfile.ZipInfo) -> None:
        info.date_time = (1980, 1, 1, 0, 0, 0)

    from dateutil import tz

    times = []
    for change in (lambda info: None, extra, none):
        path = tmp_path / "x.zip"
        path.write_bytes(packed({"ada/x.ipynb": b"x", "bob/w.zip": packed({"y.ipynb": b"y"}, extra)}, change))
        times.append([item.when for item in Archives(Path(str(tmp_path)), tz.gettz("Europe/Paris")).read(path)])
        for copy in tmp_path.glob("[0-9]*"):
            copy.unlink()
    half_past_five, then = datetime(2026, 1, 31, 17, 30), datetime(2023, 11, 14, 22, 13, 20)
    # The inner archive's own time is the learner's claim; the outer one counts.
    assert times == [[half_past_five] * 2, [then] * 2, [None] * 2]


def test_trouble_with_the_disk_is_not_the_archives(tmp_path: Path) -> None:
    """A copy that cannot be written is told as that; an archive that cannot be opened gets its sentence."""
    path = tmp_path / "x.zip"
    path.write_bytes(packed({"ada/x.ipynb": b"x"}))
    with pytest.raises(FileNotFoundError):
        list(Archives(tmp_path / "gone", UTC).read(path))
    (item,) = Archives(tmp_path, UTC).read(tmp_path)
    assert isinstance(item, LeftOut)
    assert "cannot be opened as a zip archive (Is a directory)" in item.why


def test_accents_survive_a_forgotten_flag(tmp_path: Path) -> None:
    """A program that writes UTF-8 without saying so does not turn a name into another."""
    content = packed({"zoë/x.ipynb": b"x"})
    assert list(read(tmp_path / "a", content)[0]) == ["zoë/x.ipynb"]
    unsaid = bytearray(content)
    for mark, place in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        unsaid[unsaid.index(mark) + place] &= ~0x08
    assert list(read(tmp_path / "b", bytes(unsaid))[0]) == ["zoë/x.ipynb"]


@given(st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_damage_gets_a_sentence(tmp_path_factory: pytest.TempPathFactory, place: int, noise: bytes) -> None:
    """An archive with bytes changed anywhere never raises, and what is read of it is what was packed."""
    content = bytearray(packed({"ada/x.ipynb": b"good", "bob/w.zip": packed({"y.ipynb": b"fine"})}))
    content[place % len(content) : place % len(content) + len(noise)] = noise
    found, why = read(tmp_path_factory.mktemp("damage") / "a", bytes(content))
    assert set(found.values()) <= {"good", "fine"}
    assert all(why.values())
