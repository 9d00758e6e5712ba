"""Data augmentation on Torch tensors; names and errors as in `course_lib.numpy_kernels.augmentation`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from course_lib.validate import check_arrays, check_share
from course_lib.validate_draws import check_integers, check_mask


def augment_shift_flip(x: Tensor, shifts: Tensor, flips: Tensor) -> Tensor:
    """Images mirrored with `torch.flip` and shifted by padding on one side and cropping on the other.

    Args:
        x: images, (N, C, H, W).
        shifts: rows down and columns right, (N, 2), integers.
        flips: which images are mirrored, (N,), bools.

    Returns:
        The new images, (N, C, H, W).

    >>> augment_shift_flip(torch.tensor([[[[1.0, 2.0, 3.0]]]]), torch.tensor([[0, 1]]), torch.tensor([True])).tolist()
    [[[[0.0, 3.0, 2.0]]]]
    """
    check_arrays(Tensor, x=(x, "N C H W"))
    n, _, height, width = x.shape
    check_integers("shifts", shifts, Tensor, (n, 2), -(max(height, width) - 1), max(height, width) - 1)
    check_mask("flips", flips, Tensor, (n,))
    mirrored = torch.where(flips[:, None, None, None], x.flip(-1), x)
    return torch.stack([_shift(image, *by) for image, by in zip(mirrored, shifts.tolist(), strict=True)])


def _shift(image: Tensor, down: int, right: int) -> Tensor:
    height, width = image.shape[-2:]
    if abs(down) >= height or abs(right) >= width:
        return torch.zeros_like(image)
    return functional.pad(image, (right, -right, down, -down))


def mixup(x: Tensor, y: Tensor, lam: float, perm: Tensor) -> tuple[Tensor, Tensor]:
    """Each example mixed with another one: `torch.lerp` from the partner.

    Args:
        x: inputs, (N, ...).
        y: targets, (N, D), same dtype and device.
        lam: the share of the first, from 0 to 1.
        perm: the partner of each example, (N,), integers from 0 to N - 1.

    Returns:
        The mixed ``x`` and ``y``.

    >>> mixup(torch.tensor([[0.0], [4.0]]), torch.eye(2), 0.75, torch.tensor([1, 0]))[0].tolist()
    [[1.0], [3.0]]
    """
    check_arrays(Tensor, y=(y, "N D"), x=(x, None))
    if x.shape[:1] != y.shape[:1]:
        raise ValueError(f"x has shape {tuple(x.shape)}; expected (N, ...) with N = {len(y)} as in y.")
    share = check_share("lam", lam, one=True)
    check_integers("perm", perm, Tensor, (len(x),), 0, len(x) - 1)
    partners = perm.long()
    return torch.lerp(x[partners], x, share), torch.lerp(y[partners], y, share)
