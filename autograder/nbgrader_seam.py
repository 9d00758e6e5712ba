"""Our steps inside nbgrader's commands, named in `nbgrader_config.py`; nothing of nbgrader is patched.

`nbgrader generate_assignment` uses `ClearAnswers`. `nbgrader autograde`, and formgrader's button, read submissions
with `SafeExporter`, where nbgrader would trust them; `Judge` stands where nbgrader would run them, and
`VerdictWriter` where it would believe the scores in their outputs. Submissions are data here, never code.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import HTMLExporter, NotebookExporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import ExportPlugin
from nbgrader.preprocessors import AssignLatePenalties, ClearSolutions, NbGraderPreprocessor
from traitlets import Unicode
from traitlets.utils.importstring import import_item

from autograder.copies import add_verdicts, answer_texts, exchange_slips, safe_copy, timestamp_of
from autograder.export import to_csv
from autograder.folders import CourseError
from autograder.gradebook import write_reports
from autograder.leaks import BEGIN
from autograder.release import load_config
from autograder.submission import Cell, Unreadable, read_submission

YOUR_CODE = "# YOUR CODE HERE"
REPORT = "course_report"


def stub(source: str, name: str) -> str:
    """What stands for an answer in the released notebook.

    Args:
        source: the answer cell with its markers.
        name: its grade id.

    Returns:
        The text after ``BEGIN SOLUTION``, if there is any; else a comment where the marker stands at the left
        margin, so that the cell runs; else, inside a function, a comment and an exception that names the exercise.
    """
    marker = next((line for line in source.split("\n") if BEGIN in line), "")
    given = marker.partition(BEGIN)[2].strip()
    if given or not marker.startswith((" ", "\t")):
        return given or YOUR_CODE
    return f'{YOUR_CODE}\nraise NotImplementedError("{name}: replace this line with your code")'


class ClearAnswers(ClearSolutions):
    """nbgrader's step that removes answers, with the stub that fits the place."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Choose the stub for this cell; nbgrader does the rest."""
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        self.code_stub = {**self.code_stub, "python": stub(cell.source, name)}
        return super().preprocess_cell(cell, resources, cell_index)


class SafeExporter(NotebookExporter):
    """Reads a submission into a safe copy; the file is never parsed as a notebook, so damage cannot stop a batch."""

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Copy a submission; a file that is already our own copy is read as it is."""
        course: CourseDirectory = self.parent.coursedir
        lesson, learner = resources["nbgrader"]["assignment"], resources["nbgrader"]["student"]
        folder = Path(filename).parent
        if folder == Path(course.format_path(course.autograded_directory, learner, lesson)):
            return super().from_filename(filename, resources, **kw)
        copy = safe_copy(_released(course, lesson), _cells(_inside(course, Path(filename))) or ())
        output, resources = self.from_notebook_node(nbformat.from_dict(copy), resources, **kw)
        text, _ = timestamp_of(folder)
        if text:
            # nbgrader compares it with the submission's to see whether there is a newer one.
            resources["outputs"] = {"timestamp.txt": text.encode()}
        return output, resources


class FeedbackExporter(HTMLExporter):
    """nbgrader's feedback pages; beside them the files with which its exchange finds their learners."""

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Make the page of one copy."""
        html, resources = super().from_filename(filename, resources, **kw)
        course: CourseDirectory = self.parent.coursedir
        lesson, learner = resources["nbgrader"]["assignment"], resources["nbgrader"]["student"]
        folder = Path(course.format_path(course.submitted_directory, learner, lesson))
        slips = exchange_slips(_inside(course, folder / "slips").parent)
        resources["outputs"] = {**(resources.get("outputs") or {}), **slips}
        return html, resources


class Judge(NbGraderPreprocessor):
    """Judges the submitted file with the same function as `course grade` and shows the verdicts in the copy."""

    function = Unicode(
        "autograder.grade.grade_one",
        help="Dotted name of `grade_one(path, learner, lesson_id) -> Report`.",
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Judge; the report travels in the resources."""
        course: CourseDirectory = self.parent.parent.coursedir
        lesson, learner = resources["nbgrader"]["assignment"], resources["nbgrader"]["student"]
        folder = Path(course.format_path(course.submitted_directory, learner, lesson))
        path = _inside(course, folder / f"{resources['nbgrader']['notebook']}.ipynb")
        report = import_item(self.function)(path, learner, lesson)
        add_verdicts(nb, report)
        cells = _cells(path)
        texts = None if cells is None else answer_texts(_released(course, lesson), cells)
        # Read here as `course grade` reads it; nbgrader takes an offset such as +0100 for 100 seconds.
        resources[REPORT] = (report, texts, timestamp_of(path.parent)[1])
        # nbformat writes nodes, not the plain dicts of our verdicts.
        return nbformat.from_dict(nb), resources


class VerdictWriter(NbGraderPreprocessor):
    """Writes the judge's report into the gradebook; outputs of cells decide nothing."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Write the report that `Judge` left in the resources."""
        report, texts, when = resources.pop(REPORT)
        answers = {} if texts is None else {report.learner: texts}
        times = {} if when is None else {report.learner: when}
        write_reports(resources["nbgrader"]["db_url"], resources["nbgrader"]["assignment"], [report], answers, times)
        return nb, resources


def assign_late_penalties(root: Path, lesson_id: str, learners: Iterable[str]) -> None:
    """Run nbgrader's own step for late submissions, with the instructor's plugin, on learners just graded.

    Args:
        root: the course's folder.
        lesson_id: the lesson.
        learners: whose submissions are in the gradebook, with their timestamps.
    """
    config = load_config(root)
    step = AssignLatePenalties(config=config)
    names = {"notebook": lesson_id, "assignment": lesson_id, "db_url": config.CourseDirectory.db_url}
    for learner in learners:
        step.preprocess(nbformat.v4.new_notebook(), {"nbgrader": {**names, "student": learner}})


EXPORTED = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
    "raw_score", "late_submission_penalty", "score", "max_score",
)  # fmt: skip


class CourseExportPlugin(ExportPlugin):
    """`nbgrader export` with nbgrader's own columns, quoted, and with no text that a spreadsheet would execute."""

    def export(self, gradebook: Gradebook) -> None:
        """Write the file named by `--to`, or grades.csv."""
        assignments = [a for a in gradebook.assignments if not self.assignment or a.name in map(str, self.assignment)]
        students = [s for s in gradebook.students if not self.student or s.id in map(str, self.student)]
        rows = [_exported(gradebook, assignment, student) for assignment in assignments for student in students]
        Path(self.to or "grades.csv").write_text(to_csv(EXPORTED, rows), encoding="utf-8", newline="")


def _exported(gradebook: Gradebook, assignment: Any, student: Any) -> list[str | float]:
    try:
        submission = gradebook.find_submission(assignment.name, student.id)
        late = submission.late_submission_penalty or 0.0
        scores, when = [submission.score, late, max(0.0, submission.score - late)], submission.timestamp
    except MissingEntry:
        scores, when = [0.0, 0.0, 0.0], None
    who = [student.id, student.last_name, student.first_name, student.email]
    texts = [assignment.name, assignment.duedate, when, *who]
    return [*("" if text is None else str(text) for text in texts), *scores, assignment.max_score]


def _released(course: CourseDirectory, lesson: str) -> Mapping[str, Any]:
    path = Path(course.format_path(course.release_directory, ".", lesson)) / f"{lesson}.ipynb"
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        raise CourseError(f"{path} is missing or damaged. Run `course generate {lesson}`.") from None


def _cells(path: Path) -> tuple[Cell, ...] | None:
    try:
        return read_submission(path).cells
    except Unreadable:
        return None


def _inside(course: CourseDirectory, path: Path) -> Path:
    """The path, unless a link on the way leads elsewhere; nbgrader itself follows links."""
    top = Path(course.root, course.submitted_directory)
    parts = [top.joinpath(*path.relative_to(top).parts[:depth]) for depth in range(1, len(path.relative_to(top).parts))]
    linked = [part for part in parts if part.is_symlink()]
    if linked:
        raise CourseError(f"{linked[0]} is a symbolic link. Ask the learner for the files themselves.")
    return path
