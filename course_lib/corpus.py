"""Sentences from the docstrings of installed packages: real text that is always there.

What enters: names of packages. What leaves: for each the same number of sentences, cleaned, none twice. The
packages' source files are read, not imported: that is quick, and nothing in them runs.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import random
import re
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from course_lib.downloads import cache_folder
from course_lib.validate import check_count

PACKAGES = ("matplotlib", "numpy", "scipy", "sklearn", "torch")

_LEAST = 10
_WORDS = range(5, 31)
_FILE_SHARE = 20  # no file gives more than this part of a package's sentences
_LONGEST_FILE = 100_000  # bytes
_NOT_THEIRS = {"_vendor", "_examples", "examples", "externals", "extern", "test", "testing", "tests"}
_ALSO_CALLED = {"matplotlib": ("mpl", "pyplot", "plt"), "numpy": ("np",), "scipy": ("sp",), "sklearn": ("scikit",)}

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_BLOCKS = ("body", "orelse", "handlers", "finalbody")
_PARAGRAPH_ENDS = re.compile(r"\n\s*\n")
_NO_PROSE = re.compile(r">>>|^\s*(?:\.\. |[-=~^]{3})", re.MULTILINE)
_MARKED_WORD = re.compile(r"(?<![:\w])(`{1,2}|\*{1,2})(\w+)\1")
_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_SENTENCE = re.compile(r"[A-Z](?:[A-Za-z0-9 ,;'()-])*[a-z)][.?!]")
_IDENTIFIER = re.compile(r"[a-z][A-Z][a-z]|[A-Z]{2}[a-z]{2}|\w\(\w*\)|[a-z]\d")
_NOT_LETTERS = re.compile(r"[^a-z]+")

_NOT_INSTALLED = "The package {name!r} is not installed here, or is no package. Leave it out of packages=."
_TWICE = "packages names {name!r} twice."
_NO_PACKAGES = "packages is {packages!r}; expected a list of at least two names, such as ['numpy', 'torch']."
_TOO_FEW = "{name} has {count} fit sentences. Ask for fewer: per_package={count} or less."


def harvest(packages: Sequence[str], per_package: int, cache: str | Path | None = None) -> list[list[str]]:
    """The same number of sentences from each package, in an order that keeps a file's sentences together.

    Args:
        packages: at least two names to import packages by.
        per_package: how many sentences of each; at least 10.
        cache: the folder for what was found; as for `fetch`. The same versions are read once.

    Raises:
        ValueError: a package is not installed, named twice, or has too few sentences.
    """
    _check_names(packages)
    count = check_count("per_package", per_package, _LEAST)
    kept = _cache_file(packages, count, cache)
    found = _read(kept, len(packages), count)
    if found is None:
        found = _harvest(packages, count)
        _write(kept, found)
    return found


def _check_names(packages: Sequence[str]) -> None:
    if isinstance(packages, str) or len(packages) < 2:
        raise ValueError(_NO_PACKAGES.format(packages=packages))
    for i, name in enumerate(packages):
        if name in packages[:i]:
            raise ValueError(_TWICE.format(name=name))
        _package_folder(name)


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name) if str(name).isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(_NOT_INSTALLED.format(name=name))
    return Path(next(iter(spec.submodule_search_locations)))


def _harvest(packages: Sequence[str], count: int) -> list[list[str]]:
    seen: set[str] = set()
    given_away = _given_away_by(packages)
    found = []
    for name in packages:
        sentences: list[str] = []
        for path in _files(name):
            if len(sentences) >= count:
                break
            sentences += _new_sentences(path, given_away, seen)[: max(1, count // _FILE_SHARE)]
        if len(sentences) < count:
            raise ValueError(_TOO_FEW.format(name=name, count=len(sentences)))
        found.append(sentences[:count])
    return found


def _given_away_by(packages: Sequence[str]) -> re.Pattern[str]:
    """What a sentence must not hold: names inside words too, as in PyTorch; short nicknames as whole words."""
    nicknames = [nick for name in packages for nick in _ALSO_CALLED.get(name, ())]
    return re.compile("|".join([*map(re.escape, packages), *(rf"\b{nick}\b" for nick in nicknames)]), re.IGNORECASE)


def _files(name: str) -> list[Path]:
    """A package's own modules, mixed in an order that is always the same."""
    folder = _package_folder(name)
    names = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [sub for sub in folders if sub not in _NOT_THEIRS]
        inside = Path(parent).relative_to(folder)
        names += [(inside / file).as_posix() for file in files if file.endswith(".py")]
    names.sort()
    random.Random(name).shuffle(names)
    return [folder / inside for inside in names]


def _new_sentences(path: Path, given_away: re.Pattern[str], seen: set[str]) -> list[str]:
    found = []
    for sentence in _sentences(path):
        letters = _NOT_LETTERS.sub(" ", sentence.lower())
        if letters not in seen and not given_away.search(sentence):
            seen.add(letters)
            found.append(sentence)
    return found


def _sentences(path: Path) -> Iterator[str]:
    """The plain sentences in a file's docstrings."""
    for docstring in _docstrings(path):
        for paragraph in _PARAGRAPH_ENDS.split(docstring):
            if not _NO_PROSE.search(paragraph):
                text = _MARKED_WORD.sub(r"\2", " ".join(paragraph.split()))
                yield from filter(_is_plain, _SENTENCE_ENDS.split(text))


def _is_plain(sentence: str) -> bool:
    return (
        len(sentence.split()) in _WORDS
        and _SENTENCE.fullmatch(sentence) is not None
        and _IDENTIFIER.search(sentence) is None
        and sentence.count("(") == sentence.count(")")
    )


def _docstrings(path: Path) -> Iterator[str]:
    try:
        if path.stat().st_size > _LONGEST_FILE:
            return  # the few longest files take the most time, and may give no more than the others
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes in other people's strings
            tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # a template, or in another language level: no text from here
    # ast.walk would also look into every expression: twice the time, and no docstring more.
    statements: list[ast.AST] = [tree]
    for node in statements:
        for block in _BLOCKS:
            statements += getattr(node, block, ())
        if isinstance(node, _DOCUMENTED) and (docstring := ast.get_docstring(node)):
            yield docstring


def _cache_file(packages: Sequence[str], count: int, cache: str | Path | None) -> Path | None:
    """Where the sentences of these versions are kept, made by these rules; None when a version is unknown."""
    owners = importlib.metadata.packages_distributions()
    if any(name not in owners for name in packages):
        return None
    versions = [(name, [importlib.metadata.version(owner) for owner in sorted(set(owners[name]))]) for name in packages]
    rules = Path(__file__).read_bytes()
    key = hashlib.sha256(repr((versions, count)).encode() + rules).hexdigest()[:16]
    return cache_folder(cache) / "docstrings" / f"{key}.json"


def _read(path: Path | None, packages: int, count: int) -> list[list[str]] | None:
    try:
        found = json.loads(path.read_text("utf-8")) if path else None
        if [len(sentences) for sentences in found or ()] == [count] * packages:
            return found
    except (OSError, ValueError, TypeError):
        pass  # missing or damaged: read the packages again
    return None


def _write(path: Path | None, found: list[list[str]]) -> None:
    """Keep for the next time, where that is possible; whole or not at all."""
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(found, file)
        os.replace(part, path)
    except OSError:
        pass  # a folder that cannot be written costs time only
