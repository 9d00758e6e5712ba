"""The static site: every link leads somewhere, formulas need no script, and the unsolved view gives nothing away."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from small_site import LESSONS as SMALL
from small_site import PROJECT, small_site

from autograder.catalogue import LESSONS
from autograder.folders import CourseError, Folders
from autograder.site import messages, runs
from autograder.site.build import Site, claim
from autograder.site.checks import problems
from autograder.site.dependence import cells_that_need_answers
from autograder.site.extension import FormulaError, mathml
from autograder.site.pages import introduction
from autograder.site.runs import kept_run, run_lesson

WELL = '<!doctype html><html lang="en"><title>x</title><p id="here">{}</p></html>'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The small site."""
    return small_site(tmp_path_factory.mktemp("small"))


@pytest.fixture
def page(site: Site):
    """A function that gives the text of a page."""
    return lambda name: (site.start.parent / name).read_text(encoding="utf-8")


def test_site_has_no_problem(site: Site) -> None:
    """Sphinx warns of nothing, every link and anchor leads somewhere, nothing comes from another host."""
    assert site.problems == ()
    assert site.pages == 2 * len(SMALL) + 6


def test_nothing_is_left_beside_the_site(site: Site) -> None:
    """Building makes one folder, and what it remembers lies in the course."""
    folder = site.start.parent
    assert {path.name for path in folder.parent.iterdir()} == {"course", folder.name}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<a href="gone.html">x</a>', messages.NO_PAGE.format(address="gone.html")),
        ('<a href="../outside.html">x</a>', messages.NO_PAGE.format(address="../outside.html")),
        ('<a href="#gone">x</a>', messages.NO_ANCHOR.format(address="#gone")),
        ('<a href="index.html#gone">x</a>', messages.NO_ANCHOR.format(address="index.html#gone")),
        ('<img src="https://cdn.example/x.png">', messages.STRANGER.format(address="https://cdn.example/x.png")),
        ('<script src="//cdn.example/x.js"></script>', messages.STRANGER.format(address="//cdn.example/x.js")),
        ('<link rel="stylesheet" href="gone.css">', messages.NO_PAGE.format(address="gone.css")),
        ('<b id="here">x</b>', messages.TWICE.format(name="here")),
    ],
)
def test_checker_finds_what_is_broken(tmp_path: Path, body: str, problem: str) -> None:
    """Each fault is found and named, with its page."""
    (tmp_path / "site").mkdir()
    (tmp_path / "outside.html").write_text(WELL)
    (tmp_path / "site" / "index.html").write_text(WELL.format(body))
    assert problems(tmp_path / "site") == [messages.BROKEN.format(page="index.html", problem=problem)]


def test_checker_accepts_links_to_papers(tmp_path: Path) -> None:
    """A plain link to another host is no problem, nor is a picture inside the page."""
    body = '<a href="https://arxiv.org">x</a><a href="#here">x</a><img src="data:image/png;base64,AA==">'
    (tmp_path / "index.html").write_text(WELL.format(body))
    assert problems(tmp_path) == []


def test_checker_wants_language_and_title(tmp_path: Path) -> None:
    """A page says its language and has a title."""
    (tmp_path / "index.html").write_text("<!doctype html><html><p>x</p></html>")
    assert [problem.partition(": ")[2] for problem in problems(tmp_path)] == [messages.NO_LANGUAGE, messages.NO_TITLE]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_every_formula_becomes_mathml(lesson) -> None:
    """No formula of a lesson holds a command that the site cannot show."""
    reader = MarkdownIt("commonmark").use(dollarmath_plugin)
    notebook = json.loads((PROJECT / "solutions" / lesson.id / f"{lesson.id}.ipynb").read_bytes())
    tokens = [token for cell in notebook["cells"] for token in reader.parse("".join(cell["source"]))]
    tokens += [child for token in tokens for child in token.children or ()]
    formulas = [token.content for token in tokens if token.type.startswith("math")]
    assert len(formulas) > 50
    assert all(mathml(formula).endswith("</math>") for formula in formulas)


@pytest.mark.parametrize("formula", [r"\nonsense{x}", r"\left( x"])
def test_bad_formula_is_named(formula: str) -> None:
    """A formula that cannot be shown stops the build and is quoted."""
    with pytest.raises(FormulaError, match=re.escape(repr(formula))):
        mathml(formula)


def test_formulas_need_no_script(page) -> None:
    """A page holds its formulas as MathML, and no dollar signs are left of them."""
    text = page("lessons/01_xor_mlp.html")
    assert text.count("<math ") > 100
    assert "$$" not in text and "mathjax" not in text.lower()


@pytest.mark.parametrize("lesson", SMALL)
def test_unsolved_page_gives_nothing_away(page, lesson: str) -> None:
    """No answer stands on the unsolved page; every one stands on the solved page."""
    notebooks = [json.loads((PROJECT / kind / lesson / f"{lesson}.ipynb").read_bytes()) for kind in _KINDS]
    solution, released = ({cell["id"]: "".join(cell["source"]) for cell in book["cells"]} for book in notebooks)
    told = _words("".join(released.values()))  # hints quote single lines
    lines = {line.strip() for name, text in solution.items() if text != released[name] for line in text.splitlines()}
    code = [
        line
        for line in lines
        if len(line) > 25 and "=" in line and not set("#`$") & set(line) and _words(line) not in told
    ]
    unsolved, solved = (_words(_text(page(f"{kind}/{lesson}.html"))) for kind in ("lessons", "solved"))
    assert len(code) > 20
    assert [line for line in code if _words(line) in unsolved] == []
    assert [line for line in code if _words(line) not in solved] == []


_KINDS = ("solutions", "notebooks")


def _text(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", page))


def _words(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_unsolved_page_shows_what_needs_no_answer(page) -> None:
    """Looks and pictures are there; a cell that needs an answer says so, and no check complains."""
    text = page("lessons/01_xor_mlp.html")
    assert "stillModel(" in text and "data:image/png;base64" in text
    assert messages.NEEDS_AN_ANSWER in text and "what only the solved page shows" not in text
    assert "role='status'" not in text


def test_solved_page_warns_first(page) -> None:
    """The solved page begins with a warning, and each of its tasks leads back."""
    text = page("solved/01_xor_mlp.html")
    assert text.index("This page gives the answers away") < text.index("How it works.")
    assert 'href="../lessons/01_xor_mlp.html#exercise-sigmoid"' in text
    assert "what only the solved page shows" in text
    assert "BEGIN SOLUTION" not in text


def test_lesson_without_a_run_says_so(page) -> None:
    """A lesson that was never run says that its pictures are missing."""
    assert messages.NO_OUTPUT_KEPT in page("lessons/07_batchnorm.html")
    assert messages.NO_OUTPUT_KEPT not in page("lessons/01_xor_mlp.html")


def test_text_links_to_the_lesson_it_names(page) -> None:
    """A lesson that is named in the text of another is a link, where the site has it."""
    assert '<a class="reference internal" href="07_batchnorm.html">lesson 07</a>' in page("lessons/08_residual.html")
    assert "lesson 06</a>" not in page("lessons/08_residual.html")


def test_solved_pages_stay_out_of_search(site: Site) -> None:
    """Search does not lead to a solved page."""
    index = (site.start.parent / "searchindex.js").read_text(encoding="utf-8")
    terms = json.loads(re.search(r"Search\.setIndex\((.*)\)", index, re.DOTALL)[1])
    solved = [place for place, name in enumerate(terms["docnames"]) if name.startswith("solved/")]
    found = {place for places in terms["terms"].values() for place in np.atleast_1d(places)}
    assert len(solved) == len(SMALL) and len(found) > 4 and not set(solved) & found


def test_start_page_introduces_every_lesson() -> None:
    """Title, time and goals of all nine lessons are read from the lessons."""
    told = [introduction(Folders(PROJECT), lesson) for lesson in LESSONS]
    assert all(lesson.title in one.title for lesson, one in zip(LESSONS, told, strict=True))
    assert all("hour" in one.time and one.builds_on and 4 <= len(one.goals) <= 7 for one in told)


@pytest.mark.parametrize(
    ("cell", "needs"),
    [
        ("y = f(1)", True),
        ("def g():\n    return f(2)", True),
        ("def g(f):\n    return f(2)", False),
        ("z = 3", False),
        ("f = 3\nf", False),
        ("z[0] = f(1)\nz", True),
        ("%matplotlib inline", False),
    ],
)
def test_answers_are_followed_through_cells(cell: str, needs: bool) -> None:
    """A cell needs an answer exactly when it uses one, inside a function too."""
    cells = [{"id": "answer", "source": "def f(x):\n    z = x\n    return z"}, {"id": "cell", "source": cell}]
    assert ("cell" in cells_that_need_answers(cells, ["answer"])) is needs


def test_answers_are_followed_through_names() -> None:
    """What was made with an answer carries on; what replaces it does not."""
    texts = ["def f(): ...", "a = f()", "b = a", "b", "a = 1", "a"]
    cells = [{"id": str(place), "source": text} for place, text in enumerate(texts)]
    assert cells_that_need_answers(cells, ["0"]) == {"0", "1", "2", "3"}


def tiny(root: Path, *cells: str) -> Folders:
    """A course with one lesson of a few cells."""
    made = [nbformat.v4.new_code_cell(text, id=f"cell-{place}") for place, text in enumerate(cells)]
    folders = Folders(root)
    folders.solution("tiny").parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=made), folders.solution("tiny"))
    return folders


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of one file in place of `course_lib`."""
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "one.py").write_text("x = 1")
    monkeypatch.setattr(runs, "LIBRARY", tmp_path / "library")
    return tmp_path / "library"


def test_run_is_kept_until_something_changes(tmp_path: Path, library: Path) -> None:
    """A run is fresh until notebook or library change; an older one serves the cells that did not change."""
    text = "import os\nprint(os.environ['COURSE_JOURNAL'])"
    folders, steps = tiny(tmp_path, text, "1"), []
    assert kept_run(folders, "tiny") is None
    run_lesson(folders, "tiny", lambda: steps.append(1))
    kept = kept_run(folders, "tiny")
    assert kept.fresh and len(steps) == 2
    assert kept.outputs_of({"id": "cell-0", "source": text})[0]["text"] == "off\n"
    (library / "one.py").write_text("x = 2")
    assert not kept_run(folders, "tiny").fresh
    (library / "one.py").write_text("x = 1")
    kept = kept_run(tiny(tmp_path, text, "2"), "tiny")
    assert not kept.fresh
    assert kept.outputs_of({"id": "cell-0", "source": text}) and not kept.outputs_of({"id": "cell-1", "source": "2"})


def test_failing_lesson_is_not_kept(tmp_path: Path, library: Path) -> None:
    """A cell that fails is named in a sentence, and nothing is kept."""
    folders = tiny(tmp_path, "1", "1 / 0")
    with pytest.raises(CourseError, match="cell-1.*ZeroDivisionError"):
        run_lesson(folders, "tiny")
    assert kept_run(folders, "tiny") is None


def test_folder_of_somebody_is_left_alone(tmp_path: Path) -> None:
    """A folder with other files is refused, and so is one that holds the course; a site may be built again."""
    folders = Folders(tmp_path / "course")
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "love.txt").write_text("x")
    with pytest.raises(CourseError, match="did not make"):
        claim(folders, tmp_path / "letters")
    with pytest.raises(CourseError, match="holds the course"):
        claim(folders, tmp_path)
    claim(folders, tmp_path / "site")
    claim(folders, tmp_path / "site")
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["love.txt"]
