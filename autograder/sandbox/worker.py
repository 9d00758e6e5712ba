"""The untrusted side: a warm server that forks one walled child per job, and what that child does.

Three processes. The server has NumPy loaded, never runs a line of a learner's code, and does nothing but fork. The
middle one gives up root, enters new namespaces and forks again. The child, alone in them, raises the inner
walls, hands a handle of itself to the pool and then executes pieces and plays cases until it is killed.

Whatever the child sends may be forged by the code it runs; the pool believes none of it.
"""

from __future__ import annotations
import __future__

import ast
import gc
import importlib
import json
import os
import random
import socket
import sys
import types
from importlib.machinery import ModuleSpec
from typing import Any

import numpy as np

from autograder.sandbox import walls, wire
from course_lib import cases, tree

READY, REFUSED = b"R", b"X"
MAX_TEXT = 500
SEED = 0
FEW_LINES = 500
FUTURE_FLAGS = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)


def main() -> None:
    """The server: warm up, say so, then fork once per request until the pool closes the connection."""
    standing = walls.Walls(**json.loads(sys.argv[1]))
    given = int(sys.argv[3])
    # By chance it may have the right number already; closing it then would end everything.
    if given != walls.CONTROL_FD:
        os.dup2(given, walls.CONTROL_FD)
        os.close(given)
    control = socket.socket(fileno=walls.CONTROL_FD)
    sys.path[:] = [entry for entry in sys.path if entry != walls.COURSE]
    _warm_up(standing, torch=sys.argv[2] == "torch")
    for number in range(3):
        os.dup2(os.open(os.devnull, os.O_RDWR), number)
    control.send(READY)
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, 1 << 16, 1)
        if not request:
            return
        pid = os.fork()
        if pid == 0:
            _middle(descriptors[0], standing, walls.Limits(**json.loads(request)))
        os.close(descriptors[0])
        os.waitpid(pid, 0)


def _warm_up(standing: walls.Walls, *, torch: bool) -> None:
    """Touch what every job needs, so that no job pays for it, and leave the state of a fresh start."""
    square = np.eye(8) + np.ones((8, 8))
    np.linalg.svd(square @ square)
    np.einsum("ij,jk->ik", square, square)
    np.random.default_rng(0).normal(size=3)
    if torch:
        _warm_up_torch()
    sys.meta_path.append(_Unavailable())
    walls.filter_program(standing)
    # The same draws in every job: the same submission gets the same verdict.
    np.random.seed(SEED)
    gc.collect()
    gc.freeze()


def _warm_up_torch() -> None:
    environment = dict(os.environ)
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    layer = torch.nn.Linear(3, 2)
    layer(torch.ones(1, 3)).sum().backward()
    for optimiser in (torch.optim.SGD, torch.optim.Adam):
        optimiser(layer.parameters(), lr=0.1).step()
    torch.manual_seed(SEED)
    # Torch leaves names of folders behind.
    os.environ.clear()
    os.environ.update(environment)


def _middle(job: int, standing: walls.Walls, limits: walls.Limits) -> None:
    """Never returns: becomes the parent of the job, or says why it could not."""
    status = 1
    try:
        walls.leave_family(standing)
        if os.fork() == 0:
            _child(job, standing, limits)
        status = 0
    except BaseException as error:
        _refuse(job, error)
    finally:
        os._exit(status)


def _child(job: int, standing: walls.Walls, limits: walls.Limits) -> None:
    """Never returns: serves the job behind the walls, or says why they do not stand."""
    try:
        job = walls.close_descriptors(job, standing)
        handle = os.pidfd_open(os.getpid())
        walls.raise_inner_walls(standing, limits)
        sock = socket.socket(fileno=job)
        socket.send_fds(sock, [READY], [handle])
        os.close(handle)
    except BaseException as error:
        _refuse(job, error)
        os._exit(1)
    try:
        # Here, not in the server: `random` takes a new seed after each fork.
        random.seed(SEED)
        Session(sock).serve()
    finally:
        os._exit(0)


def _refuse(job: int, error: BaseException) -> None:
    sock = socket.socket(fileno=os.dup(job))
    sock.send(REFUSED)
    wire.write_message(sock, f"{type(error).__name__}: {error}"[:MAX_TEXT])


class Session:
    """What one child does: it answers `load` and `play` requests on one namespace.

    Args:
        sock: the job's socket.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.stream = wire.Stream(sock)
        self.namespace: dict[str, Any] = {}
        self.sources: dict[str, list[tuple[int, str]]] = {}
        self.compiled: dict[tuple[str, int, int, str], types.CodeType] = {}
        self.flags = 0

    def serve(self) -> None:
        """Answer requests until the pool goes away."""
        while True:
            request = wire.read_request(self.stream)
            try:
                if "load" in request:
                    self._reply(self.load(request["load"]))
                else:
                    # One reply per case: if one ends the process, those before it are known.
                    for case in request["play"]:
                        self._reply(self.play(case))
            except MemoryError:
                self.namespace.clear()
                wire.write_message(self.sock, {"stopped": "memory limit"})
            except wire.TooLargeError:
                wire.write_message(self.sock, {"stopped": "output limit"})

    def _reply(self, reply: tree.Tree) -> None:
        try:
            wire.write_message(self.sock, reply)
        except tree.TreeError as error:
            wire.write_message(self.sock, {"seen": None, "error": self.describe(error)})

    def load(self, request: tree.Tree) -> tree.Tree:
        """Execute pieces one by one; a failing one is recorded and the rest goes on."""
        if request["fresh"]:
            main_module = types.ModuleType("__main__")
            sys.modules["__main__"] = main_module
            self.namespace, self.sources, self.flags = main_module.__dict__, {}, 0
        text = request["source"].tobytes()
        errors, start = [], 0
        for label, line, length in zip(request["labels"], request["lines"], request["lengths"], strict=True):
            source = text[start : start + length].decode("utf-8", "replace")
            start += length
            error = self._execute(label, int(line), source)
            errors += [error] if error else []
        return {"errors": errors}

    def _execute(self, label: str, line: int, source: str) -> tree.Tree | None:
        self.sources.setdefault(label, []).append((line, source))
        try:
            code = self._compile(label, line, source)
        except SyntaxError as error:
            return self.describe(error, label, error.lineno or line)
        except BaseException as error:
            return self.describe(error, label, line)
        try:
            exec(code, self.namespace)
        except BaseException as error:
            return self.describe(error, label, line)
        return None

    def _compile(self, label: str, line: int, source: str) -> types.CodeType:
        # Answers have imports and helpers in common.
        key = label, line, self.flags, source
        code = self.compiled.get(key) or self._compiled_at(line, source, label)
        self.compiled[key] = code
        # A statement of the first cell such as `from __future__ import annotations` holds for all that follow.
        self.flags |= code.co_flags & FUTURE_FLAGS
        return code

    def _compiled_at(self, line: int, source: str, label: str) -> types.CodeType:
        """Code that knows on which line of its cell it stands: by empty lines, or in a long cell by moving its tree."""
        if line <= FEW_LINES:
            return compile("\n" * (line - 1) + source, label, "exec", self.flags, dont_inherit=True)
        # Each statement is compiled by itself: with empty lines, a cell would cost the square of its length.
        try:
            syntax = compile(source, label, "exec", ast.PyCF_ONLY_AST | self.flags, dont_inherit=True)
        except SyntaxError as error:
            error.lineno = (error.lineno or 1) + line - 1
            raise
        ast.increment_lineno(syntax, line - 1)
        return compile(syntax, label, "exec", self.flags, dont_inherit=True)

    def play(self, request: tree.Tree) -> tree.Tree:
        """Play one case on the namespace of the last load."""
        try:
            seen = cases.run(cases.case_from_tree(request), self.namespace)
            return {"seen": {label: _plain(value) for label, value in seen.items()}, "error": None}
        except cases.StepError as error:
            return {"seen": None, "error": {**self.describe(error.__cause__), "step": error.step.name[:MAX_TEXT]}}
        except BaseException as error:
            return {"seen": None, "error": self.describe(error)}

    def describe(self, error: BaseException, label: str = "", line: int = 0) -> dict[str, tree.Tree]:
        """An error as plain data, at the innermost line of the learner's own code.

        Args:
            error: may lie about its class, its text and everything else.
            label: label to report when no line of the learner's code was running.
            line: line to report then.
        """
        for frame, number in _frames(error):
            if frame.f_code.co_filename in self.sources:
                label, line = frame.f_code.co_filename, number
        return {
            "type": str(type.__dict__["__name__"].__get__(type(error)))[:MAX_TEXT],
            "message": _message(error),
            "label": str(label)[:MAX_TEXT],
            "line": int(line or 0),
            "text": self._text(label, line).strip()[:MAX_TEXT],
            "step": "",
        }

    def _text(self, label: str, line: int) -> str:
        """A line of a cell, or "" where no piece has it; of several pieces, the last one's."""
        for first, source in reversed(self.sources.get(label, [])):
            lines = source.splitlines()
            if first <= line < first + len(lines):
                return lines[line - first]
        return ""


def _frames(error: BaseException) -> list[tuple[types.FrameType, int]]:
    # Through the base class: a learner's exception may define __traceback__ itself.
    trace = BaseException.__dict__["__traceback__"].__get__(error)
    frames = []
    while trace is not None:
        frames.append((trace.tb_frame, trace.tb_lineno))
        trace = trace.tb_next
    return frames


def _message(error: BaseException) -> str:
    try:
        # The text of a syntax error repeats the line, counted from the start of its piece.
        text = error.msg if type(error) in (SyntaxError, IndentationError, TabError) else str(error)
        # Through str itself: what __str__ returned may be a subclass with a method of its own.
        return str.__getitem__(text, slice(MAX_TEXT))
    except BaseException:
        return "the error's own text could not be read"


def _plain(value: Any) -> Any:
    """A Torch tensor as an array; everything else as it is."""
    torch = sys.modules.get("torch")
    if torch is not None and not isinstance(torch, Placeholder) and type(value) is torch.Tensor:
        return value.detach().cpu().numpy()
    return value


class _Unavailable:
    """The last resort of the learner's imports: what is not there becomes a `Placeholder`."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """A spec for a placeholder, or None where a failing import is the honest answer."""
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top == "numpy" or _imported_by_library():
            return None
        return ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> Placeholder:
        """An empty placeholder of that name."""
        return Placeholder(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """A placeholder has nothing to execute."""


def _imported_by_library() -> bool:
    """The standard library and NumPy try imports and expect them to fail; they must go on failing."""
    frame = sys._getframe(1)
    machinery = (__file__, "<frozen importlib._bootstrap", f"{os.path.dirname(os.__file__)}/importlib/__init__.py")
    while frame is not None and frame.f_code.co_filename.startswith(machinery):
        frame = frame.f_back
    origin = frame.f_code.co_filename if frame else ""
    return origin.startswith(("<frozen", walls.PYTHON, walls.PACKAGES))


class Placeholder(types.ModuleType):
    """A module, function or class that is not available while grading. Using it raises `ImportError`."""

    def __getattr__(self, name: str) -> Placeholder:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return Placeholder(f"{self.__name__}.{name}")

    def __getitem__(self, key: Any) -> Placeholder:
        # Annotations subscript and join types; a definition must not be lost to its annotations.
        return self

    def __or__(self, other: Any) -> Placeholder:
        return self

    __ror__ = __or__

    def __mro_entries__(self, bases: Any) -> tuple[type, ...]:
        # Without this, deriving from a placeholder fails with a sentence about metaclasses.
        return self()


def _use(self: Placeholder, *args: Any, **kwargs: Any) -> Any:
    raise ImportError(f"{self.__name__.partition('.')[0]} is not available while grading")


for _name in (
    "call iter next len bool enter exit contains setitem delitem instancecheck subclasscheck int float index "
    "complex array add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow matmul "
    "rmatmul neg pos abs invert lt le gt ge and rand xor rxor await"
).split():
    setattr(Placeholder, f"__{_name}__", _use)
