"""Files of the true format are read right; damaged ones are named, with the remedy."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from loopback import cifar_batch, idx, tar_gz

from course_lib.formats import DataError, read_cifar, read_idx_pair, read_sentences

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (4, 3, 2))
LABELS = np.array([0, 9, 3, 3])
COLOURS = RNG.integers(0, 256, (3, 3, 32, 32))
BATCH = cifar_batch(COLOURS, LABELS[:3])


def put(folder: Path, name: str, content: bytes) -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(content)
    return path


def read_pair(folder: Path, images: bytes, labels: bytes = idx(LABELS)) -> tuple[np.ndarray, np.ndarray]:
    """Read the two files with this content, ten classes."""
    return read_idx_pair(put(folder, "images.gz", images), put(folder, "labels.gz", labels), 10)


def test_idx_pair_is_read(tmp_path: Path) -> None:
    """Images come as (N, 1, H, W) uint8 and labels as int64, as they were written."""
    x, y = read_pair(tmp_path, idx(IMAGES))
    np.testing.assert_array_equal(x[:, 0], IMAGES)
    np.testing.assert_array_equal(y, LABELS)
    assert (x.shape, x.dtype, y.dtype) == ((4, 1, 3, 2), np.uint8, np.int64)


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (idx(IMAGES)[:-9], "cannot be unpacked to its end"),
        (idx(IMAGES)[:6] + bytes(20), "cannot be unpacked to its end"),
        (b"<html>Please log in</html>", "cannot be unpacked to its end"),
        (b"", "does not begin as an idx file of images does"),
        (gzip.compress(b""), "does not begin as an idx file of images does"),
        (gzip.compress(bytes([0, 0, 8, 3, 0, 0])), "does not begin as an idx file of images does"),
        (idx(LABELS), "does not begin as an idx file of images does, with 0x00000803"),
        (gzip.compress(bytes([0, 0, 13, 3]) + bytes(12)), "does not begin as an idx file of images does"),
        (gzip.compress(gzip.decompress(idx(IMAGES))[:-1]), "announces 24 bytes of shape (4, 3, 2), and 23 are there"),
        (gzip.compress(gzip.decompress(idx(IMAGES)) + b"x"), "announces 24 bytes of shape (4, 3, 2), and 25 are there"),
    ],
    ids="cut garbled page nothing empty short_head labels floats one_less one_more".split(),
)
def test_damaged_idx_is_named(tmp_path: Path, images: bytes, says: str) -> None:
    """Whatever is wrong with a file, the message names file, damage and remedy."""
    with pytest.raises(DataError) as failure:
        read_pair(tmp_path, images)
    message = str(failure.value)
    assert message.startswith("images.gz is damaged: ")
    assert says in message
    assert message.endswith(f"Delete {tmp_path / 'images.gz'} and load it again.")


def test_idx_pair_must_belong_together(tmp_path: Path) -> None:
    """Four images with three labels are refused."""
    with pytest.raises(DataError, match=r"images\.gz has 4 images and labels\.gz has 3 labels"):
        read_pair(tmp_path, idx(IMAGES), idx(LABELS[:3]))


def test_idx_label_outside_classes_is_refused(tmp_path: Path) -> None:
    """A label that is no class is named."""
    with pytest.raises(DataError, match=r"labels\.gz has the label 10, and there are 10 classes"):
        read_pair(tmp_path, idx(IMAGES), idx(LABELS + 1))


def test_cifar_is_read(tmp_path: Path) -> None:
    """Batches come part by part, in the order that was asked for, with colours and rows where they were."""
    second = cifar_batch(COLOURS[::-1], LABELS[:3])
    path = put(tmp_path, "c.tar.gz", tar_gz({"folder/b.bin": second, "folder/a.bin": BATCH, "folder/readme": b"?"}))
    (both, labels), (alone, _) = read_cifar(path, [["a.bin", "b.bin"], ["b.bin"]])
    np.testing.assert_array_equal(both, np.concatenate([COLOURS, COLOURS[::-1]]))
    np.testing.assert_array_equal(labels, [0, 9, 3, 0, 9, 3])
    np.testing.assert_array_equal(alone, COLOURS[::-1])
    assert (both.dtype, labels.dtype) == (np.uint8, np.int64)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (tar_gz({"a.bin": BATCH})[:2000], "cannot be unpacked to its end"),
        (b"not an archive", "cannot be unpacked to its end"),
        (b"", "cannot be unpacked to its end"),
        (tar_gz({"other.bin": BATCH}), "a.bin is missing in it"),
        (tar_gz({"a.bin": BATCH[:-1]}), "a.bin has 9,218 bytes, which is no whole number of images of 3,073 bytes"),
        (tar_gz({"a.bin": b""}), "a.bin has 0 bytes"),
        (tar_gz({"a.bin": bytes([10]) + BATCH[1:]}), "a.bin has the label 10, and there are 10 classes"),
    ],
    ids="cut other_file nothing missing half_an_image no_image label".split(),
)
def test_damaged_cifar_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    """An archive that is cut off, or holds something else, is named with the remedy."""
    path = put(tmp_path, "c.tar.gz", content)
    with pytest.raises(DataError) as failure:
        read_cifar(path, [["a.bin"]])
    assert str(failure.value).startswith("c.tar.gz is damaged: ")
    assert says in str(failure.value)


def test_nothing_is_unpacked_to_disk(tmp_path: Path) -> None:
    """An archive with a path that leads elsewhere writes nothing: members are read, never extracted."""
    path = put(tmp_path, "c.tar.gz", tar_gz({"../../a.bin": BATCH, "folder/a.bin": BATCH}))
    read_cifar(path, [["a.bin"]])
    assert [file.name for file in tmp_path.rglob("*")] == ["c.tar.gz"]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_sentences_in_both_encodings(tmp_path: Path, encoding: str) -> None:
    """The same sentences come from UTF-8 and from the older cp1252, accents, dots and dashes included."""
    lines = "a clichéd film … \nno – really , no \n"
    assert read_sentences(put(tmp_path, "s", lines.encode(encoding))) == ("a clichéd film …", "no – really , no")


def test_sentences_are_cut_at_newlines_alone(tmp_path: Path) -> None:
    """Signs at which splitlines() would cut stay inside their sentence, also at its end; CR LF is no text."""
    odd = "one\x85two\x0b\x1cthree\u2028four\x85"
    path = put(tmp_path, "s", f"{odd}\r\nnext\n".encode())
    assert read_sentences(path) == (odd, "next")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds no sentence"),
        (b" \n\n", "holds no sentence"),
        (b"one .\ntwo , bu", "ends in the middle of a line"),
        (b"one .\n \nthree .\n", "line 2 is empty"),
        (b"caf\xe9 \x81\x8d\n", "neither UTF-8 nor cp1252"),
    ],
    ids="nothing blank cut gap no_encoding".split(),
)
def test_damaged_sentences_are_named(tmp_path: Path, content: bytes, says: str) -> None:
    """A text that is cut off or has holes is refused: labels would no longer fit."""
    path = put(tmp_path, "reviews.txt", content)
    with pytest.raises(DataError) as failure:
        read_sentences(path)
    assert str(failure.value).startswith("reviews.txt is damaged: ")
    assert says in str(failure.value)
