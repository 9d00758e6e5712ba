"""nbgrader's settings for this course. Every `nbgrader ...` command started in this folder reads them.

Nothing of nbgrader is changed or copied: names of folders, and dotted names of our own steps.
The gradebook's URL is in the variable `COURSE_DATABASE` (`--db` of our commands sets it), or in run/database, which
`course init --db` writes; without either the gradebook is a file in run/.
"""

import os
from pathlib import Path

c = get_config()  # noqa: F821  (traitlets defines it)

ROOT = Path(__file__).resolve().parent
# SQLite makes the file, not the folder that it lies in.
(ROOT / "run").mkdir(mode=0o700, exist_ok=True)

c.CourseDirectory.root = str(ROOT)
c.CourseDirectory.course_id = "deep-learning"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "notebooks"
c.CourseDirectory.submitted_directory = os.path.join("run", "submitted")
c.CourseDirectory.autograded_directory = os.path.join("run", "autograded")
c.CourseDirectory.feedback_directory = os.path.join("run", "feedback")
c.CourseDirectory.solution_directory = os.path.join("run", "solution")
REMEMBERED = ROOT / "run" / "database"
c.CourseDirectory.db_url = (
    os.environ.get("COURSE_DATABASE")
    or (REMEMBERED.read_text(encoding="utf-8").strip() if REMEMBERED.exists() else "")
    or f"sqlite:///{ROOT / 'run' / 'gradebook.db'}"
)

# Only notebooks travel. The first two patterns match a lesson's folder, never its notebook: nbgrader then copies
# no other file out of it (it would follow a symbolic link in a submission and hand its target to the learner).
c.CourseDirectory.ignore = [
    "[0-9][0-9]_*[!b]",
    "[0-9][0-9]_*[!n]b",
    ".*",
    "*.py",
    "*.pyc",
    "__pycache__",
]

# Stubs that raise inside functions only; the rest is nbgrader's own list of steps.
c.GenerateAssignment.preprocessors = [
    "nbgrader.preprocessors.IncludeHeaderFooter",
    "nbgrader.preprocessors.InstantiateTests",
    "nbgrader.preprocessors.LockCells",
    "autograder.nbgrader_seam.ClearAnswers",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# A submission is read by our own reader, which runs nothing and survives anything; our judge stands where
# nbgrader would execute the notebook, and our verdicts where it would read scores out of the cells' outputs.
c.Autograde.exporter_class = "autograder.nbgrader_seam.SafeExporter"
c.Autograde.sanitize_preprocessors = ["nbgrader.preprocessors.CheckCellMetadata"]
c.Autograde.autograde_preprocessors = [
    "autograder.nbgrader_seam.Judge",
    "autograder.nbgrader_seam.VerdictWriter",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

c.GenerateFeedback.exporter_class = "autograder.nbgrader_seam.FeedbackExporter"
c.ExportApp.plugin_class = "autograder.nbgrader_seam.CourseExportPlugin"

# A late submission costs nothing until these lines count; see "Late submissions" in docs/instructor.md.
# c.AssignLatePenalties.plugin_class = "autograder.lateness.ShareLostPerDay"
# c.ShareLostPerDay.share_per_day = 0.1  # of the points earned, for each started day
# c.ShareLostPerDay.grace_minutes = 15  # that cost nothing
# c.ShareLostPerDay.most = 0.5  # however late
