"""The doctor notices every missing wall, and only that one."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import fields, replace
from pathlib import Path

import pytest
from sandbox_help import make_view

from autograder import doctor
from autograder.doctor import PROBES, run_doctor
from autograder.sandbox import job, pool, seccomp
from autograder.sandbox.walls import WALLS, Walls

ROOT = Path(__file__).resolve().parents[1]
NAMES = [field.name for field in fields(Walls)]


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course view with the modules that the worker itself needs."""
    return make_view(tmp_path_factory.mktemp("doctor"))


def test_every_wall_has_one_probe() -> None:
    """The doctor tries each wall of the table once, in the table's order."""
    assert [wall for wall, *_ in PROBES] == NAMES


def test_all_walls_stand(view: Path) -> None:
    """On a computer that can grade, every wall is found standing."""
    assert [check for check in run_doctor(view) if check.state != "ok"] == []


@pytest.mark.parametrize("wall", NAMES)
def test_missing_wall_is_named(wall: str, view: Path) -> None:
    """With one wall removed, that one is missing, with a remedy, and all others are found standing."""
    checks = run_doctor(view, replace(WALLS, **{wall: False}))
    assert {check.name: check.state for check in checks if check.state != "ok"} == {wall.replace("_", " "): "missing"}
    assert all(check.remedy for check in checks if check.state != "ok")


def test_doctor_clears_up(view: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted files and variables are gone afterwards."""
    monkeypatch.setenv("HOME", str(tmp_path))
    before = set(os.environ)
    run_doctor(view)
    assert set(os.environ) == before
    assert [
        path for folder in (tmp_path, view.parent, ROOT / "autograder") for path in folder.glob(".course-doctor-*")
    ] == []


def test_missing_bubblewrap_has_a_remedy(view: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without bubblewrap every wall is missing, and what to install is said."""
    monkeypatch.setattr(pool.shutil, "which", lambda _: None)
    checks = run_doctor(view)
    assert [check.name.replace(" ", "_") for check in checks] == NAMES
    assert {(check.state, check.remedy) for check in checks} == {("missing", "Run `apt-get install bubblewrap`.")}


def test_unknown_processor_is_refused(view: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a processor whose system calls nobody listed, every wall is missing."""
    monkeypatch.setattr(seccomp.platform, "machine", lambda: "riscv64")
    checks = run_doctor(view)
    assert Counter(check.state for check in checks) == {"missing": len(NAMES)}
    assert "x86_64 or aarch64" in checks[0].remedy


def test_view_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    """A folder that is no view gives a sentence, no traceback."""
    assert {check.state for check in run_doctor(tmp_path)} == {"missing"}


def test_failed_attempt_is_unknown(view: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt that cannot be made says nothing about its wall, and is not passed off as a success."""

    def fail(_patient: doctor.Patient) -> None:
        raise job.Stopped("crashed")

    monkeypatch.setattr(doctor, "PROBES", (("files", "", "", fail),))
    checks = run_doctor(view)
    assert [(check.name, check.state) for check in checks] == [("files", "unknown")]
    assert checks[0].remedy
