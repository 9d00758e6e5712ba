"""Dropout in words: right answers are never refused, whatever they draw; near misses are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from course_lib import messages
from course_lib.cases import Case
from course_lib.numpy_kernels import dropout_backward, dropout_classic, dropout_forward
from course_lib.properties import dropout as module
from course_lib.properties.dropout import dropout_gradient_words, dropout_words

SEEDS = range(1000)
SHAPE = (40, 50)
# The ends of what cases draw, with as many entries as they have.
PROBABILITIES = (0.35, 0.42, 0.6, 0.75, 0.95)


def away_from_zero(seed: int, dtype: str = "float64") -> np.ndarray:
    """Numbers as in cases: 0.5 to 2 in size, of either sign."""
    rng = np.random.default_rng(seed)
    return (rng.uniform(0.5, 2.0, SHAPE) * rng.choice([-1.0, 1.0], SHAPE)).astype(dtype)


X, DOUT = away_from_zero(1), away_from_zero(2)


def words(out: Any, p: float, x: np.ndarray = X, **others: Any) -> Any:
    """What the property says about a training pass."""
    case = Case("", {"x": x, "p": p, "train": True}, ())
    return dropout_words({"out": out, **others}, case, {})


def gradient_words(out: Any, dx: Any, p: float = 0.4, **others: Any) -> Any:
    """What the property says about a backward pass."""
    case = Case("", {"x": X, "p": p, "train": True, "dout": DOUT}, ())
    return dropout_gradient_words({"out": out, "dx": dx, **others}, case, {})


def right(p: float, kept: str = "x / (1 - p)", mean: str = "about 1", drawn: str = "each entry by itself") -> Any:
    """The words of a right answer; those of inverted dropout unless told otherwise."""
    return {
        messages.DROPOUT_SHAPE: "that of x",
        messages.DROPOUT_ZEROS: "p",
        messages.DROPOUT_KEPT: kept,
        messages.DROPOUT_MEAN: mean,
        messages.DROPOUT_DRAWN: drawn,
        messages.DROPOUT_DROPPED: 0.0,
    }


@pytest.mark.parametrize("p", PROBABILITIES)
def test_no_seed_refuses_the_references(p):
    """Over 1,000 seeds inverted and classic dropout always get the same words: those that are right."""
    for seed in SEEDS:
        out, _ = dropout_forward(X, p, rng=np.random.default_rng(seed))
        assert words(out, p)["out"] == right(p), seed
        out, _ = dropout_classic(X, p, rng=np.random.default_rng(seed))
        assert words(out, p)["out"] == right(p, kept="x", mean="too small for that"), seed


def test_no_seed_refuses_repeated_calls():
    """Over 1,000 seeds a second call draws other entries, and the same seed draws the same ones."""
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        calls = {"out": dropout_forward(X, 0.4, rng=rng)[0], module.AGAIN[0]: dropout_forward(X, 0.4, rng=rng)[0]}
        calls[module.AGAIN[1]] = dropout_forward(X, 0.4, rng=np.random.default_rng(seed))[0]
        found = words(p=0.4, **calls)
        assert [found[label] for label in module.AGAIN] == ["other entries are zero", "the same entries are zero"]


@pytest.mark.parametrize("p", [0.35, 0.95])
def test_no_seed_refuses_the_backward_pass(p):
    """Over 1,000 seeds the gradient fits the forward pass it belongs to."""
    wanted = {
        messages.DROPOUT_SHAPE_OF_DX: "that of dout",
        messages.DROPOUT_SILENCED: "where out is zero and nowhere else",
        messages.DROPOUT_PASSED: "dout times the factor of the forward pass",
        messages.DROPOUT_DROPPED: 0.0,
    }
    for seed in SEEDS:
        out, cache = dropout_forward(X, p, rng=np.random.default_rng(seed))
        assert gradient_words(out, dropout_backward(DOUT, cache), p)["dx"] == wanted, seed


@pytest.mark.parametrize("p", PROBABILITIES)
def test_accepted_answers_keep_the_mean(p):
    """Share and scale together say what dropout is for: the mean of out / x is 1 within six standard deviations."""
    for seed in SEEDS[:100]:
        out, _ = dropout_forward(X, p, rng=np.random.default_rng(seed))
        assert abs((out / X).mean() - 1) < 6 * np.sqrt(p / (1 - p) / X.size)


def masked(p: float, seed: int = 0) -> np.ndarray:
    """A mask that keeps a share 1 - p."""
    return np.random.default_rng(seed).random(SHAPE) >= p


def rows_alike(p: float) -> np.ndarray:
    """Inverted dropout with one mask for all rows."""
    return X * np.broadcast_to(masked(p)[0], SHAPE) / (1 - p)


# A wrong answer, and the one line of the description that gives it away.
NEAR_MISSES: dict[str, tuple[str, str, Callable[[float], Any]]] = {
    "a tenth more dropped": (messages.DROPOUT_ZEROS, "more than p", lambda p: X * masked(p + 0.1) / (1 - p)),
    "a tenth less dropped": (messages.DROPOUT_ZEROS, "less than p", lambda p: X * masked(p - 0.1) / (1 - p)),
    "keep and drop swapped": (messages.DROPOUT_ZEROS, "1 - p", lambda p: X * ~masked(p) / (1 - p)),
    "tiny in place of zero": (messages.DROPOUT_ZEROS, "none", lambda p: X * np.where(masked(p), 1 / (1 - p), 1e-12)),
    "zeros everywhere": (messages.DROPOUT_ZEROS, "all", lambda p: 0 * X),
    "not scaled": (messages.DROPOUT_KEPT, "x", lambda p: X * masked(p)),
    "scaled down": (messages.DROPOUT_KEPT, "x * (1 - p)", lambda p: X * masked(p) * (1 - p)),
    "divided by p": (messages.DROPOUT_KEPT, "x / p", lambda p: X * masked(p) / p),
    "scaled by p": (messages.DROPOUT_KEPT, "x * p", lambda p: X * masked(p) * p),
    "scale wrong by a millionth": (
        messages.DROPOUT_KEPT,
        "something else",
        lambda p: X * masked(p) / (1 - p) * (1 + 1e-6),
    ),
    "one entry scaled wrongly": (
        messages.DROPOUT_KEPT,
        "something else",
        lambda p: np.where(np.arange(X.size).reshape(SHAPE) == masked(p).argmax(), X, X * masked(p) / (1 - p)),
    ),
    "values drawn too": (messages.DROPOUT_KEPT, "something else", lambda p: DOUT * masked(p) / (1 - p)),
    "not a number": (messages.DROPOUT_KEPT, "something else", lambda p: X * np.where(masked(p), np.nan, 0)),
    "infinite": (messages.DROPOUT_KEPT, "something else", lambda p: X * np.where(masked(p), np.inf, 0)),
    "rows alike": (messages.DROPOUT_DRAWN, "one draw for all along axis 0", rows_alike),
    "columns alike": (
        messages.DROPOUT_DRAWN,
        "one draw for all along axis 1",
        lambda p: X * masked(p)[:, :1] / (1 - p),
    ),
    "all or nothing": (messages.DROPOUT_DRAWN, "all entries have the same fate", lambda p: X / (1 - p)),
    "shortened": (messages.DROPOUT_SHAPE, "another one", lambda p: X[masked(p)] / (1 - p)),
    "turned": (messages.DROPOUT_SHAPE, "another one", lambda p: (X * masked(p) / (1 - p)).T),
}


@pytest.mark.parametrize("name", NEAR_MISSES)
@pytest.mark.parametrize("p", [0.35, 0.6, 0.75])
def test_near_misses_are_refused_and_described(name, p):
    """A wrong answer is told apart from a right one, by the line that says why."""
    label, word, answer = NEAR_MISSES[name]
    found = words(answer(p), p)["out"]
    assert found != right(p)
    assert found[label] == word


@pytest.mark.parametrize("seed", range(20))
def test_a_shared_draw_is_called_the_same_whatever_is_drawn(seed):
    """One mask for all examples has a share of zeros by chance; what is said about it does not depend on that."""
    for mask in (masked(0.4, seed)[:1], masked(0.4, seed)[:, :1]):
        found = words(X * mask / 0.6, 0.4)["out"]
        assert found[messages.DROPOUT_ZEROS] == found[messages.DROPOUT_MEAN] == messages.DROPOUT_FEW
        assert found[messages.DROPOUT_KEPT] == "x / (1 - p)"


def test_nothing_to_drop_leaves_x_as_it_is():
    """With p = 0 only x itself is right."""
    alike = "all entries have the same fate"
    assert words(X.copy(), 0.0)["out"] == right(0.0, kept="x", drawn=alike)
    assert words(X * (X[0, 0] != X), 0.0)["out"][messages.DROPOUT_ZEROS] == "more than p"


def test_a_mask_of_its_own_or_a_fixed_one_shows():
    """An answer that ignores the generator is seen by its second or third call."""
    one, other = X * masked(0.4, seed=0), X * masked(0.4, seed=1)
    fixed = words(one, 0.4, **dict.fromkeys(module.AGAIN, one))
    assert [fixed[label] for label in module.AGAIN] == ["the same entries are zero"] * 2
    own = words(one, 0.4, **dict.fromkeys(module.AGAIN, other))
    assert [own[label] for label in module.AGAIN] == ["other entries are zero"] * 2
    assert words(one, 0.4, **{module.AGAIN[0]: one[:3]})[module.AGAIN[0]] == "other entries are zero"


GRADIENT_MISSES: dict[str, tuple[str, str, Callable[[np.ndarray], Any]]] = {
    "a new mask": (messages.DROPOUT_SILENCED, "in other places than out", lambda f: DOUT * f[::-1]),
    "one entry more": (
        messages.DROPOUT_SILENCED,
        "in other places than out",
        lambda f: DOUT * f * (np.arange(f.size).reshape(SHAPE) != f.argmax()),
    ),
    "no mask": (messages.DROPOUT_SILENCED, "nowhere", lambda f: DOUT),
    "no scale": (messages.DROPOUT_PASSED, "dout", lambda f: DOUT * (f > 0)),
    "scaled twice": (messages.DROPOUT_PASSED, "dout times the factor twice", lambda f: DOUT * f * f),
    "divided": (messages.DROPOUT_PASSED, "dout divided by the factor", lambda f: DOUT * (f > 0) / f.max()),
    "no upstream gradient": (messages.DROPOUT_PASSED, "something else", lambda f: f),
    "wrong by a millionth": (messages.DROPOUT_PASSED, "something else", lambda f: DOUT * f * (1 + 1e-6)),
    "nothing passes": (messages.DROPOUT_PASSED, "there are none", lambda f: 0 * f),
    "shortened": (messages.DROPOUT_SHAPE_OF_DX, "another one", lambda f: DOUT[f > 0]),
}


@pytest.mark.parametrize("name", GRADIENT_MISSES)
def test_gradients_that_do_not_fit_are_refused_and_described(name):
    """A gradient with other zeros or another scale than the forward pass is told apart, by the line that says why."""
    label, word, answer = GRADIENT_MISSES[name]
    out, (factor,) = dropout_forward(X, 0.4, rng=np.random.default_rng(0))
    found, wanted = gradient_words(out, answer(factor))["dx"], gradient_words(out, DOUT * factor)["dx"]
    assert found != wanted
    assert found[label] == word


def test_the_second_backward_pass_is_looked_at_too():
    """What a second call returned gets words of its own."""
    out, (factor,) = dropout_forward(X, 0.4, rng=np.random.default_rng(0))
    found = gradient_words(out, DOUT * factor, **{module.GRADIENTS[1]: DOUT * factor * factor})
    assert found["dx"] != found[module.GRADIENTS[1]]
    assert "out" not in found


@pytest.mark.parametrize("name", ["x", "dout"])
def test_a_changed_input_shows(name):
    """Whether an input was left alone is said in a word, forward and backward."""
    given = {"x": X, "dout": DOUT}
    label, out = f"{name} afterwards", X * masked(0.4) / 0.6
    for value, word in ((given[name], "as it was"), (given[name] * 0.5, "changed"), (None, "changed")):
        assert gradient_words(out, DOUT, **{label: value})[label] == word
        assert name == "dout" or words(out, 0.4, **{label: value})[label] == word


def test_evaluation_is_compared_by_value():
    """Without training nothing is put into words."""
    case = Case("", {"x": X, "p": 0.4, "train": False, "dout": DOUT}, ())
    assert dropout_words({"out": X}, case, {}) == {"out": X}
    assert dropout_gradient_words({"dx": DOUT}, case, {}) == {"dx": DOUT}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_of_out_stays_visible(dtype):
    """A float32 answer is described with the tolerance of float32, and a dropped entry has its dtype."""
    x = away_from_zero(3, dtype)
    found = words(dropout_forward(x, 0.4, rng=np.random.default_rng(0))[0], 0.4, x)["out"]
    assert found == right(0.4)
    assert found[messages.DROPOUT_DROPPED].dtype == dtype


NO_ARRAYS = (None, 3.0, "out", [1.0], np.array(["a"]), np.ones(SHAPE, complex), np.empty(0, object))


@pytest.mark.parametrize("out", NO_ARRAYS)
def test_what_is_no_array_of_numbers_gets_a_sentence(out):
    """An answer that cannot be looked at is refused in words, forward and backward."""
    with pytest.raises(ValueError, match="no array of real numbers"):
        words(out, 0.4)
    with pytest.raises(ValueError, match="no array of real numbers"):
        gradient_words(out, DOUT)
    with pytest.raises(ValueError, match="no array of real numbers"):
        gradient_words(X, out)


def test_a_shortened_forward_pass_cannot_judge_its_gradient():
    """The learner is told to repair the forward pass first."""
    with pytest.raises(ValueError, match="Repair it first"):
        gradient_words(X[:3], DOUT)
