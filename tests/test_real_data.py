"""The loaders on the real files, where there are some: `make test-data`. Served from loopback, as if downloaded."""

from __future__ import annotations

import io
import os
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from loopback import Mirror, cifar_batch, serve, sha256, tar_gz

from course_lib.data import (
    CIFAR10_CLASSES,
    CIFAR10_PARTS,
    FASHION_CLASSES,
    load_cifar10,
    load_mnist,
    load_movie_reviews,
)
from course_lib.downloads import fetch
from course_lib.formats import read_idx_pair, read_sentences
from course_lib.sources import SOURCES

pytestmark = pytest.mark.data

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """Serves the real files; the table of sources is the true one."""
    folder = Path(os.environ.get("REAL_DATA", ROOT.parent / "shared" / "data"))
    files = {f"/{path.parent.name}/{path.name}": path.read_bytes() for path in folder.glob("*/*") if path.is_file()}
    if not files:
        pytest.fail(f"There are no real files in {folder}. Name their folder: make test-data REAL_DATA=...")
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve(files) as server:
        monkeypatch.setenv("COURSE_DATA_URL", server.url)
        yield server


def test_real_mnist(real: Mirror, tmp_path: Path) -> None:
    """The four files of MNIST: their checksums are those of the table, their numbers the published ones."""
    mnist = load_mnist(cache=tmp_path, progress=False)
    assert (mnist.x_train.shape, mnist.x_validation.shape) == ((55_000, 1, 28, 28), (5_000, 1, 28, 28))
    labels = np.concatenate([mnist.y_train, mnist.y_validation])
    assert np.bincount(labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(mnist.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert mnist.y_test[:5].tolist() == [7, 2, 1, 0, 4]
    ink = np.concatenate([mnist.x_train, mnist.x_validation]).mean(dtype=np.float64)
    assert ink == pytest.approx(0.1307, abs=5e-5)


def test_real_fashion_mnist(real: Mirror, tmp_path: Path) -> None:
    """The test files of Fashion-MNIST: right checksums, 1,000 images of each class."""
    names = ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
    paths = [fetch(SOURCES["fashion_mnist"], name, cache=tmp_path, progress=False) for name in names]
    x, y = read_idx_pair(*paths, 10)
    assert x.shape == (10_000, 1, 28, 28)
    assert np.bincount(y).tolist() == [1000] * 10
    assert [FASHION_CLASSES[label] for label in y[:3]] == ["Ankle boot", "Pullover", "Trouser"]


def test_real_cifar10_images(real: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CIFAR-10's test photographs, packed in the binary format, come back as they are and load in parts."""
    jpegs = zipfile.ZipFile(io.BytesIO(real.files["/cifar10_test_jpeg/cifar10_test_jpeg.zip"]))
    names = [name for name in sorted(jpegs.namelist()) if name.endswith(".jpg")]
    photographs = [matplotlib.image.imread(io.BytesIO(jpegs.read(name)), format="jpg") for name in names[::10]]
    x = np.stack(photographs).transpose(0, 3, 1, 2)
    y = np.array([CIFAR10_CLASSES.index(name.split("/")[-2]) for name in names[::10]])
    batches = {f"cifar-10-batches-bin/{m}": cifar_batch(x, y) for part in CIFAR10_PARTS for m in part}
    archive = tar_gz(batches)
    sums = {"cifar-10-binary.tar.gz": (sha256(archive),)}
    monkeypatch.setitem(SOURCES, "cifar10", replace(SOURCES["cifar10"], files=sums))
    real.files["/cifar10/cifar-10-binary.tar.gz"] = archive
    images = load_cifar10(cache=tmp_path, validation=500, dtype=np.uint8, progress=False)
    assert images.x_train.shape == (4_500, 3, 32, 32)
    np.testing.assert_array_equal(images.x_test, x)
    assert np.bincount(images.y_test).tolist() == [100] * 10


def test_real_movie_reviews(real: Mirror, tmp_path: Path) -> None:
    """The movie reviews: right checksums, 10,662 sentences, none twice, no stray signs, half of them positive."""
    reviews = load_movie_reviews(cache=tmp_path, progress=False)
    sentences = [*reviews.x_train, *reviews.x_validation, *reviews.x_test]
    assert [len(y) for y in (reviews.y_train, reviews.y_validation, reviews.y_test)] == [8_530, 1_066, 1_066]
    assert [y.mean() for y in (reviews.y_train, reviews.y_validation, reviews.y_test)] == [0.5, 0.5, 0.5]
    assert len(set(sentences)) == 10_662
    assert not any(unicodedata.category(sign) == "Cc" for sentence in sentences for sign in sentence)
    assert reviews.y_train[reviews.x_train.index("simplistic , silly and tedious .")] == 0


def test_real_reviews_in_the_older_encoding(real: Mirror, tmp_path: Path) -> None:
    """Written in cp1252, as the authors published them, the reviews are read as the same sentences."""
    for end in ("neg", "pos"):
        path = fetch(SOURCES["rt_polarity"], f"rt-polarity.{end}", cache=tmp_path, progress=False)
        older = tmp_path / f"older.{end}"
        older.write_bytes(path.read_bytes().decode("utf-8").encode("cp1252"))
        assert read_sentences(older) == read_sentences(path)
