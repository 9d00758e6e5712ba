"""Data augmentation: new examples from old ones. What is drawn at random is an argument."""

from __future__ import annotations

import numpy as np

from course_lib.validate import check_arrays, check_share
from course_lib.validate_draws import check_integers, check_mask


def augment_shift_flip(x: np.ndarray, shifts: np.ndarray, flips: np.ndarray) -> np.ndarray:
    """Images that are first mirrored left to right, where asked, and then shifted; zeros move in.

    ``out[n, c, i, j] = image[n, c, i - shifts[n, 0], j - shifts[n, 1]]``, 0 where that lies outside.

    Args:
        x: images, (N, C, H, W), float32 or float64.
        shifts: rows down and columns right, (N, 2), integers of less than H or W in size.
        flips: which images are mirrored, (N,), bools.

    Returns:
        The new images, (N, C, H, W), same dtype.

    Raises:
        TypeError: an argument is no array of its kind.
        ValueError: a shape does not fit, or a shift moves an image out of sight.

    Source: Krizhevsky, Sutskever and Hinton (2012); shifts as padding and cropping in He et al. (2015).

    >>> augment_shift_flip(np.array([[[[1.0, 2.0, 3.0]]]]), np.array([[0, 1]]), np.array([True]))
    array([[[[0., 3., 2.]]]])
    """
    check_arrays(np.ndarray, x=(x, "N C H W"))
    n, _, height, width = x.shape
    check_integers("shifts", shifts, np.ndarray, (n, 2), -(max(height, width) - 1), max(height, width) - 1)
    check_mask("flips", flips, np.ndarray, (n,))
    rows = np.arange(height) - shifts[:, :1].astype(int)
    columns = np.arange(width) - shifts[:, 1:].astype(int)
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    columns = np.where(flips[:, None], width - 1 - columns, columns)
    # What lies outside is read from anywhere inside, and then silenced.
    rows, columns = rows.clip(0, height - 1), columns.clip(0, width - 1)
    moved = x[np.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None, :]]
    return np.where(inside[:, None], np.moveaxis(moved, -1, 1), np.zeros((), x.dtype))


def mixup(x: np.ndarray, y: np.ndarray, lam: float, perm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each example mixed with another one, inputs and targets alike: ``lam * x + (1 - lam) * x[perm]``.

    Args:
        x: inputs, (N, ...), float32 or float64.
        y: targets, one-hot or numbers, (N, D), same dtype.
        lam: the share of the first, from 0 to 1; drawn from Beta(alpha, alpha) with alpha about 0.2.
        perm: the partner of each example, (N,), integers from 0 to N - 1.

    Returns:
        The mixed ``x`` and ``y``, same shapes and dtype.

    Raises:
        TypeError: an argument is no array of its kind or no number.
        ValueError: a shape does not fit, `lam` is not from 0 to 1, or a partner does not exist.

    Source: Zhang, Cisse, Dauphin and Lopez-Paz (2018).

    >>> mixup(np.array([[0.0], [4.0]]), np.eye(2), 0.75, np.array([1, 0]))[0]
    array([[1.],
           [3.]])
    """
    check_arrays(np.ndarray, y=(y, "N D"), x=(x, None))
    _check_batches(x, y)
    share = check_share("lam", lam, one=True)
    check_integers("perm", perm, np.ndarray, (len(x),), 0, len(x) - 1)
    return share * x + (1 - share) * x[perm], share * y + (1 - share) * y[perm]


def _check_batches(x: np.ndarray, y: np.ndarray) -> None:
    if x.shape[:1] != y.shape[:1]:
        raise ValueError(f"x has shape {x.shape}; expected (N, ...) with N = {len(y)} as in y.")
