"""`progress()`: how far a learner is, as a small table; HTML in notebooks, plain text elsewhere."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass

from course_lib import journal, messages
from course_lib.report import show
from course_lib.standing import LessonStanding, Obstacle, Standing, contents_here, standing

MOST_OBSTACLES = 8
_WIDTH = 16
_CELL = "style='text-align:left;padding:.2em 1.2em .2em 0;white-space:nowrap'"


@dataclass(frozen=True)
class Progress:
    """A learner's progress; shows itself in notebooks and terminals.

    Args:
        standing: what the journal says.
        damaged: lines of the journal that could not be read.
        note: one sentence that stands for all the rest, or "".
    """

    standing: Standing
    damaged: int = 0
    note: str = ""

    def __repr__(self) -> str:
        if self.note:
            return self.note
        lines = [messages.PROGRESS_TITLE, ""]
        lines += _columns([messages.PROGRESS_COLUMNS, *(_with_bar(item) for item in self.standing.lessons)])
        for title, items in parts(self):
            lines += ["", *([f"{title}:"] if title else []), *(f"- {item}" if title else item for item in items)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        if self.note:
            return f"<p role='status'>{html.escape(self.note)}</p>"
        rest = "".join(_html_part(title, items) for title, items in parts(self))
        return f"<section aria-label='{messages.PROGRESS_TITLE}' style='max-width:60em'>{self._table()}{rest}</section>"

    def _table(self) -> str:
        head = "".join(f"<th scope='col' {_CELL}>{title}</th>" for title in messages.PROGRESS_COLUMNS)
        body = "".join(_html_row(item) for item in self.standing.lessons)
        caption = f"<caption style='text-align:left;font-weight:bold'>{messages.PROGRESS_TITLE}</caption>"
        return f"<table style='border-collapse:collapse'>{caption}<tr>{head}</tr>{body}</table>"


def progress() -> None:
    """Show your progress: lessons, exercises passed, time, mistakes not overcome yet, and what comes next.

    It comes from your own journal on this computer, which nobody else reads.
    """
    show(current())


def current() -> Progress:
    """The progress that the journal tells now."""
    try:
        kept = journal.load()
    except (OSError, RuntimeError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        return Progress(standing((), ()), note=messages.PROGRESS_UNREADABLE.format(path=_where(), why=why))
    found = standing(kept.events, contents_here())
    empty = messages.PROGRESS_EMPTY if journal.is_on() else messages.PROGRESS_OFF
    return Progress(found, kept.damaged, "" if found.begun else empty)


def row(item: LessonStanding) -> tuple[str, str, str, str]:
    """One lesson as words: its id, exercises, questions, time; "" where there is nothing to say."""
    exercises, questions = (
        messages.PROGRESS_COUNT.format(passed=passed, total=len(all_of_them)) if all_of_them else ""
        for passed, all_of_them in (
            (item.exercises_passed, item.contents.exercises),
            (item.questions_passed, item.contents.questions),
        )
    )
    return item.lesson, exercises, questions, _duration(item.seconds)


def parts(shown: Progress) -> Iterator[tuple[str, list[str]]]:
    """What follows the table: titles ("" for plain sentences) with their sentences."""
    found = shown.standing
    if found.obstacles:
        lines = [_obstacle(item) for item in found.obstacles[:MOST_OBSTACLES]]
        more = len(found.obstacles) - MOST_OBSTACLES
        lines += [messages.PROGRESS_MORE_OBSTACLES.format(count=more)] if more > 0 else []
        yield messages.PROGRESS_OBSTACLES, lines
    seen = [(name, name in item.passed) for item in found.lessons for name in item.seen]
    if seen:
        templates = {True: messages.PROGRESS_SEEN_PASSED, False: messages.PROGRESS_SEEN_OPEN}
        yield messages.PROGRESS_SEEN, [templates[passed].format(name=name) for name, passed in seen]
    yield "", [_next(found)]
    yield "", [messages.PROGRESS_TIME_NOTE, messages.PROGRESS_FILE.format(path=_where()), *_damage(shown.damaged)]


def _with_bar(item: LessonStanding) -> tuple[str, ...]:
    lesson, exercises, questions, time = row(item)
    bar = "#" * round(_WIDTH * share(item))
    return lesson, f"[{bar:.<{_WIDTH}}] {exercises}", questions, time


def _columns(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for cells in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _obstacle(item: Obstacle) -> str:
    template = messages.PROGRESS_OBSTACLE if item.times == 1 else messages.PROGRESS_OBSTACLE_TIMES
    return template.format(name=item.exercise, times=item.times, sentence=item.sentence)


def _next(found: Standing) -> str:
    if found.next:
        lesson, name = found.next
        return messages.PROGRESS_NEXT.format(lesson=lesson, name=name)
    return messages.PROGRESS_ALL_DONE if len(found.lessons) > 1 else messages.PROGRESS_ALL_DONE_HERE


def _damage(count: int) -> list[str]:
    if not count:
        return []
    return [messages.PROGRESS_DAMAGED_ONE if count == 1 else messages.PROGRESS_DAMAGED.format(count=count)]


def _where() -> str:
    try:
        return str(journal.path())
    except (RuntimeError, ValueError):
        return journal.VARIABLE


def share(item: LessonStanding) -> float:
    """How much of a lesson is passed, 0 to 1."""
    names = (*item.contents.exercises, *item.contents.questions)
    return len(item.passed) / max(len(names), 1)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if not minutes:
        return ""
    if minutes < 60:
        return messages.PROGRESS_MINUTES.format(minutes=minutes)
    return messages.PROGRESS_HOURS.format(hours=minutes // 60, minutes=minutes % 60)


def _html_row(item: LessonStanding) -> str:
    lesson, exercises, questions, time = row(item)
    # The words beside it say the same: the bar is for the eye alone.
    bar = (
        "<span aria-hidden='true' style='display:inline-block;width:8em;height:.7em;border:1px solid currentColor;"
        "margin-right:.7em'><span style='display:block;height:100%;background:#2a78b8;"
        f"width:{100 * share(item):.0f}%'></span></span>"
    )
    cells = "".join(f"<td {_CELL}>{text}</td>" for text in (bar + exercises, questions, time))
    return f"<tr><th scope='row' {_CELL}>{html.escape(lesson)}</th>{cells}</tr>"


def _html_part(title: str, items: list[str]) -> str:
    if not title:
        return "".join(f"<p style='margin:.5em 0'>{html.escape(item)}</p>" for item in items)
    listed = "".join(f"<li>{html.escape(item)}</li>" for item in items)
    return f"<p style='margin:.7em 0 .2em'><strong>{html.escape(title)}</strong></p><ul style='margin:0'>{listed}</ul>"
