"""Cases: every step does what its name says, and a case is the same before and after."""

from __future__ import annotations

import inspect
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.casefile import read_tree, write_tree
from course_lib.cases import (
    OPERATORS,
    Case,
    Step,
    StepError,
    WrongReturnError,
    call_case,
    case_from_tree,
    case_to_tree,
    run,
)
from course_lib.probes import BRANCHES, PROBES
from course_lib.tree import Handle, Probe, Rng, pack, unpack

NAMES = st.text(min_size=1, max_size=5)
ARGS = (
    st.none() | st.integers(-9, 9) | st.booleans() | NAMES | st.builds(Handle, NAMES, st.none() | st.integers() | NAMES)
)
ARGS |= st.builds(Rng, st.integers(0, 99)) | st.lists(st.integers(), max_size=3)
STEPS = st.builds(
    Step,
    st.sampled_from(["call", "refuse", "construct", "method", "operator", "getattr", "take", "global", "read"]),
    NAMES,
    NAMES,
    st.lists(ARGS, max_size=3).map(tuple),
    st.dictionaries(NAMES, ARGS, max_size=2),
    st.sampled_from(["core", "stability", "convention"]),
)
CASES = st.builds(Case, NAMES, st.dictionaries(NAMES, ARGS, max_size=3), st.lists(STEPS, max_size=4).map(tuple), NAMES)


class Counter:
    """Counts from a start; two of them add up."""

    def __init__(self, start: int, step: int = 1) -> None:
        self.n = start
        self.step = step

    def up(self, times: int = 1) -> int:
        """Count on."""
        self.n += times * self.step
        return self.n

    def __add__(self, other: Counter) -> Counter:
        return Counter(self.n + other.n)

    def __neg__(self) -> Counter:
        return Counter(-self.n)


NAMESPACE = {
    "Counter": Counter,
    "pair": lambda x: (x + 1, {"half": x / 2}),
    "naturals": lambda: itertools.count(1),
    "draw": lambda rng: rng.integers(0, 1 << 30, 4),
    "total": lambda values: sum(values),
    "answer": 42,
    "add": lambda x, y=0: x + y,
}


def read(label: str, name: str, item: int | str | None = None) -> Step:
    """Read a value."""
    return Step("read", label, "", (Handle(name, item),))


def seen(steps: list[Step], inputs: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """What the reads of some steps show."""
    return run(Case("test", inputs or {}, tuple(steps)), {**NAMESPACE, **more})


def seen_after(*steps: Step, **inputs: Any) -> Any:
    """What the last of some steps made."""
    return seen([*steps, read("last", steps[-1].name)], inputs)["last"]


def test_call_passes_positions_and_keywords() -> None:
    """A call hands over its arguments, handles replaced."""
    assert seen_after(Step("call", "r", "add", (Handle("a"),), {"y": Handle("b")}), a=1, b=2) == 3


def test_construct_method_and_getattr() -> None:
    """An object is made, used and looked into without leaving."""
    make = Step("construct", "c", "Counter", (5,), {"step": 2})
    up = Step("method", "n", "up", (Handle("c"), 3))
    look = Step("getattr", "after", "n", (Handle("c"),))
    assert seen_after(make, up) == 11
    assert seen_after(make, up, look) == 11
    assert seen_after(make, Step("method", "n", "up", (Handle("c"),), {"times": 2})) == 9


@pytest.mark.parametrize("sign", sorted(OPERATORS))
def test_operators(sign: str) -> None:
    """Every operator of the table is the one that its sign means."""
    a, b = np.array([[2.0, 1.0], [0.5, 3.0]]), np.array([[1.0, 4.0], [2.0, 0.5]])
    args = (Handle("a"),) if sign == "neg" else (Handle("a"), Handle("b"))
    expected = -a if sign == "neg" else eval(f"a {sign} b", {"a": a, "b": b})
    np.testing.assert_array_equal(seen_after(Step("operator", "r", sign, args), a=a, b=b), expected)


def test_operators_on_learners_objects() -> None:
    """Operators reach an object's own methods."""
    steps = [Step("construct", "a", "Counter", (2,)), Step("operator", "b", "+", (Handle("a"), Handle("a")))]
    steps += [Step("operator", "c", "neg", (Handle("b"),)), Step("getattr", "n", "n", (Handle("c"),))]
    assert seen_after(*steps) == -4


def test_take_goes_on_where_it_stopped() -> None:
    """Taking from an iterator twice gives its first and its next values, also when it is endless."""
    steps = [Step("call", "it", "naturals")]
    steps += [Step("take", "one", "", (Handle("it"), 2)), Step("take", "two", "", (Handle("it"), 3))]
    assert seen([*steps, read("a", "one"), read("b", "two")]) == {"a": [1, 2], "b": [3, 4, 5]}


def test_global_fetches_a_value() -> None:
    """A module-level value is fetched, not called."""
    assert seen_after(Step("global", "v", "answer")) == 42


def test_a_refusal_is_a_value_error() -> None:
    """That a function refuses its arguments is observed; that it takes them, too; another error stops the case."""
    refuse = Step("refuse", "r", "number", ("x",))
    assert seen([refuse, read("r", "r")], number=float)["r"] == "ValueError"
    assert seen([refuse, read("r", "r")], number=str)["r"] == "no error"
    with pytest.raises(StepError, match="refuse number"):
        seen([refuse, read("r", "r")], number=abs)


def test_handles_reach_items() -> None:
    """A handle may name one item of a value, by position or key, of results and of inputs."""
    steps = [Step("call", "r", "pair", (Handle("x"),)), Step("call", "half", "add", (Handle("r", 1),), {})]
    assert seen([steps[0], read("first", "r", 0), read("second", "r", 1)], {"x": 4})["second"] == {"half": 2.0}
    assert seen([read("item", "d", "k")], {"d": {"k": 7}}) == {"item": 7}
    with pytest.raises(StepError):
        seen(steps, {"x": 4}, add=lambda x: x["missing"])


@pytest.mark.parametrize("returned", [None, 3.0, (1,), {}])
def test_missing_items_are_named(returned: Any) -> None:
    """An answer that returned nothing, or one thing where several were due, is told so in a sentence."""
    with pytest.raises(StepError) as caught:
        seen([Step("call", "r", "f"), read("second", "r", 1)], f=lambda: returned)
    assert type(caught.value.__cause__) is WrongReturnError
    assert str(caught.value.__cause__)[-1] in ".?"


@pytest.mark.parametrize("place", ["literal", "input"])
def test_generator_is_fresh_for_each_call(place: str) -> None:
    """The same seed gives the same draw however often it is used; another seed another draw."""
    arg = Rng(3) if place == "literal" else Handle("rng")
    steps = [Step("call", name, "draw", (arg,)) for name in ("a", "b")] + [Step("call", "c", "draw", (Rng(4),))]
    drawn = seen([*steps, *(read(name, name) for name in "abc")], {"rng": Rng(3)})
    np.testing.assert_array_equal(drawn["a"], drawn["b"])
    np.testing.assert_array_equal(drawn["a"], np.random.default_rng(3).integers(0, 1 << 30, 4))
    assert (drawn["a"] != drawn["c"]).any()


def test_a_generator_in_a_tuple_is_shared_and_advances() -> None:
    """Calls that take the same generator out of a tuple draw one after the other from it."""
    steps = [Step("call", name, "draw", (Handle("one", 0),)) for name in "ab"]
    drawn = seen([*steps, *(read(name, name) for name in "ab")], {"one": (Rng(3),)})
    np.testing.assert_array_equal(
        np.concatenate([drawn["a"], drawn["b"]]), np.random.default_rng(3).integers(0, 1 << 30, 8)
    )


@pytest.mark.parametrize("place", [Rng(3), Handle("rng"), Handle("one", 0)], ids=["literal", "input", "in a tuple"])
def test_generators_are_converted_like_arrays(place: Rng | Handle) -> None:
    """What turns arrays into tensors sees generators too, wherever they stand."""
    case = Case("", {"rng": Rng(3), "one": (Rng(3),)}, (Step("call", "y", "f", (place,)), read("y", "y")))
    kinds = run(case, {"f": lambda rng: rng}, lambda value: type(value).__name__)
    assert kinds == {"y": "Generator"}


@pytest.mark.parametrize("place", ["literal", "input"])
def test_a_probe_is_a_function_with_the_coefficients_of_its_case(place: str) -> None:
    """What the code under test gets computes with the case's own numbers, wherever the probe stands."""
    probe = Probe("quadratic", (np.array([2.0, 1.0]), 3.0))
    steps = [Step("call", "y", "apply", (probe if place == "literal" else Handle("f"), Handle("x"))), read("y", "y")]
    found = run(Case("", {"f": probe, "x": np.array([4.0, 1.0])}, tuple(steps)), {"apply": lambda f, x: f(x)})
    assert found["y"] == 2 * (4 - 3) ** 2 + (1 - 3) ** 2


@pytest.mark.parametrize("name", sorted(set(PROBES) - set(BRANCHES)))
def test_probes_give_one_number_for_arrays_and_tensors_alike(name: str) -> None:
    """The same probe takes an array or a tensor, keeps its dtype and gives the same number."""
    coefficients = [np.array([0.5, -1.0], dtype=np.float32)] * len(inspect.signature(PROBES[name]).parameters)
    x = np.array([1.5, 2.0], dtype=np.float32)
    ours = PROBES[name](*coefficients)(x)
    theirs = PROBES[name](*map(torch.tensor, coefficients))(torch.tensor(x))
    assert ours.shape == () and ours.dtype == np.float32
    np.testing.assert_allclose(float(theirs), float(ours), rtol=1e-6)


def _spoil(value: Any) -> None:
    if isinstance(value, np.ndarray):
        value[...] = -1
    elif isinstance(value, list):
        for item in value:
            _spoil(item)
        value.append("spoiled")
    elif isinstance(value, dict):
        for item in value.values():
            _spoil(item)
        value["spoiled"] = True


@pytest.mark.parametrize("literal", [False, True], ids=["input", "literal"])
def test_case_never_changes(literal: bool) -> None:
    """A function that changes all its arguments in place does not change the case, wherever they stand in it."""
    value = {"list": [np.arange(3.0), [np.ones(2)]], "array": np.zeros(2)}
    before = json.dumps([item.tolist() for item in pack(value)[1]])
    steps = [Step("call", "r", "spoil", (value if literal else Handle("v"), np.ones(2)), {"k": [1]})]
    case = Case("test", {} if literal else {"v": value}, (*steps, read("result", "r")))
    for _ in range(2):
        run(case, {"spoil": lambda v, w, k: [_spoil(item) for item in (v, w, k)]})
    assert json.dumps([item.tolist() for item in pack(value)[1]]) == before
    assert set(value) == {"list", "array"}
    assert case.steps[0].kwargs == {"k": [1]}


def test_changed_input_is_seen() -> None:
    """Reading an input again shows whether the function changed it."""
    case = call_case("test", "spoil", {"x": np.zeros(2)})
    np.testing.assert_array_equal(run(case, {"spoil": _spoil})["x afterwards"], [-1, -1])
    np.testing.assert_array_equal(run(case, {"spoil": lambda x: x})["x afterwards"], [0, 0])


def test_what_was_read_stays() -> None:
    """A later step that works in place does not change what an earlier one showed."""
    steps = [read("before", "x"), Step("call", "r", "spoil", (Handle("x"),)), read("after", "x")]
    shown = seen(steps, {"x": np.zeros(2)}, spoil=_spoil)
    np.testing.assert_array_equal(shown["before"], [0, 0])
    np.testing.assert_array_equal(shown["after"], [-1, -1])


def test_uncopyable_values_are_read_as_they_are() -> None:
    """A value that cannot be copied, such as a running generator, is shown itself."""
    generator = (i for i in range(3))
    assert seen([Step("call", "r", "make"), read("g", "r")], make=lambda: generator)["g"] is generator


def test_inputs_are_converted() -> None:
    """Arrays among inputs and literals pass through the converter, other values do not."""
    case = Case(
        "test",
        {"x": np.ones(2), "n": 3},
        (Step("call", "r", "f", (Handle("x"), Handle("n"), np.zeros(1))), read("a", "r")),
    )
    kinds = run(case, {"f": lambda *args: [type(arg).__name__ for arg in args]}, lambda array: SimpleNamespace(a=array))
    assert kinds["a"] == ["SimpleNamespace", "int", "SimpleNamespace"]


@pytest.mark.parametrize(
    ("step", "text", "cause"),
    [
        (Step("call", "r", "missing"), "call missing", KeyError),
        (Step("call", "r", "add", ("a", 1)), "call add", TypeError),
        (Step("construct", "r", "Counter"), "construct Counter", TypeError),
        (Step("method", "r", "nothing", (Handle("x"),)), "method nothing", AttributeError),
        (Step("operator", "r", "@", (1, 2)), "operator @", TypeError),
        (Step("getattr", "r", "nothing", (1,)), "getattr nothing", AttributeError),
        (Step("take", "r", "", (5, 1)), "take r", TypeError),
        (Step("global", "r", "missing"), "global missing", KeyError),
        (Step("read", "seen", "", (Handle("missing"),)), "read seen", KeyError),
    ],
    ids=lambda value: value.op if isinstance(value, Step) else "",
)
def test_error_names_its_step(step: Step, text: str, cause: type[Exception]) -> None:
    """A failing step raises one kind of error, with the step and the cause."""
    with pytest.raises(StepError, match=f"^{text}$") as caught:
        seen([step], {"x": 1})
    assert caught.value.step is step
    assert type(caught.value.__cause__) is cause


def test_interrupts_pass() -> None:
    """Stopping a cell by hand stops the case."""

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seen([Step("call", "r", "stop")], stop=stop)


def test_call_case_reads_result_and_inputs() -> None:
    """The usual case calls with all inputs in order, reads the result and every array again."""
    case = call_case("id", "f", {"x": np.ones(2), "n": 3, "w": np.ones(1)}, item=0, kind="stability", says="why")
    assert [step.name for step in case.reads()] == ["out", "x afterwards", "w afterwards"]
    assert [step.kind for step in case.reads()] == ["stability", "convention", "convention"]
    assert run(case, {"f": lambda x, n, w: (n, None)})["out"] == 3
    assert case.says == "why"


def _through_json(case: Case, _path: Path) -> Case:
    skeleton, arrays = pack(case_to_tree(case))
    return case_from_tree(unpack(json.loads(json.dumps(skeleton)), arrays))


def _through_file(case: Case, path: Path) -> Case:
    write_tree(case_to_tree(case), path / "case.safetensors")
    return case_from_tree(read_tree(path / "case.safetensors"))


@given(CASES)
def test_any_case_survives_json(case: Case) -> None:
    """Cases of any shape come back equal."""
    assert _through_json(case, Path()) == case


@pytest.mark.parametrize("trip", [_through_json, _through_file])
def test_case_with_arrays_survives(trip: Callable[[Case, Path], Case], tmp_path: Path) -> None:
    """Arrays of all sorts come back equal, and the case plays as before."""
    inputs = {
        "x": np.arange(6.0).reshape(2, 3).T,
        "zero": np.array(2.0, "float32"),
        "none": np.zeros((0, 2)),
        "n": -0.5,
    }
    case = call_case("id", "f", inputs)

    def play(one: Case) -> Iterator[bytes]:
        shown = run(one, {"f": lambda x, zero, none, n: [x * n, zero, none.shape]})
        return (array.tobytes() for array in pack(shown)[1])

    again = trip(case, tmp_path)
    assert (again.id, again.steps, again.says) == (case.id, case.steps, case.says)
    assert list(play(again)) == list(play(case))
    assert [again.inputs[name].dtype for name in ("x", "zero")] == ["float64", "float32"]
