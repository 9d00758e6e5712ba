"""The lessons' data: real, always the same; what must be downloaded comes from loopback here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loopback import Mirror, cifar_batch, idx, serve, sha256, tar_gz

from course_lib.corpus import harvest
from course_lib.data import (
    CORNERS,
    XOR,
    Images,
    docstring_sentences,
    load_cifar10,
    load_digits,
    load_fashion_mnist,
    load_mnist,
    load_movie_reviews,
    one_hot,
    pupils,
    xor_points,
)
from course_lib.formats import DataError
from course_lib.sources import SOURCES

IMAGE_SETS = [(load_mnist, (1, 28, 28)), (load_fashion_mnist, (1, 28, 28)), (load_cifar10, (3, 32, 32))]


def numbered(count: int, channels: int, side: int) -> np.ndarray:
    """Images of chance with their number in the first pixel and the brightest possible one in the last."""
    images = np.random.default_rng(count).integers(0, 256, (count, channels, side, side))
    images[:, 0, 0, 0], images[:, -1, -1, -1] = np.arange(count), 255
    return images


def idx_set(train: np.ndarray, test: np.ndarray) -> dict[str, bytes]:
    """The four files of a set like MNIST."""
    return {
        "train-images-idx3-ubyte.gz": idx(train[:, 0]),
        "train-labels-idx1-ubyte.gz": idx(np.arange(len(train)) % 10),
        "t10k-images-idx3-ubyte.gz": idx(test[:, 0]),
        "t10k-labels-idx1-ubyte.gz": idx(np.arange(len(test)) % 10),
    }


def cifar_set(train: np.ndarray, test: np.ndarray) -> dict[str, bytes]:
    """The file of CIFAR-10, its five batches of the same size."""
    names = [f"data_batch_{i}.bin" for i in range(1, 6)]
    labels = np.arange(len(train)) % 10
    pieces = zip(names, np.split(train, 5), np.split(labels, 5), strict=True)
    members = {f"cifar-10-batches-bin/{name}": cifar_batch(x, y) for name, x, y in pieces}
    members["cifar-10-batches-bin/test_batch.bin"] = cifar_batch(test, np.arange(len(test)) % 10)
    return {"cifar-10-binary.tar.gz": tar_gz(members)}


COLOURS = numbered(20, 3, 32)
SMALL_SETS = {
    "mnist": idx_set(numbered(20, 1, 28), numbered(5, 1, 28)),
    "fashion_mnist": idx_set(numbered(20, 1, 28), numbered(5, 1, 28)),
    "cifar10": cifar_set(COLOURS, numbered(5, 3, 32)),
    "rt_polarity": {
        "rt-polarity.neg": "".join(f"bad film {i} … \n" for i in range(20)).encode(),
        "rt-polarity.pos": "".join(f"good film {i} … \n" for i in range(20)).encode("cp1252"),
    },
}


def test_digits_split_covers_every_image_once() -> None:
    """The three parts together are scikit-learn's 1,797 images, none twice and none missing."""
    from sklearn.datasets import load_digits as load

    digits = load_digits()
    parts = np.concatenate([digits.x_train, digits.x_validation, digits.x_test])
    assert [len(digits.y_train), len(digits.y_validation), len(digits.y_test)] == [1197, 300, 300]
    np.testing.assert_array_equal(np.unique(parts, axis=0), np.unique(load().data / 16, axis=0))
    assert len(parts) == 1797


def test_digits_split_is_fixed() -> None:
    """Two calls give the same parts, and the first labels are those that the lesson's numbers were measured on."""
    first, second = load_digits(), load_digits()
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    assert first.y_train[:10].tolist() == [6, 6, 6, 2, 5, 6, 6, 2, 2, 1]


def test_digits_ink_goes_from_zero_to_one() -> None:
    """Pixels are float64 from 0 to 1, labels integers from 0 to 9."""
    digits = load_digits()
    assert (digits.x_train.dtype, digits.x_train.min(), digits.x_train.max()) == (np.float64, 0.0, 1.0)
    assert set(digits.y_test.tolist()) == set(range(10))


def test_digits_unmixed_keep_file_order() -> None:
    """Without mixing, the first labels are those of the file, and the test part is its end."""
    digits = load_digits(mixed=False)
    assert digits.y_train[:10].tolist() == list(range(10))
    assert digits.y_test[-3:].tolist() == [8, 9, 8]


def test_one_hot_marks_the_class() -> None:
    """Each row has its single 1 in the column of the label."""
    rows = one_hot(np.array([2, 0, 1]), 4)
    assert rows.shape == (3, 4)
    np.testing.assert_array_equal(rows.argmax(axis=1), [2, 0, 1])
    np.testing.assert_array_equal(rows.sum(axis=1), [1, 1, 1])


@pytest.mark.parametrize("labels", [[0, 3], [-1, 2]])
def test_one_hot_refuses_foreign_labels(labels: list[int]) -> None:
    """A label outside the classes is named instead of wrapping round."""
    with pytest.raises(ValueError, match="with 3 classes they must go from 0 to 2"):
        one_hot(np.array(labels), 3)


def test_pupils_follow_the_rule() -> None:
    """Twenty pupils, half of them admitted: those whose marks add up to 22 or more."""
    marks, admitted = pupils()
    assert marks.shape == (20, 2)
    np.testing.assert_array_equal(admitted, marks.sum(axis=1) >= 22)
    assert admitted.sum() == 10


def test_xor_points_without_spread_are_the_corners() -> None:
    """One copy is the four corners; more copies repeat them with their labels."""
    x, y = xor_points(3)
    np.testing.assert_array_equal(x, np.tile(CORNERS, (3, 1)))
    np.testing.assert_array_equal(y, np.tile(XOR, (3, 1)))


def test_xor_points_stay_near_their_corner() -> None:
    """Clouds keep the label of the corner they belong to, and repeat with the same seed."""
    x, y = xor_points(50, 0.4, np.random.default_rng(0))
    np.testing.assert_array_equal((x.round()[:, :1] != x.round()[:, 1:]), y == 1)
    assert 0.3 < np.abs(x - np.tile(CORNERS, (50, 1))).max() <= 0.4
    np.testing.assert_array_equal(x, xor_points(50, 0.4, np.random.default_rng(0))[0])


def test_xor_points_leave_the_corners_alone() -> None:
    """What a caller does to its points never reaches the module's own corners."""
    x, y = xor_points()
    x += 1
    y += 1
    np.testing.assert_array_equal(CORNERS, [[0, 0], [0, 1], [1, 0], [1, 1]])
    np.testing.assert_array_equal(XOR, [[0], [1], [1], [0]])


def test_xor_points_ask_for_a_generator() -> None:
    """Chance without a generator is refused, with the remedy."""
    with pytest.raises(ValueError, match="needs rng="):
        xor_points(2, 0.1)


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """Serves every set in small files of the true format; the table of sources knows their checksums."""
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    files = {f"/{key}/{name}": content for key, names in SMALL_SETS.items() for name, content in names.items()}
    for key, names in SMALL_SETS.items():
        sums = {name: (sha256(names[name]),) for name in SOURCES[key].files}
        monkeypatch.setitem(SOURCES, key, replace(SOURCES[key], files=sums))
    with serve(files) as server:
        monkeypatch.setenv("COURSE_DATA_URL", server.url)
        yield server


@pytest.mark.parametrize(("load", "shape"), IMAGE_SETS)
def test_images_have_the_promised_form(
    load: Callable[..., Images], shape: tuple[int, ...], mirror: Mirror, tmp_path: Path
) -> None:
    """Pixels are float32 from 0 to 1, labels int64 with a name each, and validation images are kept apart."""
    images = load(validation=6, cache=tmp_path, progress=False)
    assert [len(x) for x in (images.x_train, images.x_validation, images.x_test)] == [14, 6, 5]
    for x, y in (
        (images.x_train, images.y_train),
        (images.x_validation, images.y_validation),
        (images.x_test, images.y_test),
    ):
        assert (x.shape[1:], x.dtype, y.dtype, len(x)) == (shape, np.float32, np.int64, len(y))
        assert x.flags.writeable
    assert (images.x_train.min(), images.x_train.max()) == (0, 1)
    assert len(images.classes) == len(set(images.classes)) == 10


@pytest.mark.parametrize(("load", "shape"), IMAGE_SETS)
def test_images_keep_their_labels(
    load: Callable[..., Images], shape: tuple[int, ...], mirror: Mirror, tmp_path: Path
) -> None:
    """Every training image of the file is in one part, beside its own label; the test part is as in the file."""
    images = load(validation=6, dtype=np.uint8, cache=tmp_path, progress=False)
    parts = np.concatenate([images.x_train, images.x_validation])
    labels = np.concatenate([images.y_train, images.y_validation])
    # Each small image has its number in its first pixel, and its number modulo ten as label.
    np.testing.assert_array_equal(np.sort(parts[:, 0, 0, 0]), np.arange(20))
    np.testing.assert_array_equal(parts[:, 0, 0, 0] % 10, labels)
    np.testing.assert_array_equal(images.x_test[:, 0, 0, 0], np.arange(5))
    np.testing.assert_array_equal(images.y_test, np.arange(5))


def test_images_scale_exactly(mirror: Mirror, tmp_path: Path) -> None:
    """Floats are the file's bytes over 255, in the precision that was asked for."""
    raw = load_mnist(dtype=np.uint8, validation=6, cache=tmp_path, progress=False)
    for dtype in (np.float32, np.float64):
        scaled = load_mnist(dtype=dtype, validation=6, cache=tmp_path, progress=False)
        assert scaled.x_train.dtype == dtype
        np.testing.assert_array_equal(scaled.x_train, (raw.x_train / np.array(255, dtype)).astype(dtype))
    assert raw.x_test.dtype == np.uint8
    assert raw.x_test.flags.writeable


def test_validation_part_is_fixed(mirror: Mirror, tmp_path: Path) -> None:
    """The same images are kept apart on every machine; with none, training has the whole file in its order."""
    again = [load_mnist(validation=6, dtype=np.uint8, cache=tmp_path, progress=False) for _ in range(2)]
    np.testing.assert_array_equal(again[0].x_validation, again[1].x_validation)
    assert again[0].x_validation[:, 0, 0, 0].tolist() == [2, 4, 6, 13, 16, 19]
    whole = load_mnist(validation=0, dtype=np.uint8, cache=tmp_path, progress=False)
    np.testing.assert_array_equal(whole.x_train[:, 0, 0, 0], np.arange(20))
    assert len(whole.x_validation) == 0


def test_colours_stay_apart(mirror: Mirror, tmp_path: Path) -> None:
    """CIFAR-10's first channel is red, then come green and blue, row by row, over all five batches."""
    images = load_cifar10(validation=0, dtype=np.uint8, cache=tmp_path, progress=False)
    np.testing.assert_array_equal(images.x_train, COLOURS)
    assert images.classes[:3] == ("airplane", "automobile", "bird")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"validation": 20}, "validation is 20; expected less than 20"),
        ({"validation": -1}, "validation is -1; expected an integer of at least 0"),
        ({"dtype": np.int32}, "dtype is int32; expected uint8, float32 or float64"),
    ],
)
def test_bad_wish_is_explained(wrong: dict[str, Any], says: str, mirror: Mirror, tmp_path: Path) -> None:
    """More validation images than there are, or another dtype: the message says what is possible."""
    with pytest.raises(ValueError, match=says):
        load_mnist(**{"validation": 6, "cache": tmp_path, "progress": False, **wrong})


def test_reviews_are_labelled_by_file(mirror: Mirror, tmp_path: Path) -> None:
    """Sentences of the positive file have label 1; every part has as many of each, and none is lost."""
    reviews = load_movie_reviews(cache=tmp_path, progress=False)
    assert reviews.classes == ("negative", "positive")
    assert [len(y) for y in (reviews.y_train, reviews.y_validation, reviews.y_test)] == [32, 4, 4]
    sentences = [*reviews.x_train, *reviews.x_validation, *reviews.x_test]
    labels = np.concatenate([reviews.y_train, reviews.y_validation, reviews.y_test])
    assert sorted(sentences) == sorted([f"good film {i} …" for i in range(20)] + [f"bad film {i} …" for i in range(20)])
    assert [sentence.startswith("good") for sentence in sentences] == labels.astype(bool).tolist()
    assert [y.sum() for y in (reviews.y_train, reviews.y_validation, reviews.y_test)] == [16, 2, 2]


def test_review_parts_are_fixed_and_mixed(mirror: Mirror, tmp_path: Path) -> None:
    """Two calls give the same parts, in an order that mixes the classes."""
    first, second = (load_movie_reviews(cache=tmp_path, progress=False) for _ in range(2))
    assert first.x_train == second.x_train
    assert first.x_test == second.x_test
    assert 0 < first.y_train[:16].sum() < 16


@pytest.mark.parametrize(
    ("load", "instead"),
    [
        (load_mnist, "load_digits()"),
        (load_fashion_mnist, "load_digits()"),
        (load_cifar10, "load_digits()"),
        (load_movie_reviews, "docstring_sentences()"),
    ],
)
def test_offline_names_the_alternative(load: Callable[..., Any], instead: str, mirror: Mirror, tmp_path: Path) -> None:
    """Where a set does not come, the message names what works without a network."""
    mirror.files.clear()
    with pytest.raises(DataError, match=re.escape(f"Without a network: {instead}")):
        load(cache=tmp_path, progress=False)


def test_docstring_sentences_come_in_parts(tmp_path: Path) -> None:
    """Eight tenths, one tenth and one tenth of each package, labelled in the order of the packages."""
    texts = docstring_sentences(("nbconvert", "rich"), 20, cache=tmp_path)
    assert texts.classes == ("nbconvert", "rich")
    for x, y, each in (
        (texts.x_train, texts.y_train, 16),
        (texts.x_validation, texts.y_validation, 2),
        (texts.x_test, texts.y_test, 2),
    ):
        assert len(x) == len(y) == 2 * each
        assert np.bincount(y).tolist() == [each, each]
        assert y.dtype == np.int64
    by_class = harvest(("nbconvert", "rich"), 20, tmp_path)
    found = {
        *zip(texts.x_train, texts.y_train.tolist(), strict=True),
        *zip(texts.x_test, texts.y_test.tolist(), strict=True),
    }
    assert found <= {(sentence, label) for label in (0, 1) for sentence in by_class[label]}
    assert set(texts.x_test) == {sentence for sentences in by_class for sentence in sentences[:2]}
