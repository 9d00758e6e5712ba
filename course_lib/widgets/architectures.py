"""A map of network architectures: accuracy against parameters or operations, with the source of every figure.

The default table holds the figures that torchvision publishes for its trained models, all measured the same way: top-1
accuracy on ImageNet's validation images, one crop of 224 x 224 pixels; operations are multiply-adds of one image.
Sources of the idea: Canziani, Paszke and Culurciello, "An analysis of deep neural network models for practical
applications" (2016); Bianco, Cadene, Celona and Napoletano, "Benchmark analysis of representative deep neural network
architectures" (2018).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, log10, sqrt
from typing import Any

import traitlets

from course_lib.widgets._base import Look, bundle
from course_lib.widgets._stills import Plane

AXES = ("parameters", "operations")
BUDGET = 10_000_000
FLOOR = 70.0
FIELDS = ("name", "year", "paper", "parameters", "operations", "accuracy", "source")

_MODELS = "torchvision documentation, {} (weights IMAGENET1K_V1)"
_KRIZHEVSKY = "Krizhevsky, Sutskever and Hinton: ImageNet classification with deep convolutional neural networks"
_HE = "He, Zhang, Ren and Sun: Deep residual learning for image recognition"
# Name, year, paper, parameters, billions of multiply-adds, top-1 accuracy in percent, model in torchvision.
# torchvision's AlexNet has the narrower layers of Krizhevsky's paper of 2014, its ResNet-50 and deeper move a stride
# to the 3 x 3 convolution, and its GoogLeNet counts no auxiliary classifiers.
_TABLE = (
    ("AlexNet", 2012, _KRIZHEVSKY, 61_100_840, 0.714, 56.522, "alexnet"),
    (
        *("VGG-16", 2014, "Simonyan and Zisserman: Very deep convolutional networks for large-scale image recognition"),
        *(138_357_544, 15.470, 71.592, "vgg16"),
    ),
    ("GoogLeNet", 2014, "Szegedy et al.: Going deeper with convolutions", 6_624_904, 1.498, 69.778, "googlenet"),
    ("ResNet-18", 2015, _HE, 11_689_512, 1.814, 69.758, "resnet18"),
    ("ResNet-34", 2015, _HE, 21_797_672, 3.664, 73.314, "resnet34"),
    ("ResNet-50", 2015, _HE, 25_557_032, 4.089, 76.130, "resnet50"),
    ("ResNet-101", 2015, _HE, 44_549_160, 7.801, 77.374, "resnet101"),
    ("ResNet-152", 2015, _HE, 60_192_808, 11.514, 78.312, "resnet152"),
    (
        *("SqueezeNet 1.0", 2016, "Iandola et al.: SqueezeNet: AlexNet-level accuracy with 50x fewer parameters"),
        *(1_248_424, 0.819, 58.092, "squeezenet1_0"),
    ),
    (
        *("DenseNet-121", 2016, "Huang, Liu, van der Maaten and Weinberger: Densely connected convolutional networks"),
        *(7_978_856, 2.834, 74.434, "densenet121"),
    ),
    (
        *("MobileNetV2", 2018, "Sandler et al.: MobileNetV2: Inverted residuals and linear bottlenecks"),
        *(3_504_872, 0.301, 71.878, "mobilenet_v2"),
    ),
    (
        *("EfficientNet-B0", 2019, "Tan and Le: EfficientNet: Rethinking model scaling for convolutional networks"),
        *(5_288_548, 0.386, 77.692, "efficientnet_b0"),
    ),
)
ARCHITECTURES: tuple[dict[str, Any], ...] = tuple(
    {
        **dict(zip(FIELDS, row[:4], strict=False)),
        "operations": round(row[4] * 1e9),
        "accuracy": row[5],
        "source": _MODELS.format(row[6]),
    }
    for row in _TABLE
)
_STILL = (
    "Top-1 accuracy of {count} networks against their {axis} on a log scale; marks are larger with more {third}. "
    "Lowest: {low}. Highest: {high}."
)


class ArchitectureMap(Look):
    """A map of networks: parameters or operations to the right, accuracy upwards, the third as the area of the mark.

    A click or the slider chooses a network and shows its year, paper and source. The goals: the most accurate network
    under 10 million parameters, and the cheapest one in operations that reaches 70 %.

    Args:
        rows: mappings with ``name``, ``year`` and ``paper`` (of publication), ``parameters``, ``operations``
            (multiply-adds for one image), ``accuracy`` (percent) and ``source``; by default `ARCHITECTURES`.
        x: ``"parameters"`` or ``"operations"`` to the right.
        chosen: name of the network that is chosen first; by default the first one.

    Raises:
        ValueError: unknown ``x`` or ``chosen``, a row that lacks a field or holds a number outside its range, fewer
            than 2 or more than 40 rows, names that repeat, or rows with which a goal cannot be reached.

    Example:
        >>> ArchitectureMap(chosen="ResNet-18").chosen
        'ResNet-18'
    """

    _esm = bundle("architecture_map.js")
    _module = "architecture_map.js"
    _page_state = ("rows", "x", "chosen", "prediction", "goal_reached", "second_reached")

    rows = traitlets.List(traitlets.Dict(), help="the networks").tag(sync=True)
    x = traitlets.Unicode("parameters", help='"parameters" or "operations"').tag(sync=True)
    chosen = traitlets.Unicode("", help="name of the chosen network").tag(sync=True)
    prediction = traitlets.Unicode(None, allow_none=True, help='"always", "mostly" or "half"').tag(sync=True)
    goal_reached = traitlets.Bool(False, help="named the best under 10 million parameters").tag(sync=True)
    second_reached = traitlets.Bool(False, help="named the cheapest that reaches 70 %").tag(sync=True)

    def __init__(
        self,
        rows: Sequence[Mapping[str, Any]] | None = None,
        x: str = "parameters",
        chosen: str | None = None,
        **kwargs: Any,
    ) -> None:
        if x not in AXES:
            raise ValueError(f"ArchitectureMap has no axis {x!r}. Use one of: {', '.join(AXES)}.")
        kept = [_checked(row) for row in (ARCHITECTURES if rows is None else rows)]
        names = [row["name"] for row in kept]
        if not 2 <= len(kept) <= 40 or len(set(names)) != len(kept):
            raise ValueError("ArchitectureMap needs 2 to 40 rows whose names differ.")
        if all(row["parameters"] >= BUDGET for row in kept) or all(row["accuracy"] < FLOOR for row in kept):
            raise ValueError("ArchitectureMap needs a row below 10 million parameters and one of at least 70 %.")
        if chosen is not None and chosen not in names:
            raise ValueError(f"ArchitectureMap has no network {chosen!r}. Use one of: {', '.join(names)}.")
        super().__init__(rows=kept, x=x, chosen=chosen or names[0], **kwargs)

    def description(self) -> str:
        """Return what the axes are and which networks lie at the ends, as a sentence."""
        low, *_, high = sorted(self.rows, key=lambda row: row["accuracy"])
        ends = {name: f"{row['name']}, {row['accuracy']:.1f} %" for name, row in (("low", low), ("high", high))}
        return _STILL.format(count=len(self.rows), axis=self.x, third=AXES[self.x == AXES[0]], **ends)

    def still(self) -> str:
        """Return the map with its names, as SVG text."""
        third = AXES[self.x == AXES[0]]
        plane = Plane(0, 1, (f"{self.x}, log scale", "top-1 accuracy (%)"))
        low, high = (log10(end(row[self.x] for row in self.rows)) for end in (min, max))
        bottom, top = (end(row["accuracy"] for row in self.rows) for end in (min, max))
        most = max(row[third] for row in self.rows)
        for row in self.rows:
            place = (
                (log10(row[self.x]) - low) / max(high - low, 1e-9),
                (row["accuracy"] - bottom) / max(top - bottom, 1e-9),
            )
            x, y = plane.at((0.1 + 0.75 * place[0], 0.1 + 0.8 * place[1]))
            radius = 4 + 20 * sqrt(row[third] / most)
            look = 'fill="#dbe9f5" fill-opacity="0.8" stroke="#0b4f8a" stroke-width="2"'
            plane.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" {look}/>')
            name = row["name"].replace("&", "&amp;").replace("<", "&lt;")
            plane.parts.append(f'<text x="{x:.1f}" y="{y - 5:.1f}" font-size="11">{name}</text>')
        return plane.svg()


def _checked(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a row as plain texts and numbers; a wrong row is named with its remedy."""
    missing = [name for name in FIELDS if name not in row]
    if missing:
        raise ValueError(f"A row of ArchitectureMap lacks {', '.join(missing)}. It needs: {', '.join(FIELDS)}.")
    kept = {name: str(row[name]) for name in ("name", "paper", "source")} | {"year": int(row["year"])}
    kept |= {name: float(row[name]) for name in ("parameters", "operations", "accuracy")}
    sizes = all(isfinite(kept[axis]) and kept[axis] >= 1 for axis in AXES)
    if not sizes or not 0 <= kept["accuracy"] <= 100 or not kept["name"]:
        raise ValueError(f"ArchitectureMap cannot use row {kept['name']!r}: counts of at least 1, accuracy in percent.")
    return kept
