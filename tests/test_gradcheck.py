"""The gradient check on right and wrong backward passes of real layers."""

from __future__ import annotations

import numpy as np
import pytest
from test_report import Page

from course_lib import numpy_kernels as kernels
from course_lib.gradcheck import check_backward, check_gradient

RNG = np.random.default_rng(1)


def affine(x, w, b):
    """A dense layer."""
    return x @ w.T + b, (x, w)


def affine_back(dout, cache):
    """Its backward pass."""
    x, w = cache
    return dout @ w, dout.T @ x, dout.sum(axis=0)


def draw(*shapes, dtype="float64"):
    """Arrays of normal numbers."""
    return [RNG.normal(size=shape).astype(dtype) for shape in shapes]


def kinds(report):
    """What was found, by name of the input."""
    return {row.name: row.fault.kind for row in report.rows if row.fault}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_right_layers_pass(dtype):
    """Right backward passes pass in both dtypes, with their rows named after the arguments."""
    report = check_backward(affine, affine_back, *draw((6, 4), (3, 4), (3,), dtype=dtype))
    assert report.passed and [row.name for row in report.rows] == ["x", "w", "b"]
    assert [row.checked for row in report.rows] == [24, 12, 3]
    assert all(row.error < (1e-8 if dtype == "float64" else 1e-4) for row in report.rows)


@pytest.mark.parametrize("name", ["relu", "tanh"])
def test_elementwise_kernels_pass(name):
    """So do the activations of the course."""
    assert check_backward(
        getattr(kernels, f"{name}_forward"), getattr(kernels, f"{name}_backward"), *draw((5, 7))
    ).passed


def test_the_mlp_kernel_passes_for_its_parameters():
    """`mlp_backward` has no gradient for x: the inputs are named."""
    arguments = draw((4, 2), (3, 2), (3,), (2, 3), (2,))
    report = check_backward(kernels.mlp_forward, kernels.mlp_backward, *arguments, wrt=("w1", "b1", "w2", "b2"))
    assert report.passed, report


def test_losses_pass_against_numbers():
    """A gradient without upstream, beside targets that are left alone."""
    assert check_gradient(kernels.mse_loss, kernels.mse_loss_backward, *draw((5, 3), (5, 3)), wrt=("y_hat",)).passed
    wrong = check_gradient(kernels.mse_loss, lambda y_hat, y: 2 * (y_hat - y), *draw((5, 3), (5, 3)), wrt=("y_hat",))
    assert kinds(wrong) == {"y_hat": "ratio"}


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (lambda dout, x, w: (dout @ w, dout.T @ x, dout), {"b": "not summed"}),
        (lambda dout, x, w: (dout @ w, x.T @ dout, dout.sum(0)), {"w": "transposed"}),
        (lambda dout, x, w: (dout @ w, dout.T @ x, dout.sum(0, keepdims=True)), {"b": "shape"}),
        (lambda dout, x, w: (-(dout @ w), dout.T @ x, dout.mean(0)), {"x": "sign", "b": "batch factor"}),
        (lambda dout, x, w: (dout**0 @ w, dout.T @ x, dout[-1]), {"x": "upstream ignored", "b": "one example"}),
        (lambda dout, x, w: (dout @ w * (x > 0), 2 * dout.T @ x, dout.sum(0)), {"x": "some entries", "w": "ratio"}),
        (lambda dout, x, w: (dout @ w, dout.T @ x, 0 * w[:, 0]), {"b": "zero"}),
    ],
)  # fmt: skip
def test_wrong_layers_are_told_how(wrong, found):
    """Each gradient gets its own diagnosis, and right ones beside it stay right."""
    report = check_backward(affine, lambda dout, cache: wrong(dout, *cache), *draw((6, 4), (3, 4), (3,)))
    assert not report.passed and kinds(report) == found


def test_square_weights_transposed_have_the_right_shape_and_are_found():
    """The most hidden of mistakes: a square matrix."""
    report = check_backward(
        affine, lambda dout, c: (dout @ c[1], c[0].T @ dout, dout.sum(0)), *draw((6, 4), (4, 4), (4,))
    )
    assert kinds(report) == {"w": "transposed"}


def test_corners_are_left_out_and_counted():
    """At 0 a ReLU has no derivative: whatever the backward pass says there is not judged."""
    x = np.array([[0.0, 1.0, -2.0], [3.0, 0.0, 0.5]])
    for at_zero in (0.0, 1.0):
        report = check_backward(
            lambda x: (np.maximum(x, 0), x), lambda dout, x, slope=at_zero: dout * np.where(x == 0, slope, x > 0), x
        )
        assert report.passed and (report.rows[0].checked, report.rows[0].left_out) == (4, 2)
    assert "2 entries lie at a corner" in repr(report)


def test_corners_near_a_number_are_left_out():
    """A corner within the step spoils the difference, wherever it lies."""
    x = np.concatenate([np.linspace(-2e-4, 2e-4, 41), [1.0]])
    report = check_backward(lambda x: (np.abs(x), x), lambda dout, x: dout * np.sign(x), x)
    assert report.passed and 0 < report.rows[0].left_out < 41


def test_strong_curvature_is_no_corner():
    """Steep and curved functions are measured in full."""

    def back(dout, x):
        return dout * np.exp(x) * (20 * np.cos(20 * x) + np.sin(20 * x))

    report = check_backward(lambda x: (np.sin(20 * x) * np.exp(x), x), back, np.linspace(-1, 1, 9))
    assert report.passed and report.rows[0].left_out == 0
    assert report.rows[0].error < 1e-9


def test_large_inputs_are_sampled():
    """At most so many entries are checked; the same seed checks the same ones."""
    x = draw((30, 40))[0]
    report = check_backward(lambda x: (x**2, x), lambda dout, x: 2 * dout * x, x, entries=50)
    assert report.passed and report.rows[0].checked == 50
    again = check_backward(lambda x: (x**2, x), lambda dout, x: 2 * dout * x, x, entries=50)
    assert again == report


def test_integers_and_settings_are_passed_on():
    """Labels, numbers and texts are no inputs to differentiate by."""
    labels = np.array([0, 2, 1])

    def pick(scores, labels, scale, how):
        assert how == "sum" and labels.dtype.kind == "i"
        return scale * scores[np.arange(3), labels].sum()

    def pick_back(scores, labels, scale, how):
        return scale * np.eye(4)[labels]

    assert check_gradient(pick, pick_back, draw((3, 4))[0], labels, 2.5, "sum").passed


def test_whole_passes_that_misbehave_are_noted():
    """Changed inputs, a random forward pass, NaN, and a missing gradient are sentences of their own."""

    def spoils(dout, c):
        grads = affine_back(dout, c)
        dout *= 0
        return grads

    arguments = draw((6, 4), (3, 4), (3,))
    assert "changed in place" in repr(check_backward(affine, spoils, *arguments))
    noise = np.random.default_rng(0)
    varies = check_backward(lambda x: (x * noise.random(), x), lambda dout, x: dout, arguments[0])
    assert "another result when called again" in repr(varies)
    with np.errstate(invalid="ignore"):
        broken = check_backward(lambda x: (np.log(x), x), lambda dout, x: dout / x, -np.ones(3))
    assert "NaN or infinity" in repr(broken) and not broken.passed
    missing = check_backward(affine, lambda dout, c: affine_back(dout, c)[:2], *arguments)
    assert "returns 2 gradients; expected 3, in this order: x, w, b" in repr(missing) and not missing.passed


def test_inputs_of_the_caller_are_left_alone():
    """Code under test that changes its inputs does not spoil those of the caller."""

    def rude(x):
        x *= 2
        return x**2, x

    x = draw((3,))[0]
    kept = x.copy()
    report = check_backward(rude, lambda dout, x: dout, x)
    np.testing.assert_array_equal(x, kept)
    assert not report.passed


def test_nothing_to_differentiate_is_an_error():
    """Lists, integers, and names that are no input."""
    with pytest.raises(ValueError, match="nothing to differentiate by.*the inputs are: x"):
        check_backward(lambda x: (x, x), lambda dout, x: dout, [1.0])
    with pytest.raises(ValueError, match="the inputs are: x, w, b"):
        check_backward(affine, affine_back, *draw((2, 2), (2, 2), (2,)), wrt=("w", "c"))


def test_outputs_without_axes_and_empty_inputs():
    """A loss has no batch axis; an empty input has nothing to compare."""
    assert check_backward(lambda x: ((x**2).sum(), x), lambda dout, x: 2 * dout * x, draw((3,))[0]).passed
    empty = check_backward(lambda x: (x, None), lambda dout, _: dout, np.zeros((0, 2)))
    assert empty.passed and "nothing to compare" in repr(empty)


def test_report_as_text_and_html():
    """Both forms hold the verdicts in words, and the sentences; names are escaped."""
    report = check_backward(affine, lambda dout, c: (dout @ c[1], dout.T @ c[0], dout), *draw((6, 4), (3, 4), (3,)))
    lines = repr(report).split("\n")
    assert lines[0] == "✗ <lambda>: not right yet."
    assert lines[1].split() == ["gradient", "of", "shape", "checked", "error", "verdict"]
    assert "✓ right" in lines[2] and "✗ not summed" in lines[4]
    assert lines[5] == "  Gradient of b: it is not summed over axis 0: it has shape (6, 3); expected (3,)."
    page = Page(report._repr_html_())
    assert page.open == [] and page.tags[0][1]["role"] == "status"
    assert all(text in page.text for text in ("<lambda>: not right yet", "✗ not summed", "Gradient of b: it is"))
    assert repr(check_backward(affine, affine_back, *draw((6, 4), (3, 4), (3,)))).startswith("✓ affine_back: every")
