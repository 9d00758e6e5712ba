"""What a submission sees as `course_lib` inside the walls: earlier lessons' kernels, nothing that gives answers away.

A view is a folder with a `course_lib` package: the modules that the worker itself needs, `erf`, the NumPy kernels
without every function that this lesson or a later one grades (and without what calls those), exam numbers
without answers, and a `check` that does nothing. It is mounted read-only.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from autograder.course import Lesson
from autograder.exam import numbers_of
from autograder.files import scratch_folder
from course_lib.exam import VARIANTS

COURSE_LIB = Path(__file__).parent.parent / "course_lib"
# What the worker needs, and `erf`, which answers may import: there is no SciPy inside the walls.
_SHARED = ("tree", "cases", "probes", "erf")

_INIT = '''"""The course's library as it is while grading: no checks, no pictures, no answers."""

import hashlib
import json
from pathlib import Path

_NUMBERS = json.loads((Path(__file__).parent / "exam_numbers.json").read_text())


def check(*_args, **_kwargs):
    """Does nothing here: judging happens outside."""


def ready(**_answers):
    """Nothing is ready here: labs are not run."""
    return False


def exam_sheet(*_args, **_kwargs):
    """Shows nothing here."""


def exam_numbers(question, *, learner="self-study"):
    """The numbers of one question for one learner."""
    lesson, variants = _NUMBERS[question]
    return dict(variants[hashlib.sha256(f"{lesson}\\0{str(learner).strip().casefold()}".encode()).digest()[0]])
'''


def build_view(lesson: Lesson, graded: Collection[str], folder: Path) -> Path:
    """Make the view of a lesson, or find the one made before.

    Args:
        lesson: the lesson that is graded.
        graded: ids of the exercises of this lesson and all later ones.
        folder: where views are kept.

    Returns:
        The view's folder.
    """
    view = folder / f"{lesson.id}-{_digest(lesson, graded)[:16]}"
    if not view.exists():
        files = view_files(lesson, graded)
        # Worker processes start together and build the same view: each its own, and one of them is kept.
        with scratch_folder(folder, view.name) as part:
            for name, text in files.items():
                path = part / "course_lib" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            _readable(part)
            try:
                part.replace(view)
            except OSError:
                if not view.is_dir():
                    raise
    return view


def _digest(lesson: Lesson, graded: Collection[str]) -> str:
    """Hash of all that a view is made from: taking the library apart again for each run would cost more."""
    exercises = Path(__file__).parent / "exercises"
    sources = [*COURSE_LIB.glob("*.py"), *(COURSE_LIB / "numpy_kernels").glob("*.py"), *exercises.glob("*.py")]
    digest = hashlib.sha256(repr((lesson.id, sorted(graded))).encode())
    for path in [Path(__file__), *sorted(sources)]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _readable(folder: Path) -> None:
    # The walled process is another user than the one who grades.
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def view_files(lesson: Lesson, graded: Collection[str]) -> dict[str, str]:
    """Name to text of every file in the view's `course_lib`."""
    files = {"__init__.py": _INIT}
    files["exam_numbers.json"] = json.dumps(_exam_numbers(lesson))
    sources = {path.name: path.read_text() for path in sorted((COURSE_LIB / "numpy_kernels").glob("*.py"))}
    for name, text in without_functions(sources, graded).items():
        files[f"numpy_kernels/{name}"] = text
    return files | _shared([*_SHARED, *_imported(text for name, text in files.items() if name.endswith(".py"))])


def _imported(texts: Iterable[str]) -> list[str]:
    """Modules of the library, the kernels apart, that some Python text imports."""
    nodes = [node for text in texts for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    found = {node.module.split(".")[1] for node in nodes if (node.module or "").startswith("course_lib.")}
    found |= {alias.name for node in nodes if node.module == "course_lib" for alias in node.names}
    return sorted(found - {"numpy_kernels"})


def _shared(names: Sequence[str]) -> dict[str, str]:
    """The modules beside the kernels that the worker and the kernels import, and what those import."""
    files: dict[str, str] = {}
    pending = list(names)
    while pending:
        name = pending.pop()
        if f"{name}.py" not in files:
            files[f"{name}.py"] = (COURSE_LIB / f"{name}.py").read_text()
            pending += _imported([files[f"{name}.py"]])
    return files


def _exam_numbers(lesson: Lesson) -> dict[str, list]:
    return {q.id: [lesson.id, [numbers_of(q, variant) for variant in range(VARIANTS)]] for q in lesson.questions}


def without_functions(sources: dict[str, str], names: Collection[str]) -> dict[str, str]:
    """Cut functions and classes out of modules, with everything that mentions them and helpers that only they need.

    Args:
        sources: file name to text of the modules of one package.
        names: functions and classes to cut out.
    """
    trees = {name: ast.parse(text) for name, text in sources.items()}
    hidden = _hidden(list(trees.values()), set(names))
    hidden = _idle_helpers(trees, hidden)
    return {name: _render(tree, hidden[name]) for name, tree in trees.items()}


def _hidden(trees: Sequence[ast.Module], hidden: set[str]) -> set[str]:
    while True:
        more = {
            node.name
            for tree in trees
            for node in tree.body
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name not in hidden and _mentions(node, hidden)
        }
        if not more:
            return hidden
        hidden |= more


def _idle_helpers(trees: Mapping[str, ast.Module], hidden: set[str]) -> dict[str, set[str]]:
    """What is hidden in each module, with the private functions that nothing kept mentions.

    Half of an answer may lie in those. Modules may have private functions of one name that are not the same.
    """
    gone = {name: set(hidden) for name in trees}
    while True:
        kept = {name: [node for node in tree.body if _name(node) not in gone[name]] for name, tree in trees.items()}
        idle = {
            (name, _name(node))
            for name, nodes in kept.items()
            for node in nodes
            if _name(node).startswith("_") and not _is_used(node, name, kept)
        }
        if not idle:
            for name, nodes in kept.items():
                gone[name] |= {found for found in _imports(nodes) if found.startswith("_")} - _used(nodes)
            return gone
        for name, helper in idle:
            gone[name].add(helper)


def _is_used(helper: ast.stmt, home: str, kept: Mapping[str, Sequence[ast.stmt]]) -> bool:
    name = _name(helper)
    places = [nodes for module, nodes in kept.items() if module == home or name in _imports(nodes)]
    return any(_mentions(node, {name}) for nodes in places for node in nodes if node is not helper)


def _used(nodes: Iterable[ast.stmt]) -> set[str]:
    return {part.id for node in nodes for part in ast.walk(node) if isinstance(part, ast.Name)}


def _name(node: ast.stmt) -> str:
    return node.name if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else ""


def _imports(nodes: Iterable[ast.stmt]) -> set[str]:
    return {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}


def _mentions(node: ast.AST, names: set[str]) -> bool:
    parts = ast.walk(node)
    return any(
        (isinstance(part, ast.Name) and part.id in names) or (isinstance(part, ast.Attribute) and part.attr in names)
        for part in parts
    )


def _render(tree: ast.Module, hidden: set[str]) -> str:
    body = [kept for node in tree.body if (kept := _kept(node, hidden)) is not None]
    return ast.unparse(ast.Module(body or [ast.Pass()], type_ignores=[])) + "\n"


def _kept(node: ast.stmt, hidden: set[str]) -> ast.stmt | None:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return None if node.name in hidden else node
    if isinstance(node, ast.ImportFrom):
        names = [alias for alias in node.names if alias.name not in hidden]
        return ast.ImportFrom(node.module, names, node.level) if names else None
    if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
        return None
    return None if _mentions(node, hidden) else node
