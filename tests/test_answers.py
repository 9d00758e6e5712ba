"""Slices: of a whole notebook exactly what an exercise needs, found without running a line."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.answers import Answer, Notebook, solution_statements
from autograder.submission import Cell, Submission

EXERCISES = ("sigmoid", "mlp_forward", "exam_hidden")
SIGMOID = "def sigmoid(x):\n    return 1 / (1 + np.exp(-x))"
DEEP = {
    "brackets": "x = " + "(" * 300 + ")" * 300,
    "signs": "x = " + "-" * 100_000 + "1",
    "attributes": "x = a" + ".b" * 100_000,
    "sum": "x = 1" + "+1" * 100_000,
    "lambdas": "x = " + "lambda:" * 50_000 + "1",
    "nots": "x = " + "not " * 90_000 + "1",
    "index": "x" + "[0]" * 100_000 + " = 1",
}


def notebook(*cells: str | tuple[str, str] | Cell) -> Notebook:
    """A notebook of code cells: text, or grade id and text."""
    made = []
    for number, cell in enumerate(cells, 1):
        grade_id, source = ("", cell) if isinstance(cell, str) else cell if isinstance(cell, tuple) else ("", "")
        made.append(cell if isinstance(cell, Cell) else Cell(number, "code", source, grade_id))
    return Notebook(Submission(tuple(made)), EXERCISES)


def texts(answer: Answer) -> list[str]:
    """The statements of a slice."""
    return [statement.source for statement in answer.statements]


def run(answer: Answer) -> dict[str, object]:
    """What the slice defines when it is run alone."""
    namespace: dict[str, object] = {}
    for piece in answer.pieces:
        exec(compile(piece.source, piece.label, "exec"), namespace)
    return namespace


def test_slice_is_the_answer_and_what_it_uses() -> None:
    """Imports, helpers and constants that the answer uses come along, through others too; nothing else does."""
    book = notebook(
        "import numpy as np\nimport pandas as pd\nBIG = 80\nUNUSED = 3",
        "def clip(x):\n    return np.clip(x, -BIG, BIG)\n\ndef plot(x):\n    pd.show(x)",
        ("sigmoid", "def sigmoid(x):\n    return 1 / (1 + np.exp(-clip(x)))"),
    )
    kept = ["import numpy as np", "BIG = 80", "def clip(x):\n    return np.clip(x, -BIG, BIG)"]
    assert texts(book.answer("sigmoid"))[:3] == kept
    assert len(book.answer("sigmoid").statements) == 4
    assert run(book.answer("sigmoid"))["sigmoid"](0.0) == 0.5


def test_demos_and_trainings_are_left_out() -> None:
    """Calls, plots, loops and prints that no answer needs are in no slice."""
    book = notebook(
        "import numpy as np\nnp.random.seed(0)\nnp.set_printoptions(precision=3)",
        ("sigmoid", SIGMOID),
        "print(sigmoid(np.ones(3)))\nnp.random.seed(0)\nplt.plot([1])",
        "for epoch in range(10**9):\n    w = sigmoid(w)\nwhile True:\n    pass",
        "assert sigmoid(0) == 0.5",
    )
    assert texts(book.answer("sigmoid")) == ["import numpy as np", SIGMOID]


def test_parameters_do_not_pull_in_globals() -> None:
    """A demo's `x`, `w` or `i` is not part of a function whose own names are called the same."""
    book = notebook(
        "x = train(10**9)\nw = x\ni = 0\nself = 1",
        (
            "sigmoid",
            "def sigmoid(x, *w, e=None, **k):\n    out = [i for i in x]\n    y = lambda self: self\n    return out",
        ),
    )
    assert len(book.answer("sigmoid").statements) == 1


def test_defaults_decorators_and_annotations_count() -> None:
    """What a definition needs at the moment of defining comes along."""
    book = notebook(
        "import functools\nfrom typing import Any\nLIMIT = 3\nBase = object\nunused = 1",
        ("sigmoid", "@functools.cache\ndef sigmoid(x: Any, limit=LIMIT):\n    return x"),
        ("mlp_forward", "class mlp_forward(Base):\n    size = LIMIT\n    def f(self):\n        return LIMIT"),
    )
    assert {"import functools", "from typing import Any", "LIMIT = 3"} < set(texts(book.answer("sigmoid")))
    assert texts(book.answer("mlp_forward"))[:2] == ["LIMIT = 3", "Base = object"]


def test_decorators_stay_with_their_function() -> None:
    """A decorator is kept, also when it spans lines or the function ends in a semicolon."""
    source = "@(\n    decorate)\n@decorate\ndef sigmoid(x):\n    return x;  # done; really"
    answer = notebook("decorate = print", ("sigmoid", source)).answer("sigmoid")
    assert texts(answer)[1].startswith("@(\n    decorate)\n@decorate\ndef sigmoid(x):\n    return x")
    assert answer.statements[1].line == 1


def test_semicolons_separate_statements() -> None:
    """Statements on one line are cut apart by column, umlauts before them or not."""
    book = notebook(
        'é = "ü;"; a = 1; b = """x;\ny"""; print(a)', ("sigmoid", "c = a; sigmoid = lambda x: x + b + c; d = é")
    )
    assert texts(book.answer("sigmoid")) == ["a = 1", 'b = """x;\ny"""', "c = a", "sigmoid = lambda x: x + b + c"]


def test_multi_line_strings_keep_their_text() -> None:
    """Text inside strings is never touched, whatever it looks like."""
    table = 'TABLE = """\n%time\n!ls;\n  help?\n"""'
    answer = notebook(f"%pylab\n{table}", ("sigmoid", "def sigmoid(x):\n    return TABLE")).answer("sigmoid")
    assert texts(answer)[0] == table


@pytest.mark.parametrize(
    "magic",
    ["%matplotlib inline", "!pip install numpy", "x = %timeit -o f()", "files = !ls", "help?", "?help", "np.exp??",
     "!pip install \\\n    numpy", "%env A='b", "!echo (", "%cd ~/$HOME"],
)  # fmt: skip
def test_magics_are_left_out(magic: str) -> None:
    """A magic costs nothing, whatever stands around it: lines that only look like magics stay."""
    source = 'def sigmoid(x):\n    """Stable?\n\n    Yes?\n    """\n    n = (10\n        % 3)  # is it 1?\n    return n'
    answer = notebook(("sigmoid", f"{magic}\n{source}")).answer("sigmoid")
    assert texts(answer) == [source]
    assert answer.statements[0].line == 1 + len(magic.split("\n"))


def test_magics_inside_blocks_leave_the_block_whole() -> None:
    """A loop or function whose only line is a magic still parses."""
    answer = notebook(("sigmoid", "def sigmoid(x):\n    %time y = f(x)\n\nif True:\n    !ls")).answer("sigmoid")
    assert texts(answer) == ["def sigmoid(x):\n    pass"]


def test_indented_cells_are_forgiven() -> None:
    """Notebooks run a cell that is indented as a whole, so it counts."""
    answer = notebook(("sigmoid", "\n    def sigmoid(x):\n        return x\n    y = 1")).answer("sigmoid")
    assert texts(answer) == ["def sigmoid(x):\n    return x"]
    assert answer.statements[0].line == 2


def test_check_cells_are_ignored() -> None:
    """What stands in a copy of a check cell is no answer and helps none."""
    book = notebook(("check_sigmoid", SIGMOID), ("sigmoid", "helper = 1"), ("check_x", "import numpy as np"))
    assert book.answer("sigmoid") == Answer()


def test_retyped_answer_cell_counts() -> None:
    """An answer whose cell became text by accident still counts; ordinary text is not read as code."""
    book = notebook(Cell(1, "markdown", SIGMOID, "sigmoid"), Cell(2, "markdown", "np = 1"), Cell(3, "raw", "np = 2"))
    assert texts(book.answer("sigmoid")) == [SIGMOID]


def test_answer_without_its_mark_counts() -> None:
    """An answer in a renamed, moved or new cell is found by the name that it defines."""
    book = notebook(("other", "y = 1"), "import numpy as np", SIGMOID)
    assert texts(book.answer("sigmoid")) == ["import numpy as np", SIGMOID]


def test_scratch_does_not_replace_the_answer() -> None:
    """A later experiment under the same name leaves the marked answer in force."""
    book = notebook("import numpy as np", ("sigmoid", SIGMOID), "def sigmoid(x):\n    return 0", "sigmoid.calls = 0")
    assert texts(book.answer("sigmoid")) == ["import numpy as np", SIGMOID]


def test_last_copy_of_an_answer_cell_counts() -> None:
    """When an answer cell was duplicated, the last copy that defines the answer counts, as in a run from the top."""
    book = notebook(
        ("sigmoid", "def sigmoid(x):\n    return 1"), ("sigmoid", "def sigmoid(x):\n    return 2"), ("sigmoid", "")
    )
    assert run(book.answer("sigmoid"))["sigmoid"](0) == 2


def test_other_exercise_is_taken_from_its_answer_cell() -> None:
    """An answer that uses another one gets that one's marked version, and says that it depends on it."""
    forward = "def mlp_forward(x):\n    return sigmoid(x)"
    book = notebook("import numpy as np", ("mlp_forward", forward), ("sigmoid", SIGMOID), "sigmoid = None")
    answer = book.answer("mlp_forward")
    assert texts(answer) == ["import numpy as np", forward, SIGMOID]
    assert answer.depends_on == {"sigmoid"}
    assert book.answer("sigmoid").depends_on == frozenset()


def test_own_version_of_another_exercise_counts() -> None:
    """An answer cell that brings its own version of another exercise is judged with that one."""
    own = "def sigmoid(x):\n    return 0.5\n\ndef mlp_forward(x):\n    return sigmoid(x)"
    book = notebook(("sigmoid", "def sigmoid(x):\n    raise NotImplementedError"), ("mlp_forward", own))
    assert run(book.answer("mlp_forward"))["mlp_forward"](0) == 0.5
    assert "raise NotImplementedError" in texts(book.answer("sigmoid"))[0]


def test_names_that_cases_call_come_along() -> None:
    """Functions that only the cases call are in the slice and in what it depends on."""
    book = notebook("import numpy as np", ("sigmoid", SIGMOID), ("mlp_forward", "def mlp_forward(x):\n    return x"))
    answer = book.answer("mlp_forward", ("sigmoid",))
    assert len(answer.statements) == 3
    assert answer.depends_on == {"sigmoid"}


def test_helper_further_down_is_accepted() -> None:
    """A helper that stands below its answer comes along, unless there is one above."""
    above, below = "def helper(x):\n    return 1", "def helper(x):\n    return 2"
    answer = ("sigmoid", "def sigmoid(x):\n    return helper(x)")
    assert run(notebook(answer, below).answer("sigmoid"))["sigmoid"](0) == 2
    assert run(notebook(above, answer, below).answer("sigmoid"))["sigmoid"](0) == 1


def test_recursion_ends() -> None:
    """Functions that call themselves or each other are sliced once."""
    book = notebook(
        "def a(x):\n    return b(x)\ndef b(x):\n    return a(x)",
        ("sigmoid", "def sigmoid(x):\n    return sigmoid(a(x))"),
    )
    assert len(book.answer("sigmoid").statements) == 3


@pytest.mark.parametrize(
    "block",
    [
        "try:\n    import special as sp\nexcept ImportError:\n    sp = None",
        "if True:\n    sp = 1\nelse:\n    sp = 2",
        "with open('/dev/null') as sp:\n    pass",
        "for sp in range(3):\n    pass",
        "match 1:\n    case sp:\n        pass",
    ],
)
def test_blocks_that_define_come_along(block: str) -> None:
    """Names bound inside a block bring the whole block."""
    answer = notebook(block, ("sigmoid", "def sigmoid(x):\n    return sp")).answer("sigmoid")
    assert texts(answer)[0] == block


def test_changes_in_place_come_along() -> None:
    """Filling a table, counting up and appending belong to the name, in order; other tables stay away."""
    lines = ["table = {}", "table['a'] = 1", "table.update(b=2)", "table.x.y = 3", "n = 1", "n += table['a']"]
    book = notebook(
        "\n".join([*lines, "other = []", "other.append(1)"]), ("sigmoid", "def sigmoid(x):\n    return table, n")
    )
    assert texts(book.answer("sigmoid"))[:-1] == lines


def test_names_that_begin_like_imports_are_names() -> None:
    """A variable called `important` is not an import: changes to it count."""
    book = notebook("important = []\nimportant.append(1)", ("sigmoid", "def sigmoid(x):\n    return important"))
    assert len(book.answer("sigmoid").statements) == 3


def test_star_and_future_imports_are_in_every_slice() -> None:
    """What changes the meaning of all that follows comes first, always."""
    book = notebook(
        "from __future__ import annotations\nfrom math import *\nimport os",
        ("sigmoid", "def sigmoid(x: X):\n    return exp(x)"),
    )
    assert texts(book.answer("sigmoid"))[:2] == ["from __future__ import annotations", "from math import *"]
    assert len(book.answer("sigmoid").statements) == 3


def test_type_checking_imports_come_along_when_named() -> None:
    """An import under `if TYPE_CHECKING` is taken whole, with the name that guards it."""
    head = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from x import Array"
    answer = notebook(head, ("sigmoid", "def sigmoid(x: 'Array') -> Array:\n    return x")).answer("sigmoid")
    assert len(answer.statements) == 3


def test_syntax_error_is_named_with_cell_and_line() -> None:
    """A broken answer cell gives one sentence with cell, line, text and reason, and costs no other cell."""
    book = notebook(
        "import numpy as np", ("sigmoid", "y = 1\ndef sigmoid(x)\n    return x"), ("mlp_forward", "mlp_forward = 1")
    )
    expected = "Cell 2, line 2: `def sigmoid(x)` is not valid Python (expected ':')."
    assert book.answer("sigmoid") == Answer(syntax_error=expected)
    assert book.answer("mlp_forward").statements


def test_late_syntax_errors_have_the_cells_line() -> None:
    """Errors that only show when names are resolved are placed as exactly."""
    book = notebook(("sigmoid", "y = 1\n\ndef sigmoid(x):\n    nonlocal z\n    return x"))
    assert book.answer("sigmoid").syntax_error.startswith("Cell 1, line 4")


def test_syntax_error_of_an_unmarked_answer() -> None:
    """A broken cell that lost its mark is still recognised by what it tries to define."""
    book = notebook("def sigmoid(x:\n    return x", "def other(x:\n    return x")
    assert book.answer("sigmoid").syntax_error.startswith("Cell 1, line 1")
    assert book.answer("mlp_forward") == Answer()


def test_null_bytes_are_a_syntax_error() -> None:
    """A NUL inside a cell is reported, not raised."""
    assert "is not valid Python" in notebook(("sigmoid", "sigmoid = 1\0")).answer("sigmoid").syntax_error


@pytest.mark.parametrize("source", DEEP.values(), ids=list(DEEP))
def test_deep_expressions_cost_their_cell(source: str) -> None:
    """Expressions that Python's own parser gives up on lose their cell, and nothing else happens."""
    book = notebook(("sigmoid", source), ("mlp_forward", "mlp_forward = 1"))
    assert "is not valid Python" in book.answer("sigmoid").syntax_error
    assert texts(book.answer("mlp_forward")) == ["mlp_forward = 1"]


@given(st.text(alphabet="ab=()[]:;'\"\\\n \t\f#@.,%!?é1+*\ud800\0\ufeff", max_size=40))
def test_any_text_is_survived(source: str) -> None:
    """Whatever stands in a cell, the notebook is parsed, and slices hold text that Python can parse again."""
    book = notebook(("sigmoid", source.encode("utf-8", "replace").decode()), ("mlp_forward", "mlp_forward = a"))
    for name in EXERCISES:
        for statement in book.answer(name).statements:
            compile(statement.source, "cell", "exec")


@given(
    st.lists(
        st.sampled_from(
            ["a = 1", "def b(x):\n    return a", "@b\ndef c(): pass", "d = ''';\n'''", "import os", "e.x = a"]
        )
    )
)
def test_statements_keep_text_and_line(parts: list[str]) -> None:
    """Every statement is the exact text that stands at its line of the cell."""
    source = "\n\n".join(parts)
    for statement in notebook(source).statements:
        assert "\n".join(source.split("\n")[statement.line - 1 :]).startswith(statement.source)


def test_long_cells_are_quick() -> None:
    """A cell of 1,000 functions, and one of 50,000 statements on a line, are sliced in seconds."""
    functions = "\n".join(f"def f{i}(x):\n    return f{i - 1}(x)" for i in range(1000))
    started = time.process_time()
    book = notebook(functions, ("sigmoid", "def sigmoid(x):\n    return f999(x)"), "a=1;" * 50_000)
    assert len(book.answer("sigmoid").statements) == 1001
    assert time.process_time() - started < 6


def test_many_magics_are_quick() -> None:
    """A cell full of magics ends with a sentence, not with an afternoon."""
    started = time.process_time()
    book = notebook(("sigmoid", "%time x\n" * 20_000 + SIGMOID))
    assert book.answer("sigmoid").syntax_error
    assert time.process_time() - started < 6


def test_constant_is_read_not_run() -> None:
    """The last plain constant of a name is returned; anything that must be run is not."""
    book = notebook('LEARNER_ID = "x"; LEARNER = "ada"', 'LEARNER = "bob"', "SIZE = f()\nSIZE = 3", "T: int = 4")
    assert book.constant("LEARNER") == "bob"
    assert book.constant("SIZE") == 3
    assert book.constant("OTHER") is None


def test_pieces_name_cell_and_line() -> None:
    """What goes to the worker carries the cell's number and the first line, for error messages."""
    piece = notebook("", ("sigmoid", "x = 1\n\ndef sigmoid(x):\n    return x")).answer("sigmoid").pieces[-1]
    assert (piece.label, piece.line) == ("cell 2", 3)


def test_solution_statements_are_merged_in_order() -> None:
    """Slices of several exercises come together once, in the notebook's order."""
    book = notebook(
        "import numpy as np", ("sigmoid", SIGMOID), ("mlp_forward", "def mlp_forward(x):\n    return np.sum(x)")
    )
    merged = solution_statements(book, ["mlp_forward", "sigmoid"])
    assert merged == book.statements


def test_slice_runs_as_the_notebook_would() -> None:
    """Running a slice gives the function that a run from the top gives."""
    cells = [
        "import numpy as np\nscale = 2.0",
        "scale = scale * 3",
        ("sigmoid", "def sigmoid(x):\n    return np.tanh(scale * x)"),
    ]
    whole: dict[str, object] = {}
    for cell in cells:
        exec(cell if isinstance(cell, str) else cell[1], whole)
    assert run(notebook(*cells).answer("sigmoid"))["sigmoid"](np.pi) == whole["sigmoid"](np.pi)
