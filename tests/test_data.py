"""The lessons' data: real, always the same, never downloaded."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib.data import CORNERS, XOR, load_digits, one_hot, pupils, xor_points


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
