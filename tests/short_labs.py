"""The short profile of the lessons: the same cells, with trainings that end early.

What enters: a notebook's JSON and the lesson's id. What leaves: the same notebook with fewer epochs. Only numbers in
code change, and each text must be found as often as it says, so a rewritten lab cannot slip out of the profile.
``COURSE_LABS=full`` leaves every lesson as it is: `make labs`.
"""

from __future__ import annotations

import os
from typing import Any

FULL = os.environ.get("COURSE_LABS") == "full"
_FEW = "for _ in range(min(epochs, 2)):"

# Lesson to (text, its replacement, how often it stands in the lesson's code).
SHORTER: dict[str, tuple[tuple[str, str, int], ...]] = {
    "00_welcome": (),
    "01_xor_mlp": (("for _ in range(epochs):", _FEW, 1),),
    "02_activations": (("for _ in range(epochs):", _FEW, 1),),
    "03_backpropagation": (("for _ in range(epochs):", _FEW, 1),),
    "04_optimisers": (("EPOCHS = 10\n", "EPOCHS = 2\n", 1), ("Plan(epochs=epochs,", "Plan(epochs=min(epochs, 2),", 1)),
    "05_regularisation": (
        ("for _ in range(150):", "for _ in range(4):", 1),
        ('{"before": 149,', '{"before": 3,', 1),
    ),
    "06_cnn": (("Plan(EPOCHS, 25,", "Plan(min(EPOCHS, 2), 25,", 2), ("for _ in range(epochs):", _FEW, 1)),
    "07_batchnorm": (("for _ in range(epochs):", _FEW, 2),),
    "08_residual": (("for _ in range(epochs):", _FEW, 2),),
    "09_text_cnn": (
        ("Plan(rounds, 100,", "Plan(min(rounds, 2), 100,", 1),
        ("Plan(ROUNDS, 100,", "Plan(min(ROUNDS, 2), 100,", 1),
    ),
}


def shortened(notebook: dict[str, Any], lesson_id: str, *, full: bool = FULL) -> dict[str, Any]:
    """A notebook in the profile that is asked for.

    Args:
        notebook: its JSON; left alone.
        lesson_id: whose texts to look for.
        full: change nothing.
    """
    if full:
        return notebook
    cells = [dict(cell) for cell in notebook["cells"]]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    for cell in code:
        cell["source"] = "".join(cell["source"])
    for text, replacement, count in SHORTER[lesson_id]:
        found = sum(cell["source"].count(text) for cell in code)
        assert found == count, f"{lesson_id}: {text!r} stands {found} times in the code, not {count}"
        for cell in code:
            cell["source"] = cell["source"].replace(text, replacement)
    return {**notebook, "cells": cells}
