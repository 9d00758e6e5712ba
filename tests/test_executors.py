"""Processes of this computer: every item is done once, and a pool that breaks leaves nothing behind."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from autograder.executors import Work, _spread, on_processes

DEADLY = 3


class Nothing:
    """What a worker without needs keeps."""

    def close(self) -> None:
        """Nothing is held."""


def do(_kept: Nothing, item: int) -> int:
    """Twice the item; one of them ends the process."""
    if item == DEADLY:
        os._exit(1)
    return 2 * item


def test_pool_that_breaks_among_many_items_ends_whole() -> None:
    """The item that ends its process is named, all others are done once, and no process or thread is left hanging."""
    done: list[tuple[int, Any]] = list(on_processes(Work(Nothing, do), range(600), processes=2))
    assert sorted(item for item, _ in done) == list(range(600))
    results = dict(done)
    assert isinstance(results.pop(DEADLY), BrokenProcessPool)
    assert results == {item: 2 * item for item in range(600) if item != DEADLY}
    assert multiprocessing.active_children() == []


class Held(Executor):
    """An executor that finishes its first future at once and no other.

    Args:
        finish: how the first one ends.
    """

    def __init__(self, finish: Callable[[Future], None]) -> None:
        self.futures: list[Future] = []
        self._finish = finish

    def submit(self, *_: Any) -> Future:
        """A future; the first is finished, the others are pending."""
        self.futures.append(Future())
        if len(self.futures) == 1:
            self._finish(self.futures[0])
        return self.futures[-1]


def leave_after_first(finish: Callable[[Future], None]) -> list[Future]:
    """The futures that are left when the first of three is finished and nobody asks for more."""
    held = Held(finish)
    spread = _spread(held, do, range(3))
    next(spread)
    spread.close()
    return held.futures[1:]


def test_pending_work_is_cancelled_when_nobody_wants_it() -> None:
    """Whoever stops early leaves nothing waiting."""
    assert [future.cancelled() for future in leave_after_first(lambda future: future.set_result(1))] == [True, True]


def test_pending_work_of_a_broken_pool_is_left_to_the_pool() -> None:
    """A pool that breaks ends its futures itself; cancelling them meanwhile stops it half way, and processes stay."""
    left = leave_after_first(lambda future: future.set_exception(BrokenProcessPool("a process ended")))
    assert [future.cancelled() for future in left] == [False, False]
