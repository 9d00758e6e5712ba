"""What Sphinx is given to read: two notebooks per lesson, the gallery, the start page, the documentation.

What enters: notebooks of the course and what their solved run showed. What leaves: texts by path, all of them in
MyST Markdown or as notebooks with outputs. Nothing here runs a cell.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import nbformat

from autograder.course import Lesson
from autograder.folders import Folders
from autograder.site import messages
from autograder.site.dependence import cells_that_need_answers
from autograder.site.runs import Run, read

TEMPLATES = Path(__file__).parents[1] / "templates"
_KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
_NOTEBOOK_LINK = re.compile(r"\[([^\]]*)\]\(\.\./(\w+)/\2\.ipynb(#[^)]*)?\)")
_FILE_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(((?!\w+:|#)[^)#\s]+)(#[^)]*)?\)")
_MARKERS = re.compile(r"^ *### (BEGIN|END) SOLUTION.*\n?", re.MULTILINE)
_GOALS = re.compile(r"^- .+(?:\n  .+)*", re.MULTILINE)


@dataclass(frozen=True)
class Introduction:
    """What the start page says about a lesson; texts are Markdown.

    Args:
        id: lesson id.
        title: its first heading.
        time: how long it takes, or "".
        builds_on: what it needs, or "".
        goals: what one will be able to do.
    """

    id: str
    title: str
    time: str
    builds_on: str
    goals: tuple[str, ...]


def lesson_pages(folders: Folders, lesson: Lesson, run: Run | None, others: Collection[str]) -> dict[str, str]:
    """Return the unsolved and the solved page of a lesson, as notebooks with outputs, by path.

    Args:
        folders: the course.
        lesson: the lesson.
        run: what its solved notebook showed; None if it was never run.
        others: ids of all lessons that the site has.
    """
    solution, released = read(folders.solution(lesson.id), lesson.id), read(folders.released(lesson.id), lesson.id)
    texts = {cell.id: cell.source for cell in released.cells}
    answers = {cell.id for cell in solution.cells if texts.get(cell.id) != cell.source}
    code = [cell for cell in solution.cells if cell.cell_type == "code"]
    hidden = cells_that_need_answers(code, answers)
    exercises = {exercise.id for exercise in lesson.exercises}
    pages = {}
    for folder, notebook, banner in (
        ("lessons", released, _note("note", messages.READ_ONLY, lesson.id, f"../solved/{lesson.id}.ipynb")),
        ("solved", solution, _note("warning", messages.SPOILER, lesson.id, f"../lessons/{lesson.id}.ipynb")),
    ):
        solved = folder == "solved"
        cells = [_rewritten(cell, others) for cell in notebook.cells]
        cells = [_with_outputs(cell, run, set() if solved else hidden) for cell in cells]
        page: list[Any] = []
        for cell in cells:
            page += [_crosslink(lesson.id, cell.id, solved=solved)] if cell.id in exercises else []
            page.append(cell)
        page[0].source = page[0].source.replace("\n", messages.SOLVED_TITLE + "\n", 1) if solved else page[0].source
        no_run = [_note("note", messages.NO_OUTPUT_KEPT)] if run is None else []
        page[1:1] = [banner, *no_run]
        made = nbformat.v4.new_notebook(cells=page, metadata={"kernelspec": _KERNEL})
        pages[f"{folder}/{lesson.id}.ipynb"] = nbformat.writes(made)
    return pages


def _note(kind: str, text: str, lesson: str = "", page: str = "") -> nbformat.NotebookNode:
    source = f"```{{{kind}}}\n{text.format(lesson=lesson, page=page)}\n```"
    return nbformat.v4.new_markdown_cell(source, id=f"site-{kind}-{'banner' if lesson else 'run'}")


def _crosslink(lesson: str, exercise: str, *, solved: bool) -> nbformat.NotebookNode:
    text = (messages.TASK_OF if solved else messages.SOLUTION_OF).format(exercise=exercise)
    target = f"../{'lessons' if solved else 'solved'}/{lesson}.html#exercise-{exercise}"
    source = f'<p class="crosslink" id="exercise-{exercise}"><a href="{target}">{text}</a></p>'
    return nbformat.v4.new_markdown_cell(source, id=f"site-{exercise}"[:64])


def _rewritten(cell: nbformat.NotebookNode, others: Collection[str]) -> nbformat.NotebookNode:
    """A cell without grading's metadata; links between notebooks lead to pages of this site."""
    if cell.cell_type != "markdown":
        return nbformat.v4.new_code_cell(cell.source, id=cell.id)

    def link(match: re.Match[str]) -> str:
        here = match[2] in others
        return f"[{match[1]}]({match[2]}.ipynb{match[3] or ''})" if here else match[1]

    return nbformat.v4.new_markdown_cell(_NOTEBOOK_LINK.sub(link, cell.source), id=cell.id)


def _with_outputs(cell: nbformat.NotebookNode, run: Run | None, hidden: Collection[str]) -> nbformat.NotebookNode:
    if cell.cell_type != "code":
        return cell
    outputs = run.outputs_of(cell) if run else []
    if cell.id in hidden:
        note = {"text/html": f'<p class="needs-answer">{messages.NEEDS_AN_ANSWER}</p>'}
        says_it_itself = cell.source.startswith("check(")
        outputs = [nbformat.v4.new_output("display_data", note)] if outputs and not says_it_itself else []
    cell.source = _MARKERS.sub("", cell.source)
    cell.outputs = [nbformat.from_dict(output) for output in outputs]
    return cell


def introduction(folders: Folders, lesson: Lesson) -> Introduction:
    """Read title, time and goals from the first text cells of a lesson."""
    cells = [cell.source for cell in read(folders.released(lesson.id), lesson.id).cells[:4]]
    head, facts = cells[0], re.sub(r"\n(?!\n)", " ", "\n\n".join(cells[1:]))
    time = re.search(r"\*\*Time:\*\* ([^.:(]*)", facts)
    needs = re.search(r"\*\*Builds on:\*\* ([^\n]*)", facts)
    goals = tuple(goal[2:].rstrip(";.").replace("\n ", "") for goal in _GOALS.findall(head))
    title = head.partition("\n")[0].lstrip("# ").strip()
    facts_of = (found[1].strip().rstrip(".") if found else "" for found in (time, needs))
    return Introduction(lesson.id, title, *facts_of, goals)


def start_page(introductions: Sequence[Introduction]) -> str:
    """Return the start page: what the course is, its lessons, and where everything is."""
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), trim_blocks=True, autoescape=False)
    return environment.get_template("site_start.md").render(lessons=introductions)


def gallery_page(lessons: Collection[str]) -> str:
    """Return a page with every look of some lessons, alive without a kernel."""
    from course_lib.widgets import gallery

    parts = [f"# {gallery.TITLE}", gallery.INTRODUCTION]
    last = ""
    for shown in gallery.LOOKS:
        lesson = next((name for name in lessons if name.startswith(shown.lesson)), None)
        if lesson is None:
            continue
        if shown.lesson != last:
            title = f"{shown.lesson} \u00b7 {gallery.LESSONS[shown.lesson]}"
            parts.append(f"## {title}\n\n[{messages.TO_THE_LESSON.format(title=title)}](lessons/{lesson}.ipynb)")
            last = shown.lesson
        # Ten backticks: a look's script may hold Markdown's own marks.
        fence = "`" * 10
        parts.append(f"### {shown.title}\n\n{shown.to_try}\n\n{fence}{{raw}} html\n{shown.make().page()}\n{fence}")
    return "\n\n".join(parts) + "\n"


def documentation(folders: Folders) -> dict[str, str]:
    """Return the files of ``docs/`` as text, by path; links to files that the site lacks become plain text."""
    root = folders.root / "docs"
    found = {path.relative_to(folders.root).as_posix(): path for path in sorted(root.rglob("*.md"))}
    texts = {name: _without_strangers(path, root) for name, path in found.items()}
    if "docs/index.md" in texts:
        texts["docs/index.md"] += "\n```{toctree}\n:hidden:\n:glob:\n\n*\ndecisions/*\n```\n"
    return texts


def _without_strangers(path: Path, root: Path) -> str:
    def link(match: re.Match[str]) -> str:
        target = (path.parent / match[2]).resolve()
        return match[0] if target.is_file() and target.is_relative_to(root.resolve()) else match[1]

    return _FILE_LINK.sub(link, path.read_text(encoding="utf-8"))
