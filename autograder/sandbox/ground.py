"""What the walled side stands on: finds the interpreter, its libraries and packages on this computer.

What enters: the caller's view folder. What leaves: a `Ground` of paths to carry inside. Trusted side only.
The interpreter may lie where only root may go, and is carried to a neutral place; the libraries it needs are
carried one by one, so that nothing else of the system comes along.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from autograder.sandbox.walls import Ground

MODULES = ("__init__", "sandbox/__init__", "sandbox/worker", "sandbox/walls", "sandbox/wire", "sandbox/seccomp")
# Tk would bring the libraries of a desktop along.
LEFT_OUT = ("_tkinter",)
_LOADER = re.compile(r"^\s+(/\S*ld-\S+) \(", re.MULTILINE)


class GroundError(Exception):
    """Something that must be carried inside is missing or cannot be read there."""


def find_ground(view: Path, *, torch: bool) -> Ground:
    """Find everything that is carried inside.

    Args:
        view: folder with the `course_lib` package that learners' code sees.
        torch: carry Torch and what it needs.

    Raises:
        GroundError: with a sentence that names what is missing and the remedy.
    """
    view = Path(view).resolve()
    if not (view / "course_lib" / "__init__.py").is_file():
        raise GroundError(f"{view} has no course_lib package; build the view first")
    package = Path(__file__).resolve().parents[1]
    course = {f"autograder/{name}.py": str(package / f"{name}.py") for name in MODULES}
    python, library, loader, libraries, packages, folder = _interpreter(("numpy", "torch") if torch else ("numpy",))
    if os.geteuid() == 0:
        _must_be_readable([python, library, *packages, *course.values(), *map(str, view.rglob("*"))])
    entries = sorted(str(path) for path in view.iterdir())
    lib_name = sys.platlibdir
    return Ground(python, library, lib_name, loader, libraries, packages, folder, entries, course)


@lru_cache(maxsize=4)
def _interpreter(names: Sequence[str]) -> tuple[str, str, str, dict[str, str], list[str], str]:
    python = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    library = os.path.realpath(os.path.dirname(os.__file__))
    packages, folder = _packages(names)
    programs = [python, *map(str, sorted(Path(library, "lib-dynload").glob("*.so")))]
    for package in packages:
        programs += map(str, sorted(Path(package).rglob("*.so*")))
    wanted = [program for program in programs if not os.path.basename(program).startswith(LEFT_OUT)]
    loader, libraries = _libraries(wanted, folder)
    return python, library, loader, libraries, packages, folder


def _packages(names: Iterable[str]) -> tuple[list[str], str]:
    """The entries that distributions and what they require have in the packages folder, and the folder."""
    waiting, seen, entries, folder = list(names), set(), set(), ""
    while waiting:
        name = waiting.pop()
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            if name in names:
                raise GroundError(f"{name} is not installed; run `pip install {name}`") from None
            continue
        folder = os.path.realpath(found.locate_file(""))
        tops = {file.parts[0] for file in found.files or ()} - {"..", "/", "__pycache__"}
        entries |= {os.path.join(folder, top) for top in tops if os.path.exists(os.path.join(folder, top))}
        seen.add(name)
        required = [text for text in found.requires or () if "extra ==" not in text]
        waiting += {re.match(r"[\w.-]+", text)[0] for text in required} - seen
    return sorted(entries), folder


def _libraries(programs: Sequence[str], folder: str) -> tuple[str, dict[str, str]]:
    """The dynamic loader and the shared libraries that programs need, beside those in the packages themselves."""
    listing = _traced(programs)
    loaders = _LOADER.findall(listing)
    if not loaders:
        listing = _one_by_one(programs)
        loaders = _LOADER.findall(listing)
    if not loaders:
        raise GroundError("ldd does not name the dynamic loader of the interpreter; a C library like glibc is needed")
    libraries: dict[str, str] = {}
    for name, path in re.findall(r"^\s+(\S+) => (/.*) \(0x", listing, flags=re.MULTILINE):
        if not os.path.realpath(path).startswith(folder + os.sep):
            libraries.setdefault(name, path)
    # Loaded by name when a thread is ended from C; nothing lists it.
    beside = Path(libraries.get("libc.so.6", "/")).with_name("libgcc_s.so.1")
    if beside.exists():
        libraries.setdefault(beside.name, str(beside))
    return loaders[0], libraries


def _traced(programs: Sequence[str]) -> str:
    """What the interpreter's own loader says of all together: fifty times as fast as `ldd`, which asks for each."""
    interpreter, *others = programs
    if any(mark in path for path in others for mark in " :"):
        # Both separate the names of what is loaded first.
        return ""
    traced = os.environ | {"LD_TRACE_LOADED_OBJECTS": "1", "LD_PRELOAD": ":".join(others)}
    return subprocess.run([interpreter, "-c", ""], env=traced, capture_output=True, text=True, check=False).stdout


def _one_by_one(programs: Sequence[str]) -> str:
    try:
        return subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        raise GroundError("ldd is not installed; run `apt-get install libc-bin`") from None


def _must_be_readable(paths: Iterable[str]) -> None:
    """Jobs of a root pool run as another user, who must be able to read what is carried inside."""
    for path in paths:
        mode = os.stat(path).st_mode
        if not mode & stat.S_IROTH or (stat.S_ISDIR(mode) and not mode & stat.S_IXOTH):
            raise GroundError(f"{path} can only be read by its owner; run `chmod -R o+rX` on it")
