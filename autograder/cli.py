"""The `course` command: parses, calls one function, prints.

Exit codes: 0 all is well; 1 something is not as it should be (a wall is missing, an answer is wrong, a lesson
would leak); 2 the command was given something it cannot use; 130 it was stopped with Ctrl-C.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from autograder import progress_cli, review_cli, site_cli
from autograder.folders import CourseError, Folders

app = typer.Typer(
    name="course",
    help="Make, grade and give back the lessons of the deep-learning course.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def _use_database(url: str) -> str:
    # nbgrader's own tools, which some commands start, read it from there, too.
    if url:
        os.environ["COURSE_DATABASE"] = url
    return url


LessonId = Annotated[str, typer.Argument(metavar="LESSON", help="Lesson id, for example 01_xor_mlp.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Log = Annotated[Path | None, typer.Option(help="Add a line of JSON per submission to this file.")]
Database = Annotated[
    str, typer.Option("--db", metavar="URL", callback=_use_database, help="Gradebook: postgresql://USER@HOST/NAME.")
]
Processes = Annotated[int, typer.Option(min=0, help="Worker processes; 0 for one per core, fewer for a small class.")]


def _command(name: str, example: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return app.command(name, epilog=f"Example: {example}")


def main() -> None:
    """Run the command line; mistakes of the caller become one sentence and exit code 2."""
    from autograder.release import put_tools_on_path

    put_tools_on_path()
    try:
        app()
    except (CourseError, LookupError) as error:
        err.print(str(error.args[0] if error.args else error), style="red", markup=False)
        raise SystemExit(getattr(error, "exit_code", 2)) from None
    except OSError as error:
        if error.filename is None:
            raise
        err.print(f"{error.filename} cannot be used ({error.strerror}).", style="red", markup=False)
        raise SystemExit(2) from None


def _lesson(lesson_id: str) -> Any:
    from autograder.catalogue import find_lesson

    return find_lesson(lesson_id)


@_command("init", "course init --db postgresql://grader@db.example.org/course")
def init(db: Database = "") -> None:
    """Make the course's secret, folders and gradebook. Safe to repeat: nothing is overwritten.

    With --db the gradebook is a PostgreSQL database, which this folder remembers.
    """
    from autograder.catalogue import LESSONS
    from autograder.gradebook import ensure_lesson, remember_database

    folders = Folders.find()
    if db:
        for sentence in remember_database(folders, db):
            out.print(sentence, markup=False)
    made = folders.make_secret()
    for folder in (folders.submitted, folders.feedback):
        folder.mkdir(parents=True, exist_ok=True)
    for lesson in LESSONS:
        ensure_lesson(folders.root, lesson.id)
    out.print(f"{'Made' if made else 'Kept'} the course secret: {folders.secret_file}", markup=False)
    out.print("Keep a copy of it in a safe place: the secret cases, and so the scores, follow from it.")
    out.print("Next: give your learners the folder notebooks/, or a zip from `course release LESSON`.", markup=False)


@_command("list", "course list --json")
def list_lessons(as_json: AsJson = False) -> None:
    """List lessons and exercises with points and counts of cases, mistakes and other ways."""
    from autograder import listing

    if as_json:
        print(json.dumps(listing.lessons(), indent=1))
    else:
        out.print(listing.table())


@_command("try", "course try sigmoid my_sigmoid.py")
def try_file(
    exercise: Annotated[str, typer.Argument(metavar="EXERCISE", help="Exercise id, for example sigmoid.")],
    file: Annotated[Path, typer.Argument(metavar="FILE.py", help="Python file that defines the function.")],
    as_json: AsJson = False,
) -> None:
    """Judge the functions of a Python file exactly as grading would: walls, secret cases and all."""
    from autograder import trial

    verdict = trial.try_file(Folders.find(), exercise, file)
    if as_json:
        print(json.dumps(trial.as_json(verdict)))
    else:
        out.print(trial.as_text(verdict), markup=False)
    raise typer.Exit(0 if verdict.points == verdict.max_points else 1)


@_command("collect", "course collect 01_xor_mlp submissions.zip --roster roster.csv")
def collect(  # noqa: PLR0913 - each option is an argument.
    lesson: LessonId,
    archives: Annotated[list[Path], typer.Argument(metavar="ARCHIVE", help="Zip files of a learning platform.")],
    to: Annotated[Path | None, typer.Option(help="Folder for the submissions; run/submitted if not given.")] = None,
    roster: Annotated[Path | None, typer.Option(help="CSV: learner, and lms_id or name; who is who.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace other submissions; they are kept aside.")] = False,
    time_zone: Annotated[str, typer.Option(help="Of the archives' times; this computer's if not given.")] = "",
    times: Annotated[bool, typer.Option(help="Are the archives' times those of handing in?")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take submissions out of the zip files of Moodle, Canvas or a plain folder.

    Exit code 1: something was refused, and a person should look at it.
    """
    from autograder import collect as collecting
    from autograder import collect_report
    from autograder import roster as rosters
    from autograder.messages import STOPPED_COLLECTING, STOPPED_DRY_RUN
    from autograder.progress import Watch, long_work

    folders, found = Folders.find(), _lesson(lesson)
    to = to or folders.submitted
    options = collecting.Options(
        collecting.time_zone(time_zone), rosters.load_roster(roster) if roster else None, times, replace, dry_run
    )
    total, watch = collecting.entries_in(archives, options), Watch(err, not as_json)
    with long_work(
        f"Collecting {found.id}", total, STOPPED_DRY_RUN if dry_run else STOPPED_COLLECTING, watch
    ) as advance:
        collected = collecting.collect(found.id, archives, to, options, advance)
    if as_json:
        print(json.dumps(collect_report.as_json(found.id, collected, dry_run=dry_run), indent=1))
    else:
        for table in collect_report.tables(collected):
            out.print(table)
        for sentence in collect_report.summary(collected, dry_run=dry_run):
            out.print(sentence, markup=False)
    raise typer.Exit(1 if collected.refused else 0)


@_command("grade", "course grade 01_xor_mlp --submitted run/submitted")
def grade(  # noqa: PLR0913 - each option is an argument.
    lesson: LessonId,
    submitted: Annotated[Path | None, typer.Option(help="Folder of submissions [default: run/submitted].")] = None,
    as_json: AsJson = False,
    processes: Processes = 0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Judge again what was judged before.")] = False,
    scheduler: Annotated[str, typer.Option(metavar="ADDRESS", help="Grade on a dask cluster: tcp://HOST:PORT.")] = "",
    log: Log = None,
    db: Database = "",
) -> None:
    """Grade a class: verdicts, gradebook and feedback pages. Continues where a stopped run ended.

    Where the same answers had more points before, those stand until `course regrade --confirm`.
    """
    from autograder import grade_report

    folders, found = Folders.find(), _lesson(lesson)
    options = {"processes": processes, "fresh": fresh, "scheduler": scheduler}
    graded = _grade(folders, found, submitted or folders.submitted, show=not as_json, log=log, **options)
    if as_json:
        for piece in grade_report.as_json(found.id, graded.reports(), graded.tally.held):
            print(piece, end="")
        print()
    else:
        out.print(f"Feedback pages: {folders.feedback}", markup=False)
        out.print(
            f"Gradebook: open it with `make formgrader`, or write it out with `course export {found.id}`.", markup=False
        )


def _grade(
    folders: Folders, lesson: Any, submitted: Path, *, show: bool, log: Path | None = None, **options: Any
) -> Any:
    from autograder import classwork, grade_report
    from autograder.intake import find_submissions
    from autograder.locks import turn
    from autograder.progress import Watch

    entries = find_submissions(submitted, lesson.id)
    with turn(folders, lesson.id, _say):
        graded = classwork.grade_class(folders, lesson, entries, Watch(err, show, log), **options)
    if show:
        for table in grade_report.tables(graded.reports(), graded.tally):
            out.print(table)
        for sentence in grade_report.summary(lesson.id, graded.tally):
            out.print(sentence, markup=False)
    return graded


def _say(sentence: str) -> None:
    err.print(sentence, markup=False)


@_command("generate", "course generate 01_xor_mlp")
def generate(lesson: LessonId, db: Database = "") -> None:
    """Build a lesson from its source: solution notebook, public cases, released notebook."""
    from autograder.catalogue import LESSONS
    from autograder.expected import write_public_cases
    from autograder.release import generate as release_notebook
    from course_lib.exam import CASES

    folders, found = Folders.find(), _lesson(lesson)
    cases = write_public_cases(found, CASES)
    released = release_notebook(folders.root, found.id, database=found in LESSONS)
    for path in (folders.solution(found.id), cases, released):
        out.print(f"Wrote {path.relative_to(folders.root)}", markup=False)


@_command("release", "course release 01_xor_mlp")
def release(
    lesson: LessonId,
    to: Annotated[Path | None, typer.Option(help="The zip file to write [default: run/release/LESSON.zip].")] = None,
) -> None:
    """Make the zip for a class: the lesson and `course_lib` without the answers it grades."""
    from autograder.edition import write_edition

    folders, found = Folders.find(), _lesson(lesson)
    path = write_edition(folders, found, to or folders.run / "release" / f"{found.id}.zip")
    out.print(f"Wrote {path}. It holds no answer of {found.id} or of a later lesson.", markup=False)


@_command("feedback", "course feedback 01_xor_mlp")
def feedback(lesson: LessonId, db: Database = "") -> None:
    """Write the feedback pages again, with the marks and comments that people gave in formgrader."""
    from autograder import classwork
    from autograder.progress import Watch

    folders, found = Folders.find(), _lesson(lesson)
    count = classwork.write_pages_again(folders, found, Watch(err))
    out.print(f"Wrote {count} pages below {folders.feedback}", markup=False)


@_command("export", "course export 01_xor_mlp --form canvas --to grades.csv")
def export(
    lesson: LessonId,
    to: Annotated[Path, typer.Option(help="The CSV file to write.")] = Path("grades.csv"),
    form: Annotated[str, typer.Option(help="plain, canvas or moodle.")] = "plain",
    column: Annotated[str, typer.Option(help="Canvas: the assignment's number there.")] = "",
    db: Database = "",
) -> None:
    """Write the scores of a lesson as CSV."""
    from autograder.export import export_scores
    from autograder.publish import scores_of_today

    folders, found = Folders.find(), _lesson(lesson)
    exported = export_scores(to, scores_of_today(folders, found), found.title, form=form, column_id=column)
    out.print(f"Wrote the scores of {exported.learners} learners to {to}", markup=False)
    if exported.waiting:
        out.print(f"Left out until a person has marked them: {', '.join(exported.waiting)}", markup=False)


@_command("regrade", "course regrade 01_xor_mlp --dry-run")
def regrade(  # noqa: PLR0913 - each option is an argument.
    lesson: LessonId,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List who gains and who loses; write nothing.")] = False,
    confirm: Annotated[bool, typer.Option("--confirm", help="Write losses, too. Without it no score falls.")] = False,
    submitted: Annotated[Path | None, typer.Option(help="Folder of submissions [default: run/submitted].")] = None,
    as_json: AsJson = False,
    processes: Processes = 0,
    log: Log = None,
    db: Database = "",
) -> None:
    """Judge a graded class again after an exercise changed: who gains, who loses, and why.

    Gains are written, losses only with --confirm. Exit code 1: losses wait, or somebody could not be judged again.
    """
    from autograder import regrade_report

    if dry_run and confirm:
        raise CourseError("Give --dry-run or --confirm, not both: the one writes nothing, the other writes losses.")
    folders, found = Folders.find(), _lesson(lesson)
    options = {"dry_run": dry_run, "confirm": confirm, "processes": processes}
    regraded = _regrade(folders, found, submitted or folders.submitted, show=not as_json, log=log, **options)
    if as_json:
        print(json.dumps(regrade_report.as_json(regraded, dry_run=dry_run, confirmed=confirm)))
    else:
        for table in regrade_report.tables(regraded):
            out.print(table)
        for sentence in regrade_report.summary(regraded, dry_run=dry_run):
            out.print(sentence, markup=False)
    raise typer.Exit(0 if regraded.settled else 1)


def _regrade(folders: Folders, lesson: Any, submitted: Path, *, show: bool, log: Path | None, **options: Any) -> Any:
    from autograder import classwork, regrade
    from autograder.intake import find_submissions
    from autograder.locks import turn
    from autograder.progress import Watch
    from autograder.workplace import workplace

    # A dry run writes nothing, not even a lock.
    alone = nullcontext() if options["dry_run"] else turn(folders, lesson.id, _say)
    with alone, workplace(folders) as place:
        regrade.require_reports(place, lesson)
        entries = find_submissions(submitted, lesson.id)
        classwork.require_walls(place, lesson)
        return classwork.regrade_class(folders, place, lesson, entries, Watch(err, show, log), **options)


@_command("stats", "course stats 01_xor_mlp --picture stats.svg")
def stats(
    lesson: LessonId,
    as_json: AsJson = False,
    picture: Annotated[Path | None, typer.Option(help="Write a picture, too: a file ending in .svg or .png.")] = None,
) -> None:
    """How the class did: pass rate, points, mistakes by name, and how well each exercise tells learners apart."""
    from autograder import stats as statistics

    folders, found = Folders.find(), _lesson(lesson)
    result = statistics.statistics_of(found, statistics.latest_reports(folders, found))
    if picture is not None:
        from autograder import stats_picture

        stats_picture.write(result, picture)
    if as_json:
        print(json.dumps(statistics.as_json(result), indent=1))
        return
    for table in statistics.tables(result):
        out.print(table)
    for sentence in statistics.sentences(result):
        out.print(sentence, markup=False)
    if picture is not None:
        out.print(f"Wrote {picture}", markup=False)


@_command("doctor", "course doctor")
def doctor(as_json: AsJson = False) -> None:
    """Test every wall for real, and say how to mend what is missing."""
    from dataclasses import asdict

    from autograder.catalogue import LESSONS
    from autograder.readiness import check_walls

    checks = check_walls(Folders.find(), LESSONS[0])
    if as_json:
        print(json.dumps([asdict(check) for check in checks], default=str, indent=1))
    else:
        for check in checks:
            mark = "[green]ok     [/]" if check.state == "ok" else f"[red]{check.state:<7}[/]"
            out.print(mark, f"{check.name}: {check.sentence}" + (f" {check.remedy}" if check.state != "ok" else ""))
    raise typer.Exit(0 if all(check.state == "ok" for check in checks) else 1)


@_command("demo", "course demo")
def demo() -> None:
    """Grade a small made-up class, to see everything work: table, gradebook, feedback pages."""
    from autograder import demo as demonstration

    prepared = demonstration.prepare(Folders.find())
    demonstration.run(
        prepared, out, lambda course, lesson: _grade(course, lesson, course.submitted, show=True).tally.total
    )


_command("progress", progress_cli.EXAMPLE)(progress_cli.progress)
_command("review", review_cli.EXAMPLE)(review_cli.review)
_command("site", site_cli.EXAMPLE)(site_cli.site)

if __name__ == "__main__":
    main()
