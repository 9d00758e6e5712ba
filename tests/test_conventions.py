"""One test per row of docs/conventions.md that no other test backs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from course_lib import numpy_kernels as kernels

RNG_SEED = 7


@pytest.fixture
def rng() -> np.random.Generator:
    """The same numbers in every run."""
    return np.random.default_rng(RNG_SEED)


@pytest.fixture
def weights(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """w1, b1, w2, b2 of a 2-3-1 network."""
    return tuple(rng.normal(size=shape) for shape in ((3, 2), (3,), (1, 3), (1,)))


def test_weights_are_stored_out_by_in(rng: np.random.Generator) -> None:
    """`affine_forward` takes w as `torch.nn.Linear` stores it."""
    layer = torch.nn.Linear(3, 2, dtype=torch.float64)
    x = rng.normal(size=(4, 3))
    w, b = (parameter.detach().numpy() for parameter in layer.parameters())
    assert w.shape == (2, 3)
    np.testing.assert_allclose(kernels.affine_forward(x, w, b)[0], layer(torch.from_numpy(x)).detach().numpy())


def test_backward_takes_dout_then_cache(rng: np.random.Generator, weights: tuple[np.ndarray, ...]) -> None:
    """A forward pass returns (out, cache); the backward pass takes (dout, cache), one gradient per parameter."""
    out, cache = kernels.mlp_forward(rng.normal(size=(4, 2)), *weights)
    grads = kernels.mlp_backward(np.ones_like(out), cache)
    assert [grad.shape for grad in grads] == [weight.shape for weight in weights]


def test_losses_are_means_over_the_batch(rng: np.random.Generator) -> None:
    """Showing every example twice leaves `mse_loss` as it is."""
    y_hat, y = rng.normal(size=(2, 4, 3))
    twice = kernels.mse_loss(np.tile(y_hat, (2, 1)), np.tile(y, (2, 1)))
    np.testing.assert_allclose(twice, kernels.mse_loss(y_hat, y))


def test_mse_sums_over_outputs(rng: np.random.Generator) -> None:
    """`mse_loss` with D outputs is D times Torch's default."""
    y_hat, y = rng.normal(size=(2, 4, 3))
    default = torch.nn.functional.mse_loss(torch.from_numpy(y_hat), torch.from_numpy(y))
    np.testing.assert_allclose(kernels.mse_loss(y_hat, y), 3 * default.item())


def test_neuron_gradient_sums_over_pupils(rng: np.random.Generator) -> None:
    """Showing every pupil twice doubles `neuron_gradient`."""
    x, y, w = rng.normal(size=(4, 2)), np.array([0.0, 1.0, 1.0, 0.0]), rng.normal(size=2)
    once = kernels.neuron_gradient(x, y, w, 0.3)
    twice = kernels.neuron_gradient(np.tile(x, (2, 1)), np.tile(y, 2), w, 0.3)
    for single, double in zip(once, twice, strict=True):
        np.testing.assert_allclose(double, 2 * single)


def test_perceptron_tie_predicts_zero() -> None:
    """With w.x + b = 0 the perceptron says 0: an example of class 0 changes nothing, one of class 1 does."""
    x, w = np.array([1.0, 2.0]), np.zeros(2)
    unchanged, _ = kernels.perceptron_update(x, 0, w, 0.0, 0.5)
    moved, _ = kernels.perceptron_update(x, 1, w, 0.0, 0.5)
    np.testing.assert_array_equal(unchanged, w)
    np.testing.assert_array_equal(moved, 0.5 * x)


def test_sigmoid_saturates_without_warning() -> None:
    """`sigmoid` is 0 and 1 far out, without overflow."""
    with np.errstate(all="raise", under="ignore"):
        np.testing.assert_array_equal(kernels.sigmoid(np.array([-1000.0, 0.0, 1000.0])), [0.0, 0.5, 1.0])


def test_parameters_count_biases_by_default() -> None:
    """`count_parameters` counts biases unless told otherwise."""
    assert kernels.count_parameters([10, 200, 100, 1]) == 22_401
    assert kernels.count_parameters([10, 200, 100, 1], bias=False) == 22_100


def test_hidden_delta_takes_activated_values(rng: np.random.Generator, weights: tuple[np.ndarray, ...]) -> None:
    """`hidden_delta` is given h and out after the sigmoid; its result, summed over the batch, is db1."""
    x = rng.normal(size=(4, 2))
    out, cache = kernels.mlp_forward(x, *weights)
    h = kernels.sigmoid(x @ weights[0].T + weights[1])
    dout = rng.normal(size=out.shape)
    delta = kernels.hidden_delta(dout, h, out, weights[2])
    np.testing.assert_allclose(delta.sum(axis=0), kernels.mlp_backward(dout, cache)[1])


def test_one_step_is_full_batch_descent(weights: tuple[np.ndarray, ...]) -> None:
    """One step of `train_xor` moves every parameter against the gradient of `mse_loss` over the whole batch."""
    x, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
    out, cache = kernels.mlp_forward(x, *weights)
    grads = kernels.mlp_backward(2 * (out - y) / len(x), cache)
    trained = kernels.train_xor(x, y, *weights, 0.5, 1)
    for before, grad, after in zip(weights, grads, trained, strict=True):
        np.testing.assert_allclose(after, before - 0.5 * grad)


def test_xor_answers_are_clear() -> None:
    """The weights of `xor_weights` put (0, 1) and (1, 0) above 0.6 and the other corners below 0.4."""
    x = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    out, _ = kernels.mlp_forward(x, *kernels.xor_weights())
    assert (out[[1, 2]] > 0.6).all()
    assert (out[[0, 3]] < 0.4).all()


def test_backward_passes_take_cache_or_arguments(rng: np.random.Generator) -> None:
    """Layers are handed their cache, plain functions and losses their arguments; one gradient is no tuple."""
    x, dout = rng.normal(size=(2, 4, 3))
    out, cache = kernels.relu_forward(x)
    assert kernels.relu_backward(dout, cache).shape == kernels.gelu_backward(dout, x).shape == out.shape
    labels = np.array([0, 2, 1, 0])
    assert kernels.hinge_loss_backward(x, labels).shape == kernels.cross_entropy_backward(x, labels).shape == x.shape
    assert [grad.shape for grad in kernels.triplet_loss_backward(x, dout, -x)] == [x.shape] * 3


def test_given_draws_need_no_generator(rng: np.random.Generator) -> None:
    """A mask given as an argument is used as it is: True keeps."""
    mask = np.array([True, False, True])
    assert kernels.dropout_classic(np.ones(3), mask=mask)[0].tolist() == [1.0, 0.0, 1.0]
    assert kernels.stochastic_depth(np.ones(3), np.ones(3), keep=mask)[0].tolist() == [3.0, 1.0, 3.0]
    drawn = kernels.dropout_classic(np.ones(1000), 0.1, rng=rng)[0]
    assert drawn.mean() > 0.8


def test_softmax_runs_along_the_last_axis(rng: np.random.Generator) -> None:
    """Rows sum to 1 by default, columns with axis 0."""
    x = rng.normal(size=(4, 3))
    np.testing.assert_allclose(kernels.softmax(x).sum(axis=-1), 1)
    np.testing.assert_allclose(kernels.softmax(x, axis=0).sum(axis=0), 1)


def test_losses_sum_over_outputs_and_classes(rng: np.random.Generator) -> None:
    """With three outputs or classes each is three times Torch's default."""
    x, y = torch.from_numpy(rng.normal(size=(4, 3))), torch.from_numpy(rng.random((4, 3)))
    labels, default = torch.tensor([0, 2, 1, 0]), torch.nn.functional
    np.testing.assert_allclose(kernels.l1_loss(x.numpy(), y.numpy()), 3 * default.l1_loss(x, y))
    binary = default.binary_cross_entropy_with_logits(x, y)
    np.testing.assert_allclose(kernels.bce_with_logits(x.numpy(), y.numpy()), 3 * binary)
    np.testing.assert_allclose(kernels.hinge_loss(x.numpy(), labels.numpy()), 3 * default.multi_margin_loss(x, labels))


def test_class_weights_weigh_the_mean(rng: np.random.Generator) -> None:
    """Weights that are all alike change nothing, whatever their size."""
    logits, labels = rng.normal(size=(4, 3)), np.array([0, 2, 1, 0])
    np.testing.assert_allclose(
        kernels.cross_entropy(logits, labels, np.full(3, 7.0)), kernels.cross_entropy(logits, labels)
    )


def test_kinks_have_slope_zero() -> None:
    """Where an absolute value or a maximum has no slope, the kernels say 0."""
    zero = np.zeros((1, 2))
    assert not kernels.l1_loss_backward(zero, zero).any()
    assert not kernels.l1_subgradient(zero, 1.0).any()
    assert not kernels.hinge_loss_backward(np.array([[1.0, 0.0]]), np.array([0])).any()


def test_images_have_channels_before_places(rng: np.random.Generator) -> None:
    """A border of (1, 2) adds rows to axis 2 and columns to axis 3; a kernel is (height, width)."""
    x = rng.normal(size=(2, 3, 5, 7))
    assert kernels.pad2d(x, (1, 2)).shape == (2, 3, 7, 11)
    assert kernels.maxpool2d_forward(x, (5, 1))[0].shape == (2, 3, 1, 7)
    assert kernels.conv2d_forward(x, np.zeros((4, 3, 1, 7)))[0].shape == (2, 4, 5, 1)


def test_kernels_are_not_flipped() -> None:
    """A kernel with its one 1 in the upper left corner picks the upper left pixel of each window."""
    x = np.arange(9.0).reshape(1, 1, 3, 3)
    out, _ = kernels.conv2d_forward(x, np.array([[[[1.0, 0.0], [0.0, 0.0]]]]))
    assert out.tolist() == [[[[0.0, 1.0], [3.0, 4.0]]]]


def test_no_bias_has_no_gradient() -> None:
    """As many gradients come back as arrays went in."""
    image, text = np.ones((1, 1, 2, 2)), np.ones((1, 2, 1))
    for forward, backward, arrays in (
        (kernels.conv2d_forward, kernels.conv2d_backward, (image, image)),
        (kernels.conv1d_forward, kernels.conv1d_backward, (text, text.reshape(1, 1, 2))),
    ):
        for arguments in (arrays, (*arrays, np.ones(1))):
            out, cache = forward(*arguments)
            assert [grad.shape for grad in backward(out, cache)] == [array.shape for array in arguments]


def test_pooling_windows_touch_by_default(rng: np.random.Generator) -> None:
    """Without a stride each pixel is in one window."""
    x = rng.normal(size=(1, 1, 6, 6))
    for pool in (kernels.maxpool2d_forward, kernels.avgpool2d_forward):
        np.testing.assert_array_equal(pool(x, 2)[0], pool(x, 2, 2)[0])


def test_texts_have_words_before_numbers(rng: np.random.Generator) -> None:
    """Seven words and a filter over three of them make five answers; each is a sum over the words' numbers."""
    x, w = rng.normal(size=(2, 7, 4)), rng.normal(size=(6, 4, 3))
    out, _ = kernels.conv1d_forward(x, w)
    assert out.shape == (2, 5, 6)
    np.testing.assert_allclose(out[1, 4, 5], sum(x[1, 4 + j] @ w[5, :, j] for j in range(3)))


def test_each_layer_has_a_tuple_of_gradients(rng: np.random.Generator) -> None:
    """Gradients come in the order of the layers, and an activation has none; its cache is its output."""
    x, w, b = rng.normal(size=(4, 3)), rng.normal(size=(2, 3)), rng.normal(size=2)
    z, cache = kernels.affine_forward(x, w, b)
    out = np.tanh(z)
    dx, grads = kernels.sequential_backward(np.ones((4, 2)), ["affine", "tanh"], [cache, (out,)])
    assert [tuple(grad.shape for grad in own) for own in grads] == [((2, 3), (2,)), ()]
    np.testing.assert_allclose(dx, (1 - out**2) @ w)


def test_values_accumulate_until_they_are_cleared() -> None:
    """Two calls add up, of the same result or of two; values in between pass on what is new only."""
    x = kernels.Value(3.0)
    square = x * x
    result = square * square
    result.backward()
    result.backward()
    assert x.grad == 2 * 4 * 3.0**3
    x.grad = 0.0
    (x + 1.0).backward()
    assert x.grad == 1.0


def test_batch_normalisation_caches_what_its_way_back_needs(rng: np.random.Generator) -> None:
    """The cache of `batchnorm_forward` is (x_hat, inv_std, gamma); out is gamma * x_hat + beta."""
    x, (gamma, beta, mean) = rng.normal(size=(5, 3)), rng.normal(size=(3, 3))
    out, (x_hat, inv_std, cached), *_ = kernels.batchnorm_forward(x, gamma, beta, mean, np.ones(3))
    np.testing.assert_allclose(out, cached * x_hat + beta)
    np.testing.assert_allclose(x_hat / inv_std, x - x.mean(axis=0))
    assert cached is gamma


def test_normalised_within_an_example_whatever_the_batch(rng: np.random.Generator) -> None:
    """Layer norm centres the last axis, group norm neighbouring channels; gamma and beta come after, per channel."""
    x, ones, zeros = rng.normal(size=(2, 4, 3, 5)), np.ones(5), np.zeros(5)
    np.testing.assert_allclose(kernels.layernorm_forward(x, ones, zeros)[0].mean(axis=-1), 0, atol=1e-12)
    gamma, beta = rng.normal(size=(2, 4))
    out = kernels.groupnorm_forward(x, gamma, beta, 2)[0]
    x_hat = (out - beta[:, None, None]) / gamma[:, None, None]
    np.testing.assert_allclose(x_hat.reshape(2, 2, -1).mean(axis=2), 0, atol=1e-12)
    assert np.abs(x_hat.mean(axis=(2, 3))).min() > 1e-3


def test_a_stride_widens_later_layers_only() -> None:
    """Nothing sees 1; a layer's own stride does not count for itself, all earlier ones do for the next."""
    assert kernels.receptive_field([]) == 1
    assert kernels.receptive_field([(3, 5, 1)]) == 3
    assert kernels.receptive_field([(3, 5, 1), (2, 4, 3)]) == 3 + 3 * 5
    assert kernels.receptive_field([(3, 5, 1), (2, 4, 3), (2, 1, 1)]) == 3 + 3 * 5 + 5 * 4


def test_costs_are_of_one_image_with_biases_as_parameters() -> None:
    """Two filters through three channels over one window: a product per weight, a parameter more per filter."""
    parameters, multiply_adds, outputs = kernels.count_conv(3, 2, 4, 4, 4)
    assert multiply_adds == 2 * 3 * 4 * 4
    assert parameters == multiply_adds + 2
    assert outputs == 2


def test_tables_have_a_row_per_layer() -> None:
    """Maps have three sizes and rows one; pooling learns nothing, and dense layers take in all numbers and a bias."""
    layers = [("c", "conv", 4, 3, 1, 0), ("p", "pool", 2, 2), ("d", "dense", 5), ("e", "dense", 2)]
    table = kernels.alexnet_table(layers, (1, 6, 8))
    assert table == [("c", (4, 4, 6), 40), ("p", (4, 2, 3), 0), ("d", (5,), 5 * 25), ("e", (2,), 2 * 6)]


def test_a_vocabulary_counts_its_special_entries() -> None:
    """Four entries are padding, unknown and two words, the first of the equally frequent ones by the alphabet."""
    texts = [["not", "so", "good", "so"], ["bad", "not"]]
    assert kernels.build_vocab(texts, 1, 4) == {"<pad>": 0, "<unk>": 1, "not": 2, "so": 3}
    assert kernels.build_vocab(texts, 1, 5)["bad"] == 4


def test_texts_are_cut_and_filled_at_the_end() -> None:
    """The first words stay, zeros follow the last one, and an unknown word keeps its place."""
    vocab = {"<pad>": 0, "<unk>": 1, "be": 2, "to": 3}
    assert kernels.encode_and_pad(["to", "be", "or"], vocab, 2).tolist() == [3, 2]
    assert kernels.encode_and_pad(["or", "to"], vocab, 4).tolist() == [1, 3, 0, 0]


def test_padding_is_a_row_like_any_other(rng: np.random.Generator) -> None:
    """Word 0 is looked up, and gets the gradient that reaches it."""
    w, ids = rng.normal(size=(3, 2)), np.array([[2, 0, 0]])
    out, cache = kernels.embedding_forward(ids, w)
    np.testing.assert_array_equal(out[0, 1], w[0])
    np.testing.assert_array_equal(kernels.embedding_backward(np.ones((1, 3, 2)), cache)[0], [2, 2])


def test_only_windows_that_fire_are_listed() -> None:
    """An answer of 0 is no answer; what comes twice is listed once, and a tie goes to the earlier text."""
    texts, answers = [["so", "bad"], ["so", "good", "so"]], np.array([[2.0, 0.0, 0.0], [1.0, 3.0, 2.5]])
    assert kernels.top_ngrams(texts, answers, 1, 9) == [("good", 3.0), ("so", 2.5)]
    assert kernels.top_ngrams(texts, np.full((2, 3), 1.5), 1, 2) == [("so", 1.5), ("bad", 1.5)]


def test_a_residual_connection_keeps_what_the_branch_returned() -> None:
    """The cache is (f, inner) of the one call; a way back that returns an array becomes a tuple of one."""
    calls = []

    def branch(x: np.ndarray) -> tuple[np.ndarray, str]:
        calls.append(x)
        return 3 * x, "inner"

    out, (f, inner) = kernels.residual_forward(np.array([[1.0, -2.0]]), branch)
    assert (out.tolist(), f.tolist(), inner, len(calls)) == ([[4.0, -8.0]], [[3.0, -6.0]], "inner", 1)
    dout = np.array([[1.0, 10.0]])
    (dx,) = kernels.residual_backward(dout, (f, inner), lambda dout, inner: 3 * dout)
    assert dx.tolist() == [[4.0, 40.0]]
    dx, dw = kernels.residual_backward(dout, (f, inner), lambda dout, inner: (3 * dout, "dw"))
    assert (dx.tolist(), dw) == ([[4.0, 40.0]], "dw")


def test_a_projection_begins_at_pixel_zero_and_rounds_up() -> None:
    """Of five rows and four columns, rows 0, 2, 4 and columns 0, 2 count."""
    x = np.arange(20.0).reshape(1, 1, 5, 4)
    out = kernels.projection_shortcut(x, np.ones((1, 1, 1, 1)))
    assert out[0, 0].tolist() == [[0.0, 2.0], [8.0, 10.0], [16.0, 18.0]]


def test_gradient_norms_are_euclidean_first_layer_first() -> None:
    """Two layers of which only the first is silent: its norm is 0 in front, the other one a root of squares."""
    silent, open_ = -np.eye(2), np.eye(2)
    x, dout = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])
    norms = kernels.gradient_norm_by_depth(x, [silent, open_], dout)
    np.testing.assert_allclose(norms, [0.0, np.sqrt((3**2 + 4**2) * (1**2 + 2**2))])


def test_stochastic_depth_touches_the_branch_alone(rng: np.random.Generator) -> None:
    """An example without its branch comes out as it came in; evaluation adds the branch as it is."""
    x, f = rng.normal(size=(2, 3, 4))
    keep = np.array([True, False, True])
    out = kernels.stochastic_depth(x, f, p=0.75, keep=keep)[0]
    np.testing.assert_allclose(out, np.where(keep[:, None], x + 4 * f, x))
    np.testing.assert_allclose(kernels.stochastic_depth(x, f, p=0.75, train=False)[0], x + f)


def test_a_batch_normalisation_learns_two_numbers_per_channel() -> None:
    """The rows of `resnet18_shapes` hold the filters and 2 per channel of each normalisation, shortcuts included."""
    rows = {name: parameters for name, _, parameters in kernels.resnet18_shapes()}
    assert rows["conv1"] == 64 * 3 * 49 + 2 * 64
    assert rows["stage2.1"] == 9 * 64 * 128 + 9 * 128 * 128 + 64 * 128 + 3 * 2 * 128


def test_a_small_residual_network_lists_the_shortcut_behind_block_b() -> None:
    """Filters come in the order stem, A, A, B, B, shortcut, with two vectors behind each, then the dense layer."""
    shapes = [parameter.shape for parameter in kernels.ResNetSmall(width=3, classes=4).parameters]
    assert shapes[0:18:3] == [(3, 1, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (6, 3, 3, 3), (6, 6, 3, 3), (6, 3, 1, 1)]
    assert shapes[-2:] == [(4, 6), (4,)]
