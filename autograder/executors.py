"""Who does the work: processes of this computer, or workers of a dask cluster. Knows nothing of grading.

What enters: what a worker does once (`start`) and what it does with each item (`do`). What leaves: every item
exactly once, with its result, or with the error of the worker that it brings down each time. A worker that is
lost costs nothing but time: its items are done again by others.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import multiprocessing.util
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from queue import SimpleQueue
from typing import Any, Protocol
from uuid import uuid4

from autograder.folders import CourseError

# So many items are with the executor at a time: enough for a cluster to see that it should grow, few enough that
# a hundred thousand of them do not lie in memory.
WINDOW = 1_000
IDLE_SECONDS = 60.0
CONNECT_SECONDS = 20.0
PR_SET_PDEATHSIG = 1
INSTALL = (
    "Grading on a cluster needs dask.distributed, which is not installed. In the project's folder run `make cluster`, "
    "or `pip install --require-hashes -r pins.txt -r pins-cluster.txt`."
)
NO_SCHEDULER = "No scheduler answers at {address} ({error}). Start one with `dask scheduler`; see docs/cluster.md."
SCHEDULER_GONE = (
    "The scheduler at {address} is gone. What was finished is kept: start the scheduler and its workers again, then "
    "run the same command again."
)


_loaded: dict[str, int] = {}


def code_changed() -> bool:
    """Did a source file of the course change after this process loaded it? Asked at each start of a run."""
    modules = [module for name, module in sys.modules.items() if name.split(".")[0] in ("autograder", "course_lib")]
    files = [file for file in (getattr(module, "__file__", None) for module in modules) if file]
    return any([_loaded.setdefault(file, mtime) != mtime for file in files for mtime in [os.stat(file).st_mtime_ns]])


class Closing(Protocol):
    """What a worker keeps between items."""

    def close(self) -> None:
        """Give back what it holds."""


@dataclass(frozen=True)
class Work:
    """What workers do. Both functions travel to other processes, so they are functions of modules.

    Args:
        start: makes what a worker keeps.
        do: does one item with it, and lets no exception out.
    """

    start: Callable[[], Closing]
    do: Callable[[Any, Any], Any]


def on_processes(work: Work, items: Sequence[Any], processes: int) -> Iterator[tuple[Any, Any]]:
    """Do every item in processes of this computer.

    Args:
        work: what to do.
        items: with what.
        processes: how many.

    Yields:
        Each item once with its result, or with the exception that its process ended with twice, alone.
    """
    waiting, alone, stuck = dict(enumerate(items)), 0, 0
    while waiting:
        batch = list(waiting.items())[: alone or None]
        before = len(waiting)
        try:
            for number, result in _batch(work, batch, 1 if alone else processes):
                yield waiting.pop(number), result
            alone = 0
        except BrokenProcessPool as error:
            # The next ones are done by one process: the item that brings a process down then names itself.
            alone, stuck = 2 * processes + 1, 0 if len(waiting) < before else stuck + 1
            if stuck > 1:
                stuck = 0
                yield waiting.pop(next(iter(waiting))), error


def _batch(work: Work, batch: Sequence[tuple[int, Any]], processes: int) -> Iterator[tuple[int, Any]]:
    start = (work, os.getpid())
    with ProcessPoolExecutor(processes, _context(), initializer=_begin, initargs=start) as executor:
        for (number, _), future in _spread(executor, _do, batch):
            yield number, future.result()


def _context() -> multiprocessing.context.BaseContext:
    # A fork starts warm. But a child that is forked while Torch's threads exist waits for them for ever.
    return multiprocessing.get_context("spawn" if "torch" in sys.modules else "fork")


def _spread(executor: Executor, task: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[tuple[Any, Future]]:
    """Items and their finished futures, in the order in which they are finished."""
    rest = iter(items)
    finished: SimpleQueue[Future] = SimpleQueue()
    running: dict[Future, Any] = {}

    def submit(count: int) -> None:
        for item in islice(rest, count):
            future = executor.submit(task, item)
            running[future] = item
            future.add_done_callback(finished.put)

    try:
        submit(WINDOW)
        while running:
            future = finished.get()
            item = running.pop(future)
            if not future.cancelled() and isinstance(future.exception(), BrokenExecutor):
                # The pool is about to end the others with the same error; who cancels them now disturbs it there.
                running.clear()
            else:
                submit(1)
            yield item, future
    finally:
        for future in running:
            future.cancel()


_process: tuple[Work, Closing] | None = None


def _begin(work: Work, parent: int) -> None:
    """Start a worker process: it ends with its parent, however that ends."""
    global _process
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    _process = work, work.start()
    # Worker processes leave without `atexit`; this runs there and here, and waits until all is closed.
    multiprocessing.util.Finalize(None, _process[1].close, exitpriority=10)


def _do(numbered: tuple[int, Any]) -> Any:
    assert _process is not None
    work, kept = _process
    return work.do(kept, numbered[1])


def on_cluster(work: Work, items: Iterable[Any], address: str) -> Iterator[tuple[Any, Any]]:
    """Do every item on the workers of a dask cluster, those that join later too.

    Args:
        work: what to do; the workers must be able to import it.
        items: with what.
        address: the scheduler's, such as ``tcp://127.0.0.1:8786``.

    Yields:
        Each item once with its result, or with the exception that its workers ended with, alone.

    Raises:
        CourseError: dask.distributed is missing, or the scheduler is.
    """
    with _connected(address) as client:
        from distributed import KilledWorker

        run, suspects = uuid4().hex, []
        task = partial(_do_on_worker, run, work)
        executor = client.get_executor(pure=False, retries=2)
        for item, future in _spread(executor, task, items):
            try:
                yield item, future.result()
            except KilledWorker:
                suspects.append(item)
        for item in suspects:
            # Several workers ended while they had it. So may innocent ones: now it is alone.
            try:
                yield item, executor.submit(task, item).result()
            except KilledWorker as error:
                yield item, error
        client.run(_rest_soon, run)


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError:
        raise CourseError(INSTALL) from None
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise CourseError(NO_SCHEDULER.format(address=address, error=str(error).split("\n")[0])) from None
    try:
        yield client
    except CancelledError:
        raise CourseError(SCHEDULER_GONE.format(address=address)) from None
    finally:
        # Closing tells the scheduler to forget what nobody waits for; a scheduler that is gone needs no telling.
        with suppress(OSError, RuntimeError):
            client.close(timeout=5)


def _do_on_worker(run: str, work: Work, item: Any) -> Any:
    # A sandbox belongs to the thread that started it: the kernel ends it with that thread.
    key = run, threading.get_ident()
    return _kept.setdefault(key, _Kept(key, work)).do(item)


def _rest_soon(run: str) -> None:
    """Close what a run kept on this worker; elsewhere, because the worker's event loop must not wait."""
    for kept in [kept for key, kept in list(_kept.items()) if key[0] == run]:
        threading.Thread(target=kept.rest, daemon=True).start()


class _Kept:
    """What a thread of a cluster's worker keeps for one run; closed when the run ends, or forgets it.

    Args:
        key: run and thread.
        work: what to do.
    """

    def __init__(self, key: tuple[str, int], work: Work) -> None:
        self._key = key
        self._work = work
        self._state: Closing | None = None
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def do(self, item: Any) -> Any:
        """Do an item; what is kept is started when it is needed."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            if self._state is None:
                self._state = self._work.start()
            try:
                return self._work.do(self._state, item)
            finally:
                self._timer = threading.Timer(IDLE_SECONDS, self.rest)
                self._timer.daemon = True
                self._timer.start()

    def rest(self) -> None:
        """Close what is kept, when nothing is being done."""
        with self._lock:
            _kept.pop(self._key, None)
            if self._timer is not None:
                self._timer.cancel()
            if self._state is not None:
                self._state.close()
                self._state = None


_kept: dict[tuple[str, int], _Kept] = {}
