"""The docstring corpus: real sentences, clean, balanced, the same every time, from few files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import pytest

from course_lib import corpus
from course_lib.corpus import PACKAGES, harvest

ROOT = Path(__file__).resolve().parents[1]
FILLER = "This is plain sentence {i} about the subject of {name}."
SMALL = ("nbconvert", "rich")
SPELLED = "zero one two three four five six seven eight nine".split()

Maker = Callable[..., str]


@pytest.fixture
def make_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maker:
    """Makes a package from file names and texts, with filler sentences so that there are enough; returns its name."""
    monkeypatch.syspath_prepend(tmp_path / "packages")

    def make(name: str, files: dict[str, str], filler: int = 40) -> str:
        for i in range(filler):
            words = " ".join(SPELLED[int(digit)] for digit in f"{i:02}")
            files = {**files, f"filler_{i}.py": f'"""{FILLER.format(i=words, name=name[::-1])}"""'}
        for file, text in {"__init__.py": "", **files}.items():
            path = tmp_path / "packages" / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return name

    return make


def from_docstring(make_package: Maker, docstring: str, **more: str) -> set[str]:
    """What the corpus takes from one docstring, of all sentences that are there."""
    text = f"def f():\n    '''{docstring}'''\n"
    mine = make_package("firstpack", {"only.py": text, **more}, filler=0)
    other = make_package("otherpack", {})
    return set(
        corpus._new_sentences(corpus._package_folder(mine) / "only.py", corpus._given_away_by([mine, other]), set())
    )


@pytest.fixture(scope="module")
def read() -> Counter[Path]:
    """How often each file was read for the default corpus."""
    return Counter()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, read: Counter[Path]) -> list[list[str]]:
    """The default corpus, read for the first time."""
    sentences = corpus._sentences

    def counted(path: Path) -> Iterator[str]:
        read[path] += 1
        return sentences(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "_sentences", counted)
        return harvest(PACKAGES, 1000, tmp_path_factory.mktemp("cache"))


def test_default_corpus_reads_little(real: list[list[str]], read: Counter[Path]) -> None:
    """No file is read twice, and no more than a quarter of the packages' files are read at all."""
    assert real
    assert set(read.values()) == {1}
    assert 4 * len(read) < sum(len(corpus._files(name)) for name in PACKAGES)


def test_default_corpus_is_balanced(real: list[list[str]]) -> None:
    """Every package gives 1,000 sentences of 5 to 30 words."""
    assert [len(sentences) for sentences in real] == [1000] * len(PACKAGES)
    assert {len(s.split()) for sentences in real for s in sentences} <= set(range(5, 31))


def test_default_corpus_has_no_duplicates(real: list[list[str]]) -> None:
    """No sentence comes twice, in one package or in two, not even with other numbers or signs."""
    letters = [{re.sub("[^a-z]+", " ", s.lower()) for s in sentences} for sentences in real]
    assert [len(found) for found in letters] == [1000] * len(PACKAGES)
    assert all(one.isdisjoint(other) for one, other in combinations(letters, 2))


def test_default_corpus_is_clean(real: list[list[str]]) -> None:
    """No package's name, no code, no formula: letters, blanks and the signs of plain sentences."""
    sentences = [s for found in real for s in found]
    names = r"numpy|scipy|matplotlib|torch|sklearn|scikit|\b(np|plt|mpl|pyplot)\b"
    assert [s for s in sentences if re.search(names, s, re.IGNORECASE)] == []
    assert [s for s in sentences if re.search(r"[^\w ,;'().?!-]|_|>>>", s)] == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Return the mean of all the values.",
        "Does the file (or folder) exist on disk?",
        "It's a well-known rule; see the notes, too.",
    ],
)
def test_plain_sentence_is_kept(make_package: Maker, sentence: str) -> None:
    """Ordinary prose comes through as it is."""
    assert from_docstring(make_package, f"{sentence}\n\n    More.") == {sentence}


def test_line_breaks_and_marks_vanish(make_package: Maker) -> None:
    """A sentence over two lines becomes one, and a marked word loses its marks."""
    found = from_docstring(
        make_package, "Return the ``axis`` of the *first*\n    array that `fits` here. Another one comes after it."
    )
    assert found == {"Return the axis of the first array that fits here.", "Another one comes after it."}


@pytest.mark.parametrize(
    "text",
    [
        "Too short here.",
        "It goes " + "on and " * 30 + "on.",
        "This one begins firstpack and so gives it away.",
        "This one names OtherPack, which gives the other away.",
        "Wrapped by pyfirstpack3 inside of a longer word.",
        "Call the function with x = 3 and look.",
        "Set the value of max_size to something else.",
        "Use the class MaskedArray for the other values.",
        "Call the method close() when you are done.",
        "The norm of :math:`x` is what comes out.",
        "See the page `the manual <there>`_ for more of it.",
        "lower case at the beginning is no sentence.",
        "No full stop at the end of this line",
        "Wrote a paper, Springer, New York, 1984.",
        "An open bracket (of some kind is left alone.",
        ">>> print(1)\\n    This is the output of some code.",
        ".. note:: This is a directive with some text.",
        "Parameters\\n    ----------\\n    This is under a heading of a table.",
    ],
)
def test_other_text_is_left_out(make_package: Maker, text: str) -> None:
    """Code, formulas, markup, headings, names, fragments and endless sentences are not taken."""
    kept = "This plain sentence stays in any case."
    assert from_docstring(make_package, f"{text}\n\n    {kept}".replace("\\n", "\n")) == {kept}


def test_nicknames_are_left_out() -> None:
    """A package's usual short name gives it away too, but only as a word."""
    given_away = corpus._given_away_by(["numpy", "sklearn"])
    assert given_away.search("Call np here")
    assert given_away.search("Scikit-learn does it")
    assert not given_away.search("Unplug the input")


def test_every_kind_of_docstring_is_read(make_package: Maker) -> None:
    """Modules, classes, functions and coroutines have docstrings; other strings are none."""
    text = (
        '"""The module says something in its head."""\nclass A:\n    """The class says something in its head."""\n'
        '    async def f(self):\n        """The coroutine says something in its head."""\n'
        'x = """This string is assigned to a name."""\n'
    )
    folder = corpus._package_folder(make_package("firstpack", {"only.py": text}, filler=0))
    assert {s.split()[1] for s in corpus._sentences(folder / "only.py")} == {"module", "class", "coroutine"}


def test_sentence_is_kept_once(make_package: Maker, tmp_path: Path) -> None:
    """A sentence in two packages, or with another number, is taken once."""
    shared = '"""Both of us say the very same {} things."""'
    one = make_package("firstpack", {"a.py": shared.format(3), "b.py": shared.format(4)}, filler=9)
    two = make_package("otherpack", {"a.py": shared.format(5)}, filler=10)
    found = harvest([one, two], 10, tmp_path / "cache")
    assert sum("very same" in s for sentences in found for s in sentences) == 1


def test_no_file_dominates(make_package: Maker, tmp_path: Path) -> None:
    """A file with many sentences gives a twentieth at most."""
    many = " ".join(f"The large file says {a} and {b}." for a in SPELLED for b in SPELLED)
    one = make_package("firstpack", {"large.py": f'"""{many}"""'}, filler=60)
    found = harvest([one, make_package("otherpack", {}, filler=60)], 60, tmp_path / "cache")
    assert sum("large file" in s for s in found[0]) <= 3


def test_tests_and_borrowed_code_are_left_out(make_package: Maker) -> None:
    """Test folders and code of others inside a package are not read."""
    text = '"""This file is not part of the library."""'
    name = make_package("firstpack", {f"{sub}/a.py": text for sub in ("tests", "_vendor", "sub/externals", "own")}, 0)
    files = [path.relative_to(corpus._package_folder(name)).as_posix() for path in corpus._files(name)]
    assert sorted(files) == ["__init__.py", "own/a.py"]


def test_unreadable_file_is_passed_over(make_package: Maker, tmp_path: Path) -> None:
    """A template or a file in another encoding does not stop the harvest."""
    one = make_package("firstpack", {"template.py": "{{ name }} = ("})
    (corpus._package_folder(one) / "bytes.py").write_bytes(b'"""\xff\xfe is no text."""')
    (corpus._package_folder(one) / "nul.py").write_bytes(b'"""x"""\0')
    assert len(harvest([one, make_package("otherpack", {})], 40, tmp_path / "cache")[0]) == 40


def test_odd_escape_costs_nothing(make_package: Maker) -> None:
    """A file that Python would warn about is read without a warning, which is an error here."""
    text = '"""This sentence stands beside an odd escape."""\nx = "\\d"\n'
    folder = corpus._package_folder(make_package("firstpack", {"odd.py": text}, filler=0))
    assert list(corpus._sentences(folder / "odd.py")) == ["This sentence stands beside an odd escape."]


def test_order_of_the_disk_does_not_matter(make_package: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are mixed in the same order wherever the system lists them in another one."""
    name = make_package("firstpack", {"sub/a.py": "", "sub/b.py": ""})
    before, walk = corpus._files(name), os.walk

    def backwards(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
        for parent, folders, files in walk(folder):
            yield parent, folders, sorted(files, reverse=True)

    monkeypatch.setattr(corpus.os, "walk", backwards)
    assert corpus._files(name) == before


def test_same_versions_same_sentences(make_package: Maker, tmp_path: Path) -> None:
    """A second harvest, without what was kept, gives the same sentences in the same order in a new process."""
    names = [make_package("firstpack", {}), make_package("otherpack", {})]
    code = f"from course_lib.corpus import harvest; print(harvest({names}, 20, {str(tmp_path / 'other')!r}))"
    path = os.pathsep.join([str(ROOT), str(tmp_path / "packages")])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(harvest(names, 20, tmp_path / "cache"))


def test_second_call_reads_what_was_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is harvested twice for the same versions; other numbers are another entry."""
    first = harvest(SMALL, 10, tmp_path)
    monkeypatch.setattr(corpus, "_docstrings", lambda _path: iter(()))
    assert harvest(SMALL, 10, tmp_path) == first
    with pytest.raises(ValueError, match="nbconvert has 0 fit sentences"):
        harvest(SMALL, 11, tmp_path)


def test_new_version_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was kept from another version of a package is not used."""
    before = corpus._cache_file(SMALL, 10, tmp_path)
    monkeypatch.setattr(corpus.importlib.metadata, "version", lambda _name: "99.0")
    assert corpus._cache_file(SMALL, 10, tmp_path) != before


@pytest.mark.parametrize("content", ["", "[[", "3", "[]", '[["one"], ["two"]]'])
def test_damaged_entry_is_replaced(tmp_path: Path, content: str) -> None:
    """What was kept and is damaged is read anew, and written again."""
    first = harvest(SMALL, 10, tmp_path)
    path = corpus._cache_file(SMALL, 10, tmp_path)
    assert path is not None
    whole = path.read_text()
    path.write_text(content)
    assert harvest(SMALL, 10, tmp_path) == first
    assert path.read_text() == whole


def test_unwritable_cache_costs_time_only(tmp_path: Path) -> None:
    """Without a folder to keep anything in, the sentences come all the same."""
    (tmp_path / "file").write_text("")
    assert len(harvest(SMALL, 10, tmp_path / "file")[0]) == 10


def test_packages_are_not_imported(tmp_path: Path) -> None:
    """Reading a package runs none of its code."""
    code = (
        f"import sys; from course_lib.corpus import harvest; harvest(('sklearn', 'torch'), 20, {str(tmp_path)!r});"
        "print([m for m in ('sklearn', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("packages", "count", "says"),
    [
        (["numpy", "nowhere"], 20, "The package 'nowhere' is not installed here"),
        (["numpy", "numpy.linalg"], 20, "The package 'numpy.linalg' is not installed here, or is no package"),
        (["numpy", "json.tool"], 20, "The package 'json.tool'"),
        (["numpy", "this"], 20, "The package 'this'"),
        (["numpy", "numpy"], 20, "names 'numpy' twice"),
        (["numpy"], 20, "expected a list of at least two names"),
        ("numpy", 20, "expected a list of at least two names"),
        (["numpy", "pooch"], 5000, "numpy has"),
        (["numpy", "torch"], 9, "per_package is 9; expected an integer of at least 10"),
    ],
)
def test_bad_request_is_explained(packages: list[str], count: int, says: str, tmp_path: Path) -> None:
    """A package that is not there, a name alone or too large a number: the message says what to change."""
    with pytest.raises(ValueError, match=re.escape(says)):
        harvest(packages, count, tmp_path)
