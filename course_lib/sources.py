"""Where the downloaded data sets come from: a table, and nothing that acts.

A checksum here decides what a file may contain; change one only when the file was compared with another copy.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """Where a data set comes from.

    Args:
        title: what people call it.
        folder: the subfolder in which it is kept.
        homes: addresses of folders, tried in turn.
        files: file name to SHA-256; further ones are other good versions, taken when somebody put them there.
        offline: a sentence with what works without a network.
    """

    title: str
    folder: str
    homes: tuple[str, ...]
    files: dict[str, tuple[str, ...]]
    offline: str


_DIGITS = "load_digits() has 1,797 real handwritten digits of 8x8 pixels, and needs no download."
_DOCSTRINGS = "docstring_sentences() has real sentences from the packages installed here, and needs no download."

SOURCES = {
    "mnist": Source(
        title="MNIST",
        folder="mnist",
        homes=(
            "https://ossci-datasets.s3.amazonaws.com/mnist",
            "https://storage.googleapis.com/cvdf-datasets/mnist",
        ),
        files={
            "train-images-idx3-ubyte.gz": ("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",),
            "train-labels-idx1-ubyte.gz": ("3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",),
            "t10k-images-idx3-ubyte.gz": ("8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",),
            "t10k-labels-idx1-ubyte.gz": ("f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",),
        },
        offline=_DIGITS,
    ),
    "fashion_mnist": Source(
        title="Fashion-MNIST",
        folder="fashion_mnist",
        homes=(
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        ),
        files={
            "train-images-idx3-ubyte.gz": ("3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",),
            "train-labels-idx1-ubyte.gz": ("a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",),
            "t10k-images-idx3-ubyte.gz": ("346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",),
            "t10k-labels-idx1-ubyte.gz": ("67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",),
        },
        offline=_DIGITS,
    ),
    "cifar10": Source(
        title="CIFAR-10",
        folder="cifar10",
        homes=("https://www.cs.toronto.edu/~kriz",),
        files={"cifar-10-binary.tar.gz": ("c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",)},
        offline=_DIGITS,
    ),
    "rt_polarity": Source(
        title="The movie-review polarity set",
        folder="rt_polarity",
        homes=(
            "https://raw.githubusercontent.com/dennybritz/cnn-text-classification-tf/a0d0e9742b3dc42194955e78858f7be93027c75e/data/rt-polaritydata",
        ),
        # UTF-8 first, then the authors' own cp1252 file.
        files={
            "rt-polarity.neg": (
                "2d11cfbc790f1cd96d78339f41ce53ced1efa83cd22d37d6788fa3fe3d17e2fd",
                "4ace77d558c3714723843f1d65b60c01e3417b208180f0728808d76ad0eeeaca",
            ),
            "rt-polarity.pos": (
                "4134882974a28d0c7b5151256f0e33a6169984ee7372c279e673f1114f475d58",
                "2da124ec187a9d5a29c9f04e91c540e02baed5af8868f550a26bd6fd4dbf8bf0",
            ),
        },
        offline=_DOCSTRINGS,
    ),
}
