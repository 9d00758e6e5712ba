"""The file formats of the downloaded data sets: bytes on disk become arrays and sentences, or a sentence says why not.

What enters: the path of a file. What leaves: uint8 pixels, int64 labels, or text. Nothing here runs what a file
contains: idx and CIFAR's binary version are plain bytes, never pickles.
"""

from __future__ import annotations

import gzip
import math
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

_DAMAGED = "{name} is damaged: {reason} Delete {path} and load it again."
_UNREADABLE = "it cannot be unpacked to its end."
_NO_IDX = "it does not begin as an idx file of {wanted} does, with {magic:#010x}."
_IDX_LENGTH = "its head announces {count:,} bytes of shape {shape}, and {came:,} are there."
_NO_PAIR = "{images} has {x} images and {labels} has {y} labels: they do not belong together. Load both again."
_NO_BATCH = "{member} is missing in it."
_BATCH_LENGTH = "{member} has {length:,} bytes, which is no whole number of images of {record:,} bytes."
_LABEL = "{member} has the label {label}, and there are {classes} classes."
_NO_TEXT = "it holds no sentence."
_HALF_LINE = "it ends in the middle of a line."
_BLANK_LINE = "line {line} is empty."
_NO_ENCODING = "it is neither UTF-8 nor cp1252."

_IDX_UINT8 = 0x08
_IDX_OF = {1: "labels", 3: "images"}
_CIFAR_CLASSES = 10
_CIFAR_SHAPE = (3, 32, 32)
_UNPACKING = (EOFError, gzip.BadGzipFile, tarfile.TarError, zlib.error)


class DataError(Exception):
    """A data set cannot be used. The message says why and what to do; in a notebook it stands there alone."""

    def _render_traceback_(self) -> list[str]:
        """IPython's hook: without it, our own frames would bury the message."""
        return [str(self)]


def read_idx_pair(images: Path, labels: Path, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Read images and their labels from two gzipped idx files, the format of MNIST (LeCun, Cortes, Burges).

    Args:
        images: the file of the images, grey.
        labels: the file of the labels.
        classes: labels go from 0 to `classes` - 1.

    Returns:
        Images `(N, 1, H, W)` uint8 and labels `(N,)` int64.

    Raises:
        DataError: a file is cut off or no idx file, its head and its length disagree, the two have different
            numbers of examples, or a label is no class.
    """
    x, y = _read_idx(images, 3), _read_idx(labels, 1)
    if len(x) != len(y):
        raise DataError(_NO_PAIR.format(images=images.name, labels=labels.name, x=len(x), y=len(y)))
    if y.size and y.max() >= classes:
        raise _damaged(labels, _LABEL, member=labels.name, label=int(y.max()), classes=classes)
    return x[:, None], y.astype(np.int64)


def read_cifar(path: Path, parts: Sequence[Sequence[str]]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Read batches from the binary version of CIFAR-10 (Krizhevsky, 2009), without unpacking it to disk.

    Each image is one byte for the label, then 1,024 bytes each of red, green and blue, row by row.

    Args:
        path: the `.tar.gz` file.
        parts: for each part the names of its batches, such as `data_batch_1.bin`; the folder they lie in does not
            matter.

    Returns:
        For each part images `(N, 3, 32, 32)` uint8 and labels `(N,)` int64, in the order of the names.

    Raises:
        DataError: the file is cut off, a batch is missing, has a part of an image, or a label above 9.
    """
    found = _members(path, {member for part in parts for member in part})
    read = []
    for part in parts:
        records = np.concatenate([_cifar_batch(path, member, found) for member in part])
        read.append((records[:, 1:].reshape(-1, *_CIFAR_SHAPE), records[:, 0].astype(np.int64)))
    return read


def read_sentences(path: Path) -> tuple[str, ...]:
    r"""Read a text file with one sentence per line, in UTF-8 or else in cp1252, as old English files are.

    Args:
        path: the file.

    Returns:
        The sentences, without blanks around them.

    Raises:
        DataError: the file is empty, has an empty line, ends in the middle of one, or is no such text.
    """
    text = _decode(path)
    if not text.strip():
        raise _damaged(path, _NO_TEXT)
    if not text.endswith("\n"):
        raise _damaged(path, _HALF_LINE)
    # Never splitlines(): it also cuts at U+0085 and others, which are dots and dashes in files read as latin-1.
    lines = [line.strip(" \t\r") for line in text[:-1].split("\n")]
    if "" in lines:
        raise _damaged(path, _BLANK_LINE, line=lines.index("") + 1)
    return tuple(lines)


def _read_idx(path: Path, ndim: int) -> np.ndarray:
    try:
        with gzip.open(path) as file:
            data = file.read()
    except _UNPACKING:
        raise _damaged(path, _UNREADABLE) from None
    magic, head = _IDX_UINT8 << 8 | ndim, 4 + 4 * ndim
    if len(data) < head or int.from_bytes(data[:4], "big") != magic:
        raise _damaged(path, _NO_IDX, wanted=_IDX_OF[ndim], magic=magic)
    shape = tuple(np.frombuffer(data, ">u4", ndim, offset=4).tolist())
    if math.prod(shape) != len(data) - head:
        raise _damaged(path, _IDX_LENGTH, count=math.prod(shape), shape=shape, came=len(data) - head)
    return np.frombuffer(data, np.uint8, offset=head).reshape(shape)


def _members(path: Path, wanted: set[str]) -> dict[str, bytes]:
    found = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for entry in archive:
                name = entry.name.rpartition("/")[2]
                if entry.isfile() and name in wanted:
                    found[name] = archive.extractfile(entry).read()
    except _UNPACKING:
        raise _damaged(path, _UNREADABLE) from None
    return found


def _cifar_batch(path: Path, member: str, found: dict[str, bytes]) -> np.ndarray:
    if member not in found:
        raise _damaged(path, _NO_BATCH, member=member)
    data, record = found[member], 1 + math.prod(_CIFAR_SHAPE)
    if not data or len(data) % record:
        raise _damaged(path, _BATCH_LENGTH, member=member, length=len(data), record=record)
    records = np.frombuffer(data, np.uint8).reshape(-1, record)
    label = int(records[:, 0].max())
    if label >= _CIFAR_CLASSES:
        raise _damaged(path, _LABEL, member=member, label=label, classes=_CIFAR_CLASSES)
    return records


def _decode(path: Path) -> str:
    data = path.read_bytes()
    for encoding in ("utf-8", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _damaged(path, _NO_ENCODING)


def _damaged(path: Path, reason: str, **values: object) -> DataError:
    return DataError(_DAMAGED.format(name=path.name, path=path, reason=reason.format(**values)))
