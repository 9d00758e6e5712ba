"""nbgrader's own commands on this course: same verdicts by configuration, whatever a submission holds."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import tiny_course as tiny
from tiny_course import LESSON_ID, OPEN

from autograder.gradebook import LearnerScore, read_scores
from autograder.release import load_config

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning",
    "ignore::ResourceWarning",
    "ignore:Object of type",  # nbgrader's add_submission, under SQLAlchemy 2
)

TOKEN = "for-this-test"
EVIL = (
    "<script>alert('learner')</script><img src=x onerror=alert(1)> [x](javascript:alert(1)) ![t](http://evil.example)"
)


def _hostile(root: Path) -> dict[str, Any]:
    """Everything that gives full marks, or stops the batch, in a stock nbgrader; no answer is right."""
    notebook = tiny.answered(root, [], EVIL)
    check = tiny.cell(notebook, "check_double")
    check["metadata"]["tags"] = ["skip-execution"]
    check["metadata"]["nbgrader"].update(schema_version=99, points=1000)
    check["outputs"] = [
        {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": {"text/plain": "nan"}},
        {"output_type": "display_data", "metadata": {}, "data": {"text/html": EVIL, "image/svg+xml": EVIL}},
    ]
    tiny.cell(notebook, "check_square")["metadata"]["nbgrader"]["schema_version"] = 1
    notebook["cells"] += [
        json.loads(json.dumps(check)),
        {"cell_type": "markdown", "metadata": {"x": EVIL}, "source": EVIL, "attachments": {"a": {"text/html": EVIL}}},
        {"cell_type": "raw", "metadata": {"raw_mimetype": "text/html"}, "source": EVIL},
        {"cell_type": "code", "metadata": {}, "source": f"print({EVIL!r})", "outputs": check["outputs"]},
    ]
    notebook["metadata"]["kernelspec"] = {"name": "evil", "display_name": EVIL, "language": "R"}
    return notebook


def _class(root: Path) -> None:
    good = tiny.answered(root, tiny.POINTS, "Because it grows.")
    ada = tiny.hand_in(root, "ada", good).parent
    (ada / "timestamp.txt").write_text("2026-01-31 11:00:00.000000 UTC")
    (ada / "submission_secret.txt").write_text("0123456789abcdef")
    tiny.hand_in(root, "ben", tiny.answered(root, ["double"]))
    tiny.hand_in(root, "eve", _hostile(root))
    tiny.hand_in(root, "cut", json.dumps(good)[:1500])
    tiny.hand_in(root, "empty", "")
    tiny.hand_in(root, "deep", '{"cells": ' + "[" * 100_000)
    stripped = tiny.answered(root, tiny.POINTS)
    stripped["cells"] = [tiny.cell(stripped, "double")]
    tiny.hand_in(root, "bare", stripped)
    tiny.hand_in(root, "link", "").unlink()
    secret = root / "run" / "secret"
    secret.write_text("the secret of the course")
    folder = root / "run" / "submitted" / "link" / LESSON_ID
    (folder / f"{LESSON_ID}.ipynb").symlink_to(root / "solutions" / LESSON_ID / f"{LESSON_ID}.ipynb")
    (folder / "stolen.txt").symlink_to(secret)
    (folder / "submission_secret.txt").symlink_to(secret)
    (folder / "numpy.py").write_text("raise SystemExit")


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A class graded by `nbgrader autograde`, and what the command said."""
    root = tiny.copy_course(tmp_path_factory.mktemp("seam") / "course")
    _class(root)
    return root, tiny.nbgrader(root, "autograde", LESSON_ID)


def scores(root: Path) -> dict[str, LearnerScore]:
    """The gradebook by learner."""
    return {score.learner: score for score in read_scores(f"sqlite:///{root}/run/gradebook.db", LESSON_ID)}


def autograded(root: Path, learner: str) -> dict[str, Any]:
    """The copy that a marker opens."""
    return json.loads((root / "run" / "autograded" / learner / LESSON_ID / f"{LESSON_ID}.ipynb").read_text())


def test_nobody_stops_the_batch(graded: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """Every submission of the class has a copy and rows, and the command ends well."""
    root, done = graded
    assert done.returncode == 0, done.stderr
    learners = {path.name for path in (root / "run" / "submitted").iterdir()}
    assert set(scores(root)) == learners
    assert {path.name for path in (root / "run" / "autograded").iterdir()} == learners


@pytest.mark.parametrize(
    ("learner", "points"),
    [("ada", 6), ("ben", 2), ("eve", 0), ("cut", 5), ("empty", 0), ("deep", 0), ("bare", 2), ("link", 0)],
)
def test_scores_are_the_judges_and_nobody_elses(
    graded: tuple[Path, subprocess.CompletedProcess[str]], learner: str, points: float
) -> None:
    """Outputs, tags, edited points, other schema versions, duplicates and damage earn nothing and cost nothing."""
    root, _ = graded
    score = scores(root)[learner]
    assert sum(cell.auto or 0.0 for cell in score.cells.values()) == points
    assert [cell.max_points for cell in score.cells.values()] == [2.0, 3.0, 1.0, 3.0]


def test_unreadable_files_wait_for_a_person(graded: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """A zero that nobody decided is flagged, and so is an open answer; a readable one without an answer is not."""
    root, _ = graded
    waits = {learner for learner, score in scores(root).items() if score.needs_a_person}
    assert waits == {"ada", "eve", "cut", "empty", "deep", "bare", "link"}


def test_copies_hold_verdicts_and_no_other_output(graded: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """What the learner's file displayed is gone; what the judge said stands in its place."""
    root, _ = graded
    for learner in ("ada", "eve"):
        copy = autograded(root, learner)
        outputs = [o for c in copy["cells"] for o in c.get("outputs", [])]
        assert [o["output_type"] for o in outputs] == ["stream"] * 3
        assert copy["metadata"] == tiny.released(root)["metadata"]
    assert "correct: 2 of 2 points" in "".join(tiny.cell(autograded(root, "ada"), "check_double")["outputs"][0]["text"])
    assert "attachments" not in json.dumps(autograded(root, "eve"))


def test_no_other_file_of_a_submission_is_copied(graded: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """nbgrader would follow the link and give its target back with the feedback."""
    root, _ = graded
    files = {path.name for path in (root / "run" / "autograded").rglob("*") if path.is_file()}
    assert files == {f"{LESSON_ID}.ipynb", "timestamp.txt"}
    assert "def double" not in "".join(tiny.cell(autograded(root, "link"), "double")["source"])


class Page(HTMLParser):
    """Scripts, handlers and places that a page mentions."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.inside = ""
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a browser would act on."""
        self.inside = tag
        self.found += [f"{name}={value}" for name, value in attrs if name.startswith("on")]
        self.found += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        """Note scripts."""
        if self.inside == "script":
            self.found.append(data)

    def handle_endtag(self, tag: str) -> None:
        """Leave a tag."""
        self.inside = ""


def assert_no_trace_of_eve(html: str) -> None:
    """Nothing that eve wrote is anything but text."""
    assert "evil.example" in html, "the page does not show the submission at all"
    acted_on = [
        text for text in Page(html).found if not text.startswith(("http://evil.example", "https://evil.example"))
    ]
    assert not [text for text in acted_on if "alert(" in text or "learner')" in text or "evil.example" in text]
    assert "<img src=x" not in html


def test_nbgraders_feedback_shows_no_script_of_a_learner(
    graded: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    """`nbgrader generate_feedback` works on our copies, the pages are harmless, and the exchange's files are there."""
    root, _ = graded
    done = tiny.nbgrader(root, "generate_feedback", LESSON_ID)
    assert done.returncode == 0, done.stderr
    pages = {path.parent.parent.name: path for path in (root / "run" / "feedback").rglob("*.html")}
    assert set(pages) == set(scores(root))
    html = pages["eve"].read_text()
    assert_no_trace_of_eve(html)
    assert "Wrong values. Look at double again." in html
    assert "Score: 2.0 / 2.0" in pages["ben"].read_text()
    beside = {path.relative_to(root / "run" / "feedback") for path in (root / "run" / "feedback").rglob("*.txt")}
    assert beside == {Path("ada", LESSON_ID, name) for name in ("timestamp.txt", "submission_secret.txt")}


@pytest.fixture(scope="module")
def formgrader(graded: tuple[Path, subprocess.CompletedProcess[str]]) -> Iterator[tuple[Path, str]]:
    """A Jupyter server with formgrader on the graded class; its address."""
    root, _ = graded
    runtime = root / "run" / "jupyter"
    options = [f"--ServerApp.token={TOKEN}", "--ServerApp.open_browser=False", "--ServerApp.ip=127.0.0.1"]
    options += ["--ServerApp.port=0", "--ServerApp.allow_root=True", f"--ServerApp.root_dir={root}"]
    options += ["--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}"]
    environment = {**tiny.environment(), "JUPYTER_RUNTIME_DIR": str(runtime), "JUPYTER_CONFIG_DIR": str(runtime)}
    environment |= {"JUPYTER_PREFER_ENV_PATH": "1", "JUPYTER_PATH": "", "JUPYTER_NO_CONFIG": "1"}
    log = (root / "run" / "server.log").open("w")
    command = [sys.executable, "-m", "jupyter_server", *options]
    server = subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=log)
    try:
        yield root, _address(runtime, server)
    finally:
        server.terminate()
        server.wait(timeout=20)
        log.close()


def _address(runtime: Path, server: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            if text := path.read_text():
                return json.loads(text)["url"]
        time.sleep(0.1)
    raise AssertionError("the server did not start")


def ask(address: str, path: str, method: str = "GET", body: dict[str, Any] | None = None) -> str:
    """One request to formgrader, as its pages make it."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}formgrader/{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read().decode()


def submission_of(address: str, learner: str) -> str:
    """Formgrader's id of a learner's notebook."""
    listed = json.loads(ask(address, f"api/submitted_notebooks/{LESSON_ID}/{LESSON_ID}"))
    return next(row["id"] for row in listed if row["student"] == learner)


def test_formgrader_shows_submissions_without_their_scripts(formgrader: tuple[Path, str]) -> None:
    """The marker's page of a hostile submission has the text, the scoring form, and nothing that acts."""
    _, address = formgrader
    html = ask(address, f"submissions/{submission_of(address, 'eve')}/")
    assert_no_trace_of_eve(html)
    assert f'id="{OPEN}"' in html, "no field for the open question's score"


def test_formgraders_manual_marking_works_on_the_open_question(formgrader: tuple[Path, str]) -> None:
    """A score and a comment given in formgrader stand in the gradebook, and a regrade by the button keeps them."""
    root, address = formgrader
    notebook = submission_of(address, "ada")
    grades = json.loads(ask(address, f"api/grades?submission_id={notebook}"))
    comments = json.loads(ask(address, f"api/comments?submission_id={notebook}"))
    grade = next(row for row in grades if row["name"] == OPEN)
    comment = next(row for row in comments if row["name"] == OPEN)
    assert grade["needs_manual_grade"] is True
    ask(address, f"api/grade/{grade['id']}", "PUT", {**grade, "manual_score": 2.5, "needs_manual_grade": False})
    ask(address, f"api/comment/{comment['id']}", "PUT", {**comment, "manual_comment": "Well argued."})
    said = json.loads(ask(address, f"api/submission/{LESSON_ID}/ada/autograde", "POST", {}))
    assert said["success"], said
    score = scores(root)["ada"]
    cell = score.cells[OPEN]
    assert (cell.manual, cell.comment, cell.needs_a_person) == (2.5, "Well argued.", False)
    assert score.points == 8.5


def test_formgraders_button_gives_the_verdicts_of_the_judge(formgrader: tuple[Path, str]) -> None:
    """A new submission graded by the button has the judge's scores."""
    root, address = formgrader
    tiny.hand_in(root, "late", tiny.answered(root, ["square"]))
    said = json.loads(ask(address, f"api/submission/{LESSON_ID}/late/autograde", "POST", {}))
    assert said["success"], said
    assert {name: cell.auto for name, cell in scores(root)["late"].cells.items()} == {
        "check_double": 0.0,
        "check_square": 3.0,
        "check_exam_tiny": 0.0,
        OPEN: 0.0,
    }


def test_unknown_submissions_are_not_found(formgrader: tuple[Path, str]) -> None:
    """The server answers for real: a wrong id is a 404."""
    _, address = formgrader
    with pytest.raises(urllib.error.HTTPError, match="404"):
        ask(address, "submissions/nobody/")


def autograde(root: Path) -> dict[str, Any]:
    """What `nbgrader autograde` does, through nbgrader's API: no second process, which would import for seconds."""
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    config = load_config(root)
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    return api.autograde(LESSON_ID, "*", force=False)


def test_late_penalties_and_newer_submissions_work_through_autograde(tmp_path: Path) -> None:
    """nbgrader's timestamp decides who is late, and a newer one is graded again without --force."""
    root = tiny.copy_course(tmp_path / "course")
    config = root / "nbgrader_config.py"
    config.write_text(config.read_text() + '\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    with closing(sqlite3.connect(root / "run" / "gradebook.db")) as database, database:
        database.execute("UPDATE assignment SET duedate = '2026-01-31 12:00:00.000000'")
    path = tiny.hand_in(root, "ada", tiny.answered(root, ["double"]))
    stamp = path.with_name("timestamp.txt")
    stamp.write_text("2026-01-31 11:00:00.000000 UTC")
    assert autograde(root)["success"]
    assert (scores(root)["ada"].points, scores(root)["ada"].penalty) == (2.0, 0.0)
    path.write_text(json.dumps(tiny.answered(root, ["double", "square"])))
    stamp.write_text("2026-01-31 13:00:00.000000 UTC")
    assert autograde(root)["success"]
    assert (scores(root)["ada"].penalty, scores(root)["ada"].points) == (5.0, 0.0)


def test_a_linked_folder_is_refused_and_the_others_are_graded(tmp_path: Path) -> None:
    """nbgrader follows a link to another learner's folder; our steps do not."""
    root = tiny.copy_course(tmp_path / "course")
    tiny.hand_in(root, "ada", tiny.answered(root, ["double"]))
    tiny.hand_in(root, "zoe", tiny.answered(root, ["square"]))
    (root / "run" / "submitted" / "mia").symlink_to(root / "run" / "submitted" / "ada")
    assert "is a symbolic link" in autograde(root)["log"]
    assert {learner: score.points for learner, score in scores(root).items()} == {"ada": 2.0, "mia": 0.0, "zoe": 3.0}
    assert not (root / "run" / "autograded" / "mia" / LESSON_ID).exists()
