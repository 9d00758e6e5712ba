"""The data of the lessons: real sets that are there offline, larger ones to download, and points made by a generator.

What enters: a seeded generator, where chance is involved. What leaves: inputs with one example per row, labels,
and parts for training, validation and testing that are the same on every machine.

| offline | to download, once |
|---|---|
| `load_digits`: 8x8 pixels | `load_mnist`, `load_fashion_mnist`: 28x28 pixels; `load_cifar10`: 32x32 in colour |
| `docstring_sentences`: which package? | `load_movie_reviews`: positive or negative? |
| `pupils`, `xor_points`: points | |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from course_lib.corpus import PACKAGES, harvest
from course_lib.downloads import fetch
from course_lib.formats import read_cifar, read_idx_pair, read_sentences
from course_lib.sources import SOURCES
from course_lib.validate import check_count

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = np.array([[0.0], [1.0], [1.0], [0.0]])

_SPLIT_SEED = 0
_TRAIN, _VALIDATION = 1197, 300
_FULL_INK = 16.0
_BRIGHTEST = 255
_PIXELS = (np.uint8, np.float32, np.float64)

DIGIT_CLASSES = tuple("0123456789")
FASHION_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR10_PARTS = ([f"data_batch_{i}.bin" for i in range(1, 6)], ["test_batch.bin"])
REVIEW_CLASSES = ("negative", "positive")

_MARKS = (
    (4, 9), (6, 5), (8, 7), (7, 12), (9, 10), (11, 6), (12, 8), (5, 14), (13, 4), (10, 9),
    (10, 13), (12, 11), (13, 10), (9, 16), (15, 8), (14, 13), (16, 11), (11, 15), (17, 15), (8, 17),
)  # fmt: skip


class Digits(NamedTuple):
    """Handwritten digits in three parts.

    Every `x_...` is `(N, 64)` float64: the ink of 8x8 pixels, from 0 (paper) to 1 (full), row by row.
    Every `y_...` is `(N,)` int64: the digit, 0 to 9.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def load_digits(mixed: bool = True) -> Digits:
    """The 1,797 real digits that come with scikit-learn, always cut the same way: 1,197, 300 and 300.

    Args:
        mixed: shuffle before cutting, so that every writer is in every part. False keeps the order of
            the file, in which the test part comes from the last writers.

    >>> load_digits().x_test.shape
    (300, 64)
    """
    from sklearn.datasets import load_digits as load  # takes a second: only whoever needs it pays

    data = load()
    count = len(data.target)
    order = np.random.default_rng(_SPLIT_SEED).permutation(count) if mixed else np.arange(count)
    x, y = data.data[order] / _FULL_INK, data.target[order].astype(np.int64)
    end = _TRAIN + _VALIDATION
    return Digits(x[:_TRAIN], y[:_TRAIN], x[_TRAIN:end], y[_TRAIN:end], x[end:], y[end:])


@dataclass(frozen=True, eq=False)
class Images:
    """Labelled images in three parts.

    Every `x_...` is `(N, C, H, W)`: floats from 0 to 1, or the file's own uint8 from 0 to 255.
    Every `y_...` is `(N,)` int64. `classes` names what the labels stand for.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Texts:
    """Labelled sentences in three parts: eight tenths, one tenth, one tenth of each class.

    Every `x_...` has N sentences, every `y_...` is `(N,)` int64. `classes` names what the labels stand for.
    """

    x_train: tuple[str, ...]
    y_train: np.ndarray
    x_validation: tuple[str, ...]
    y_validation: np.ndarray
    x_test: tuple[str, ...]
    y_test: np.ndarray
    classes: tuple[str, ...]


def load_mnist(
    *,
    dtype: Any = np.float32,
    validation: int = 5000,
    base_url: str | None = None,
    cache: str | Path | None = None,
    progress: bool = True,
) -> Images:
    """MNIST: 70,000 handwritten digits of 28x28 pixels (LeCun, Cortes, Burges). Downloads 12 MB, once.

    The test part is the official one, in its order. The validation part is drawn from the 60,000 others,
    always the same way.

    Args:
        dtype: `np.float32` or `np.float64` for ink from 0 to 1; `np.uint8` for the file's own 0 to 255.
        validation: how many images to keep apart for validation.
        base_url: where to download from, instead of the usual addresses; see `course_lib.downloads`.
        cache: the folder in which the files are kept.
        progress: show a bar while downloading.

    Returns:
        Images `(N, 1, 28, 28)`, labels 0 to 9.

    Raises:
        DataError: the files could not be downloaded or are damaged; the message names the way without them.
        ValueError: another dtype, or more images for validation than there are.
    """
    return _idx_images(_fetched("mnist", base_url, cache, progress), DIGIT_CLASSES, dtype, validation)


def load_fashion_mnist(
    *,
    dtype: Any = np.float32,
    validation: int = 5000,
    base_url: str | None = None,
    cache: str | Path | None = None,
    progress: bool = True,
) -> Images:
    """Fashion-MNIST: 70,000 pictures of clothes of 28x28 pixels (Xiao, Rasul, Vollgraf, 2017). Downloads 31 MB, once.

    Same format, arguments, parts and errors as `load_mnist`.
    """
    return _idx_images(_fetched("fashion_mnist", base_url, cache, progress), FASHION_CLASSES, dtype, validation)


def load_cifar10(
    *,
    dtype: Any = np.float32,
    validation: int = 5000,
    base_url: str | None = None,
    cache: str | Path | None = None,
    progress: bool = True,
) -> Images:
    """CIFAR-10: 60,000 colour photographs of 32x32 pixels (Krizhevsky, 2009). Downloads 170 MB, once.

    The binary version, never the pickled one: opening a pickle runs whatever is in it. Arguments, parts and
    errors as in `load_mnist`; images are `(N, 3, 32, 32)`, in red, green and blue. In float32 they take 737 MB,
    in uint8 a quarter of that.
    """
    (path,) = _fetched("cifar10", base_url, cache, progress)
    train, test = read_cifar(path, CIFAR10_PARTS)
    return _images(train, test, CIFAR10_CLASSES, dtype, validation)


def load_movie_reviews(*, base_url: str | None = None, cache: str | Path | None = None, progress: bool = True) -> Texts:
    """10,662 sentences from film reviews, half of them positive (Pang and Lee, 2005). Downloads 1 MB, once.

    They are in lower case with blanks around every sign, as the authors published them. There is no official
    test part: Kim (2014) cross-validates. Here the parts are always the same, and half positive each.

    Args:
        base_url: where to download from, instead of the usual address; see `course_lib.downloads`.
        cache: the folder in which the files are kept.
        progress: show a bar while downloading.

    Returns:
        Sentences; label 0 is negative, 1 is positive.

    Raises:
        DataError: the files could not be downloaded or are damaged; the message names the way without them.
    """
    by_class = map(read_sentences, _fetched("rt_polarity", base_url, cache, progress))
    rng = np.random.default_rng(_SPLIT_SEED)
    mixed = [[sentences[i] for i in rng.permutation(len(sentences))] for sentences in by_class]
    return _texts(mixed, REVIEW_CLASSES)


def docstring_sentences(
    packages: Sequence[str] = PACKAGES, per_package: int = 1000, *, cache: str | Path | None = None
) -> Texts:
    """Which package does this sentence come from? Real sentences from the docstrings of installed packages.

    Nothing is downloaded, and no package is imported: their source files are read. Code, formulas and sentences
    with the name of a package are left out, repeated ones are kept once. The parts come from different files,
    but for one file per package that two parts may share. The same versions always give the same sentences.

    Args:
        packages: names to import packages by. They are the classes, in this order.
        per_package: how many sentences of each; at least 10.
        cache: the folder in which the sentences are kept for the next call, which is quick then.

    Returns:
        `per_package` sentences of 5 to 30 words for every package; the label is the package's position.

    Raises:
        ValueError: a package is not installed, named twice, or has too few sentences.

    The first time takes a few seconds.
    """
    return _texts(harvest(packages, per_package, cache), tuple(packages))


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """One row per label: a single 1, in the column of the class.

    Args:
        labels: `(N,)` integers from 0 to `classes` - 1.
        classes: how many columns.

    Returns:
        `(N, classes)` float64.

    Raises:
        ValueError: a label is not one of the classes.

    >>> one_hot(np.array([2, 0]), 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    labels = np.asarray(labels)
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        found = f"{labels.min()} to {labels.max()}"
        raise ValueError(f"Labels go from {found}; with {classes} classes they must go from 0 to {classes - 1}.")
    return np.eye(classes)[labels]


def pupils() -> tuple[np.ndarray, np.ndarray]:
    """Twenty invented pupils, admitted when their two marks add up to 22 or more.

    Returns:
        Marks in maths and physics, out of 20, `(20, 2)`, and 1 for admitted, else 0, `(20,)`.
    """
    marks = np.array(_MARKS, dtype=float)
    return marks, (marks.sum(axis=1) >= 22).astype(float)


def xor_points(
    copies: int = 1, spread: float = 0.0, rng: np.random.Generator | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The four corners of XOR, or clouds of points around them.

    Args:
        copies: points per corner.
        spread: each coordinate moves by a uniform draw from [-spread, spread].
        rng: where the draws come from; needed when `spread` is not 0.

    Returns:
        Points `(4 * copies, 2)` and labels `(4 * copies, 1)`, 1 where exactly one input is 1.

    Raises:
        ValueError: a spread without a generator.
    """
    x, y = np.tile(CORNERS, (copies, 1)), np.tile(XOR, (copies, 1))
    if spread == 0:
        return x, y
    if rng is None:
        raise ValueError("xor_points needs rng= (a NumPy generator) when spread is not 0.")
    return x + rng.uniform(-spread, spread, x.shape), y


def _fetched(key: str, base_url: str | None, cache: str | Path | None, progress: bool) -> list[Path]:
    """Every file of a set, in the order of the table."""
    source = SOURCES[key]
    return [fetch(source, file, base_url=base_url, cache=cache, progress=progress) for file in source.files]


def _idx_images(paths: Sequence[Path], classes: tuple[str, ...], dtype: Any, validation: int) -> Images:
    train, test = read_idx_pair(*paths[:2], len(classes)), read_idx_pair(*paths[2:], len(classes))
    return _images(train, test, classes, dtype, validation)


def _images(
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    classes: tuple[str, ...],
    dtype: Any,
    validation: int,
) -> Images:
    """Keep some of the training images apart, the same on every machine; each part stays in the file's order."""
    if np.dtype(dtype) not in _PIXELS:
        raise ValueError(f"dtype is {np.dtype(dtype)}; expected uint8, float32 or float64.")
    x, y = train
    apart = check_count("validation", validation, least=0)
    if apart >= len(y):
        raise ValueError(f"validation is {apart}; expected less than {len(y)}, which is all there is to train on.")
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(y))
    kept, held = np.sort(order[apart:]), np.sort(order[:apart])
    return Images(
        _scaled(x[kept], dtype), y[kept], _scaled(x[held], dtype), y[held], _scaled(test[0], dtype), test[1], classes
    )


def _scaled(x: np.ndarray, dtype: Any) -> np.ndarray:
    return np.require(x, requirements="W") if x.dtype == dtype else np.divide(x, _BRIGHTEST, dtype=dtype)


def _texts(by_class: Sequence[Sequence[str]], classes: tuple[str, ...]) -> Texts:
    """Cut each class into a tenth to test, a tenth to validate and the rest to train; mix the classes in each part."""
    rng = np.random.default_rng(_SPLIT_SEED)
    parts: list[list[tuple[str, int]]] = [[], [], []]
    for label, sentences in enumerate(by_class):
        tenth = len(sentences) // 10
        for part, cut in zip(parts, (slice(2 * tenth, None), slice(tenth, 2 * tenth), slice(tenth)), strict=True):
            part += [(sentence, label) for sentence in sentences[cut]]
    fields: list[Any] = []
    for part in parts:
        mixed = [part[i] for i in rng.permutation(len(part))]
        fields += [tuple(sentence for sentence, _ in mixed), np.array([label for _, label in mixed], np.int64)]
    return Texts(*fields, classes)
