"""Long work that people can watch, log and stop: a bar, a line of JSON per submission, and Ctrl-C without loss.

What enters: how much there is to do, and a call after each piece. What leaves: on a terminal a bar with rate, time
left and failures so far, elsewhere a line a minute; and for Ctrl-C a sentence that says how to go on.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from autograder import messages
from autograder.folders import CourseError

LINE_SECONDS = 60.0


class Stopped(CourseError):
    """Somebody pressed Ctrl-C; the text says what is kept and how to go on."""

    # What a shell reports for a program that Ctrl-C ended.
    exit_code = 130


@dataclass(frozen=True)
class Watch:
    """Who watches.

    Args:
        console: where to draw.
        show: draw at all?
        log: file to which a line of JSON is added for each submission; None for no log.
    """

    console: Console
    show: bool = True
    log: Path | None = None


class Advance:
    """Told after each piece of work.

    Args:
        progress: the bar.
        title: what is being done.
        total: how many pieces there are.
        log: where lines go, or None.
    """

    def __init__(self, progress: Progress, title: str, total: int, log: IO[str] | None) -> None:
        self.done = self.failed = 0
        self._progress, self._title, self._total, self._log = progress, title, total, log
        self._task = progress.add_task(title, total=total, failed=0)
        self._lined = self._started = time.monotonic()

    def __call__(self, *, failed: bool = False, **facts: Any) -> None:
        """One more piece is done.

        Args:
            failed: does somebody have to look at it?
            facts: what the log says of it.
        """
        self.done += 1
        self.failed += failed
        self._progress.update(self._task, advance=1, failed=self.failed)
        if self._log is not None and facts:
            moment = datetime.now(UTC).isoformat(timespec="milliseconds")
            self._log.write(json.dumps({"time": moment, **facts}) + "\n")
            # A log is read when something went wrong: nothing of it may wait in memory.
            self._log.flush()
        self._line()

    def _line(self) -> None:
        """Where nothing can be drawn over, in a file or a pipe, a new line now and then says how far it is."""
        now, console = time.monotonic(), self._progress.console
        if self._progress.disable or console.is_terminal or now - self._lined < LINE_SECONDS:
            return
        self._lined = now
        rate = self.done / max(now - self._started, 1e-9)
        left = (self._total - self.done) / rate
        facts = {"done": self.done, "total": self._total, "rate": rate, "left": left, "failed": self.failed}
        console.print(messages.SO_FAR.format(title=self._title, **facts), markup=False)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if not speed else f"{speed:.1f}/s" if speed >= 1 else f"{60 * speed:.1f}/min")


@contextmanager
def long_work(title: str, total: int, stopped: str, watch: Watch) -> Iterator[Advance]:
    """Show how work gets on.

    Args:
        title: what is being done.
        total: how many pieces there are.
        stopped: what Ctrl-C is answered with; ``{done}`` and ``{total}`` are filled in.
        watch: who watches.

    Raises:
        Stopped: somebody pressed Ctrl-C.
        CourseError: the log cannot be written.
    """
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn(),
        TextColumn("failures: {task.fields[failed]}"),
    )  # fmt: skip
    with ExitStack() as stack:
        log = None if watch.log is None else stack.enter_context(_opened(watch.log))
        progress = stack.enter_context(Progress(*columns, console=watch.console, disable=not watch.show))
        advance = Advance(progress, title, total, log)
        try:
            yield advance
        except KeyboardInterrupt:
            raise Stopped(stopped.format(done=advance.done, total=total)) from None


def _opened(path: Path) -> IO[str]:
    try:
        return path.open("a", encoding="utf-8")
    except OSError as error:
        raise CourseError(messages.NO_LOG.format(path=path, reason=error.strerror)) from None
