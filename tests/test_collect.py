"""From archives to nbgrader's folders: one submission each, nothing elsewhere, nothing lost, nothing guessed."""

from __future__ import annotations

import json
import unicodedata
from datetime import datetime
from pathlib import Path

import pytest
from commands import course_command
from dateutil import tz
from hypothesis import given
from hypothesis import strategies as st
from test_archives import packed

from autograder.collect import ASIDE, Collected, Options, collect
from autograder.copies import timestamp_of
from autograder.folders import CourseError
from autograder.intake import find_submissions
from autograder.roster import Roster, Row

LESSON = "01_xor_mlp"
ROSTER = Roster([Row("ada", "17", "Ada Lovelace"), Row("bob", "18", "Bob Byte"), Row("zoë", "19", "Zoë Berg")])


class Target:
    """A target folder with something beside it that must not change."""

    def __init__(self, root: Path) -> None:
        self.root, self.to = root, root / "run" / "submitted"
        self.to.mkdir(parents=True)
        (root / "precious.txt").write_text("keep")
        self.archives: list[Path] = []

    def archive(self, entries: dict[str, bytes], hour: int = 18) -> Path:
        """One more archive, packed at this hour."""
        path = self.root / f"archive{len(self.archives)}.zip"
        path.write_bytes(packed(entries, lambda info: setattr(info, "date_time", (2026, 1, 31, hour, 30, 0))))
        self.archives.append(path)
        return path

    def collect(self, *entries: dict[str, bytes], roster: Roster | None = None, **options: bool) -> Collected:
        """Collect archives with these entries, each an hour later than the one before."""
        paths = [self.archive(each, 10 + number) for number, each in enumerate(entries)]
        return collect(LESSON, paths, self.to, Options(tz.UTC, roster, **options))

    def files(self) -> dict[str, str]:
        """Every file of the target folder, and a look at what is beside it."""
        beside = {path.name for path in self.root.iterdir()} - {path.name for path in self.archives}
        assert beside == {"run", "precious.txt"}
        assert (self.root / "precious.txt").read_text() == "keep"
        assert [path.name for path in (self.root / "run").iterdir()] == ["submitted"]
        return {str(path.relative_to(self.to)): path.read_text() for path in self.to.rglob("*") if path.is_file()}

    def notebooks(self) -> dict[str, str]:
        """Learner to content, in nbgrader's layout."""
        return {name.split("/")[0]: text for name, text in self.files().items() if name.endswith(f"/{LESSON}.ipynb")}


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """An empty target folder."""
    return Target(tmp_path)


def reasons(collected: Collected) -> dict[str, str]:
    """Why by entry."""
    return {item.entry: item.why for item in collected.left_out}


@pytest.mark.parametrize(
    "entries",
    [
        {"Ada Lovelace_501_assignsubmission_file_/w.ipynb": b"a", "Bob Byte_502_assignsubmission_file_/x.ipynb": b"b"},
        {"lovelaceada_17_900_w.ipynb": b"a", "bytebob_LATE_18_901_x-1.ipynb": b"b"},
        {"ada/w.ipynb": b"a", f"bob/{LESSON}/x.ipynb": b"b"},
        {"ada/w.zip": packed({"a/w.ipynb": b"a"}), "bytebob_18_9_x.zip": packed({"x.ipynb": b"b"})},
    ],
    ids=["moodle", "canvas", "plain", "nested"],
)  # fmt: skip
def test_each_platform_ends_in_nbgraders_layout(entries: dict[str, bytes], target: Target) -> None:
    """Grading finds what every kind of archive held."""
    collected = target.collect(entries, roster=ROSTER)
    assert collected.refused == 0
    assert target.notebooks() == {"ada": "a", "bob": "b"}
    found = find_submissions(target.to, LESSON)
    assert [(entry.learner, entry.path, entry.problem) for entry in found] == [
        (who, target.to / who / LESSON / f"{LESSON}.ipynb", "") for who in ("ada", "bob")
    ]


def test_without_a_roster_the_platforms_own_words_are_ids(target: Target) -> None:
    """Moodle's name, Canvas's number, the folder of a plain archive."""
    moodle = "Ada Lovelace_501_assignsubmission_file_/w.ipynb"
    target.collect({moodle: b"a", "doejane_17_900_w.ipynb": b"b", "eve/w.ipynb": b"c"})
    assert target.notebooks() == {"Ada Lovelace": "a", "17": "b", "eve": "c"}


def test_times_are_written_as_nbgrader_reads_them(target: Target) -> None:
    """The archive's time in the given zone, as UTC; on request none."""
    path = target.archive({"ada/w.ipynb": b"a"})
    collect(LESSON, [path], target.to, Options(tz.gettz("Europe/Paris")))
    assert timestamp_of(target.to / "ada" / LESSON)[1] == datetime(2026, 1, 31, 17, 30)
    target.collect({"bob/w.ipynb": b"b"}, times=False)
    assert timestamp_of(target.to / "bob" / LESSON) == ("", None)


def test_canvas_times_are_not_believed(target: Target) -> None:
    """Canvas packs everything at once: no time is written, and late ones are named."""
    collected = target.collect({"doejane_17_900_w.ipynb": b"a", "byte_LATE_18_901_w.ipynb": b"b"})
    assert [(one.learner, one.handed_in, "not since when" in one.note) for one in collected.taken] == [
        ("17", "", False), ("18", "", True),
    ]  # fmt: skip
    assert not [name for name in target.files() if name.endswith(".txt")]


def test_the_newest_of_two_submissions_wins(target: Target) -> None:
    """By time, and in Canvas by upload, whatever the order of entries and archives; the other is named."""
    later, sooner = target.archive({"ada/w.ipynb": b"new"}, 12), target.archive({"ada/w.ipynb": b"old"}, 11)
    collected = collect(LESSON, [later, sooner], target.to, Options(tz.UTC))
    assert [(item.archive, item.refused) for item in collected.left_out] == [(str(sooner), False)]
    assert "handed in again" in collected.left_out[0].why
    target.collect({"doe_17_901_w-1.ipynb": b"new", "doe_17_900_w.ipynb": b"old"})
    assert target.notebooks() == {"ada": "new", "17": "new"}


def test_the_notebook_of_the_lesson_wins_over_scratch(target: Target) -> None:
    """Of what was handed in together the one with the lesson's name counts, with the platform's number or without."""
    collected = target.collect({f"doe_17_900_{LESSON}-2.ipynb": b"right", "doe_17_901_scratch.ipynb": b"x"})
    assert target.notebooks() == {"17": "right"}
    assert [(item.entry, item.refused) for item in collected.left_out] == [("doe_17_901_scratch.ipynb", False)]


def test_several_notebooks_of_one_time_need_a_person(target: Target) -> None:
    """Neither is taken; two copies of the same are one."""
    collected = target.collect({"ada/a.ipynb": b"1", "ada/b.ipynb": b"2", "bob/a.ipynb": b"3", "bob/b.ipynb": b"3"})
    assert target.notebooks() == {"bob": "3"}
    assert collected.refused == 2
    assert "several notebooks of the same time (ada/a.ipynb, ada/b.ipynb)" in reasons(collected)["ada/a.ipynb"]


@pytest.mark.parametrize("other", ["Ada", "ADA", "\uff41da"])
def test_ids_that_differ_in_case_are_not_mixed_up(other: str, target: Target) -> None:
    """On many disks these are the same folder: neither is taken, whether both come now or one is there."""
    collected = target.collect({"ada/x.ipynb": b"1", f"{other}/x.ipynb": b"2", "bob/x.ipynb": b"3"})
    assert target.notebooks() == {"bob": "3"}
    assert all("in case or spelling" in why for why in reasons(collected).values())
    target.collect({"ada/x.ipynb": b"1"})
    collected = target.collect({f"{other}/x.ipynb": b"2"})
    assert "is there already" in reasons(collected)[f"{other}/x.ipynb"]
    assert target.notebooks() == {"ada": "1", "bob": "3"}


def test_accents_in_two_spellings_collide(target: Target) -> None:
    """The same name composed and decomposed is two learners or one: a person decides, or the roster."""
    entries = {f"{unicodedata.normalize(form, 'zoë')}/x.ipynb": form.encode() for form in ("NFC", "NFD")}
    assert target.collect(entries).refused == 2
    assert target.notebooks() == {}
    decomposed = {name: content for name, content in entries.items() if content == b"NFD"}
    target.collect(decomposed, roster=ROSTER)
    assert target.notebooks() == {"zoë": "NFD"}


def test_people_of_one_name_are_not_mixed_up(target: Target) -> None:
    """Anonymous downloads of Moodle call everybody the same; a number of Canvas has one name."""
    entries = {f"Participant_{number}_assignsubmission_file_/x.ipynb": b"%d" % number for number in (1, 2)}
    entries |= {"doe_17_900_x.ipynb": b"3", "mallory_17_901_x.ipynb": b"4"}
    collected = target.collect(entries)
    assert (target.notebooks(), collected.refused) == ({}, 4)
    assert all("Several people here would be" in why for why in reasons(collected).values())


def test_two_kinds_of_archive_are_not_compared(target: Target) -> None:
    """Canvas's numbers and a time say nothing about each other."""
    collected = target.collect({"lovelaceada_17_900_x.ipynb": b"1"}, {"ada/x.ipynb": b"2"}, roster=ROSTER)
    assert (target.notebooks(), collected.refused) == ({}, 2)


def test_who_is_not_in_the_roster_is_refused(target: Target) -> None:
    """The others go on."""
    collected = target.collect({"eve/x.ipynb": b"1", "ada/x.ipynb": b"2"}, roster=ROSTER)
    assert target.notebooks() == {"ada": "2"}
    assert "eve is not in the roster" in reasons(collected)["eve/x.ipynb"]


def test_what_names_nobody_is_refused(target: Target) -> None:
    """A notebook at the top, or too deep, is nobody's; hidden ids are none."""
    collected = target.collect({"x.ipynb": b"1", "a/b/c/x.ipynb": b"2", "ada .ipynb/x.ipynb": b"3"})
    assert (target.files(), collected.refused) == ({}, 3)


def test_a_broken_archive_stops_nobody(target: Target) -> None:
    """It gets a sentence, and so does one that is not there."""
    broken = target.archive({})
    broken.write_bytes(b"no archive")
    missing = target.root / "missing.zip"
    collected = collect(LESSON, [broken, missing, target.archive({"ada/x.ipynb": b"1"})], target.to, Options(tz.UTC))
    assert target.notebooks() == {"ada": "1"}
    assert [(item.archive, item.entry, item.refused) for item in collected.left_out] == [
        (str(broken), "", True), (str(missing), "", True),
    ]  # fmt: skip


def test_collecting_again_changes_nothing(target: Target) -> None:
    """The same archives a second time: every submission is unchanged, every file as it was."""
    entries = {"ada/x.ipynb": b"1", "bob/x.ipynb": b"2"}
    target.collect(entries)
    before = target.files()
    collected = target.collect(entries, replace=True)
    assert [one.action for one in collected.taken] == ["unchanged", "unchanged"]
    assert target.files() == before


def test_what_is_there_is_refused_or_kept_aside(target: Target) -> None:
    """Without --replace it stays; with it, every file that was there can still be found, each time."""
    folder = target.to / "ada" / LESSON
    folder.mkdir(parents=True)
    for name, text in ((f"{LESSON}.ipynb", "old"), ("timestamp.txt", "2026-01-01 10:00:00 UTC"), ("notes.txt", "mine")):
        (folder / name).write_text(text)
    before = target.files()
    collected = target.collect({"ada/x.ipynb": b"new"})
    assert "--replace" in reasons(collected)["ada/x.ipynb"]
    assert target.files() == before
    target.collect({"ada/x.ipynb": b"new"}, replace=True)
    target.collect({"ada/x.ipynb": b"newest"}, replace=True)
    assert (folder / f"{LESSON}.ipynb").read_text() == "newest"
    aside = {name: text for name, text in target.files().items() if name.startswith(ASIDE)}
    kept = {f"{ASIDE}/ada/{LESSON}-1/{Path(name).name}": text for name, text in before.items()}
    assert aside.items() >= kept.items()
    assert aside[f"{ASIDE}/ada/{LESSON}-2/{LESSON}.ipynb"] == "new"
    assert [entry.learner for entry in find_submissions(target.to, LESSON)] == ["ada"]


@pytest.mark.parametrize("place", ["ada", f"ada/{LESSON}", f"{ASIDE}/ada"])
def test_links_in_the_target_are_not_followed(place: str, target: Target, tmp_path: Path) -> None:
    """A link where a submission would go is in the way, wherever it leads."""
    outside = tmp_path / "run" / "submitted" / "elsewhere"
    outside.mkdir()
    (target.to / place).parent.mkdir(parents=True, exist_ok=True)
    (target.to / place).symlink_to(outside, target_is_directory=True)
    collected = target.collect({"ada/x.ipynb": b"1"}, replace=True)
    assert "is in the way" in reasons(collected)["ada/x.ipynb"]
    assert list(outside.iterdir()) == []


def test_a_target_that_is_no_folder_gets_a_sentence(target: Target) -> None:
    """A file, or a link for what is kept aside."""
    with pytest.raises(CourseError, match="is in the way"):
        collect(LESSON, [], target.root / "precious.txt", Options(tz.UTC))
    (target.to / ASIDE).symlink_to(target.root, target_is_directory=True)
    with pytest.raises(CourseError, match="is in the way"):
        collect(LESSON, [], target.to, Options(tz.UTC))


def test_a_dry_run_writes_nothing(target: Target) -> None:
    """It says the same as the run that follows, and the target folder is as it was, even if it was not there."""
    target.to.rmdir()
    entries = {"ada/x.ipynb": b"1", "../x.ipynb": b"2"}
    planned = target.collect(entries, dry_run=True)
    assert not target.to.exists()
    done = target.collect(entries)
    assert [one.action for one in planned.taken] == [one.action for one in done.taken] == ["new"]
    assert reasons(planned) == reasons(done)


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12) | st.sampled_from(
    ["..", "a\\b", "C:", "ada", "Ada"]
)


@given(st.lists(st.tuples(NAMES, NAMES), max_size=4))
def test_any_names_leave_the_rest_alone(tmp_path_factory: pytest.TempPathFactory, names: list[tuple[str, str]]) -> None:
    """Whatever an archive calls its files: nothing but whole submissions appears, and only in the target folder."""
    target = Target(tmp_path_factory.mktemp("names"))
    collected = target.collect({f"{who}/{what}.ipynb": f"{who}/{what}".encode() for who, what in names})
    allowed = {
        f"{one.learner}/{LESSON}/{name}" for one in collected.taken for name in (f"{LESSON}.ipynb", "timestamp.txt")
    }
    assert set(target.files()) == allowed


@pytest.fixture
def course_root(tmp_path: Path) -> Path:
    """The least that a command takes for a course."""
    (tmp_path / "solutions").mkdir()
    (tmp_path / "nbgrader_config.py").touch()
    return tmp_path


def test_the_command_collects_and_says_what_it_did(course_root: Path) -> None:
    """Tables for people, documented JSON for programs, exit code 1 while something is refused."""
    (course_root / "x.zip").write_bytes(
        packed({"Ada Lovelace_5_assignsubmission_file_/x.ipynb": b"1", "y.ipynb": b"2"})
    )
    (course_root / "good.zip").write_bytes(packed({"bob/x.ipynb": b"1"}))
    (course_root / "roster.csv").write_text("learner,name\nada,Ada Lovelace\nbob,Bob Byte\n")
    options = ("--roster", "roster.csv", "--time-zone", "Europe/Paris")
    planned = course_command(course_root, "collect", LESSON, "x.zip", "good.zip", "--dry-run", *options)
    assert (planned.returncode, "failures: 1" in planned.stderr) == (1, True)
    assert "2 new, 0 replaced, 0 unchanged, 1 refused. Nothing was written" in planned.stdout
    assert not (course_root / "run").exists()
    done = json.loads(course_command(course_root, "collect", LESSON, "x.zip", "good.zip", "--json", *options).stdout)
    assert set(done) == {"lesson", "dry_run", "taken", "left_out"}
    assert [set(one) for one in done["taken"]] == [{"learner", "archive", "entry", "action", "handed_in", "note"}] * 2
    assert [set(one) for one in done["left_out"]] == [{"archive", "entry", "why", "refused"}]
    assert done["taken"][0]["handed_in"] == "2026-01-31 17:30:00 UTC"
    assert (course_root / "run" / "submitted" / "ada" / LESSON / f"{LESSON}.ipynb").exists()
    again = course_command(course_root, "collect", LESSON, "good.zip", *options)
    assert again.returncode == 0, again.stderr
    assert "unchanged" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("01_xor_mpl", "x.zip"), "Did you mean 01_xor_mlp?"),
        ((LESSON,), "ARCHIVE"),
        ((LESSON, "x.zip", "--roster", "nowhere.csv"), "cannot be read as a roster"),
        ((LESSON, "x.zip", "--time-zone", "Atlantis"), "'Atlantis' is no time zone"),
        ((LESSON, "x.zip", "--to", "nbgrader_config.py"), "is in the way"),
        ((LESSON, "x.zip", "--to", "nbgrader_config.py/below"), "nbgrader_config.py/below cannot be used"),
    ],
)
def test_bad_input_gets_a_sentence(arguments: tuple[str, ...], words: str, course_root: Path) -> None:
    """Exit code 2 and what to do; no traceback."""
    done = course_command(course_root, "collect", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
