"""A font for formulas, so that roots, brackets and sums grow on computers that have none of their own.

What enters: STIX Two Math (SIL Open Font License), as the package ziamath brings it. What leaves: a file with the
characters that lessons may use, an eighth of its size, with the font's own licence text inside.
"""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path

# Latin, Greek, accents, punctuation, letters of sets, arrows, operators, brackets, braces over and under, italics.
_RANGES = (
    *((0x20, 0x17F), (0x2C6, 0x2DC), (0x302, 0x304), (0x391, 0x3F5), (0x2010, 0x2033), (0x2102, 0x2124)),
    *((0x2190, 0x21FF), (0x2200, 0x22FF), (0x2308, 0x230B), (0x23B0, 0x23B4), (0x23DC, 0x23E1), (0x27E8, 0x27EB)),
    *((0x1D434, 0x1D467), (0x1D4D0, 0x1D503), (0x1D538, 0x1D56B), (0x1D6E2, 0x1D71B)),
)


def write_font(path: Path) -> None:
    """Write the font as a WOFF file.

    Args:
        path: the file; its folder exists.
    """
    from fontTools import subset

    logging.getLogger("fontTools").setLevel(logging.WARNING)  # Sphinx would show its every step
    options = subset.Options(flavor="woff", name_IDs=["*"], layout_features=["*"], notdef_outline=True)
    # Found without importing the package: it imports a great deal, and warns.
    package = Path(find_spec("ziamath").origin).parent
    worker = subset.Subsetter(options)
    worker.populate(unicodes=[code for first, last in _RANGES for code in range(first, last + 1)])
    with subset.load_font(str(package / "fonts" / "STIXTwoMath-Regular.ttf"), options) as font:
        worker.subset(font)
        subset.save_font(font, str(path), options)
