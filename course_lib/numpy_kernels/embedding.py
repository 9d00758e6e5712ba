"""Words as vectors, and the strongest answer over a text."""

from __future__ import annotations

import numpy as np

from course_lib.validate import check_arrays, check_cache
from course_lib.words import check_ids, check_mask

EmbeddingCache = tuple[np.ndarray, np.ndarray]
MaxCache = tuple[np.ndarray, np.ndarray, np.ndarray | None]


def embedding_forward(ids: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, EmbeddingCache]:
    """The vector of every word: ``out[..., d] = w[ids[...], d]``.

    Args:
        ids: word numbers from 0 to V - 1, any shape, often (N, L); integers.
        w: one vector per word, (V, D), float32 or float64.

    Returns:
        ``out``, the shape of `ids` and then D, same dtype as w, and the cache.

    Raises:
        TypeError: `ids` is no array of integers, or `w` none of floating numbers.
        ValueError: a shape does not fit, or a word has no vector.

    Source: Bengio, Ducharme, Vincent and Jauvin (2003).

    >>> embedding_forward(np.array([[2, 0]]), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))[0]
    array([[[5., 6.],
            [1., 2.]]])
    """
    check_arrays(np.ndarray, w=(w, "V D"))
    check_ids(ids, len(w), np.ndarray)
    return w[ids], (ids, w)


def embedding_backward(dout: np.ndarray, cache: EmbeddingCache) -> np.ndarray:
    """Backward pass of `embedding_forward`: a word that came often gets the sum.

    ``dw = onehot.T @ dout``, where row i of ``onehot`` has its one 1 at ``ids[i]``.

    Args:
        dout: gradient of the loss with respect to the output, the shape of `ids` and then D.
        cache: what `embedding_forward` returned second.

    Returns:
        ``dw``, (V, D), same dtype as `dout`: zeros for words that did not come.

    Raises:
        TypeError: `dout` is no array of floating numbers, or `cache` is no cache.
        ValueError: the shape does not fit.

    Source: Bengio, Ducharme, Vincent and Jauvin (2003).

    >>> embedding_backward(np.ones((3, 1)), embedding_forward(np.array([1, 1, 2]), np.zeros((4, 1)))[1]).ravel()
    array([0., 2., 1., 0.])
    """
    # Late, because only this function needs it and loading it takes a tenth of a second. np.add.at would do as well,
    # at four times the cost; `dw[ids] += dout` would not: of repeated words only the last would count.
    from scipy.sparse import csr_array

    ids, w = check_cache(cache, 2, "embedding_forward")
    check_arrays(np.ndarray, w=(w, None), dout=(dout, " ".join(map(str, (*ids.shape, w.shape[1])))))
    ones, starts = np.ones(ids.size, dtype=w.dtype), np.arange(ids.size + 1)
    onehot = csr_array((ones, ids.ravel(), starts), shape=(ids.size, len(w)))
    return onehot.T @ dout.reshape(-1, w.shape[1])


def max_over_time_forward(x: np.ndarray, mask: np.ndarray | None = None) -> tuple[np.ndarray, MaxCache]:
    """The largest answer of every filter over a text: ``out[n, m] = max over l of x[n, l, m]``.

    Args:
        x: answers of M filters at L places, (N, L, M), float32 or float64.
        mask: (N, L), true where a place counts, false in the padding; None means everywhere.

    Returns:
        ``out``, (N, M), same dtype, and the cache.

    Raises:
        TypeError: `x` is no array of floating numbers, or `mask` none of bools.
        ValueError: a shape does not fit, or a text has no place that counts.

    Source: Collobert et al. (2011); in Kim (2014) over every filter.

    >>> max_over_time_forward(np.array([[[1.0], [3.0], [9.0]]]), np.array([[True, True, False]]))[0]
    array([[3.]])
    """
    check_arrays(np.ndarray, x=(x, "N L M"))
    check_mask(mask, x, np.ndarray)
    seen = x if mask is None else np.where(mask[:, :, None], x, -np.inf)
    which = seen.argmax(axis=1)[:, None]
    return np.take_along_axis(seen, which, axis=1)[:, 0], (x, which, mask)


def max_over_time_backward(dout: np.ndarray, cache: MaxCache) -> np.ndarray:
    """Backward pass of `max_over_time_forward`: each gradient goes to the place of the maximum, the first of equals.

    Args:
        dout: gradient of the loss with respect to the output, (N, M).
        cache: what `max_over_time_forward` returned second.

    Returns:
        ``dx``, (N, L, M), same dtype as `dout`.

    Raises:
        TypeError: `dout` is no array of floating numbers, or `cache` is no cache.
        ValueError: the shape does not fit.

    Source: derivative of the definition.

    >>> max_over_time_backward(np.ones((1, 1)), max_over_time_forward(np.zeros((1, 3, 1)))[1]).ravel()
    array([1., 0., 0.])
    """
    x, which, mask = check_cache(cache, 3, "max_over_time_forward")
    check_arrays(np.ndarray, x=(x, None), dout=(dout, f"{x.shape[0]} {x.shape[2]}"))
    dx = np.zeros_like(x)
    np.put_along_axis(dx, which, dout[:, None], axis=1)
    if mask is not None:
        # Where all that counts is minus infinity, the first maximum may lie in the padding.
        dx[~mask] = 0
    return dx
