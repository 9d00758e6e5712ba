"""Record what the looks of lessons 06, 08 and 09 need from trained networks, for the gallery.

    python -m benchmarks.recorded_looks

Runs the solved notebooks of the three lessons from the top (a few minutes) and keeps the state that their looks hand to
the page: weights in base64, float32, and measured curves. The result is `course_lib/widgets/static/recorded.json`,
which is committed; run this again when one of these lessons trains differently.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from course_lib.widgets._recorded import PATH

ROOT = Path(__file__).parent.parent
# What each look hands over, out of the state of its page.
KEPT = {
    "06_cnn": {"DigitPad": ("layers",)},
    "08_residual": {"BlockRemoval": ("residual", "plain", "whole")},
    "09_text_cnn": {
        "SentenceProbe": ("network", "sentence", "length", "label", "examples"),
        "FlipTheAnswer": ("sentence", "replacements"),
        "PaddingMask": ("sentence", "length"),
        "WidthsAndDropout": ("runs", "measure"),
    },
}
LIMIT_SECONDS = 600
PROBE = """
import json
from ipywidgets.widgets.widget import _instances
from course_lib.widgets._base import Look
found = [look for look in _instances.values() if isinstance(look, Look)]
print(json.dumps({type(look).__name__: {name: getattr(look, name) for name in look._page_state} for look in found}))
"""


def main() -> None:
    """Run the lessons, write the file, and say how large it is."""
    argparse.ArgumentParser(description="Record the looks that need a trained network.").parse_args()
    recorded: dict[str, dict[str, Any]] = {}
    for lesson, looks in KEPT.items():
        print(f"{lesson} runs ...", file=sys.stderr)
        states = states_of(lesson)
        recorded |= {name: {key: states[name][key] for key in keys} for name, keys in looks.items()}
    PATH.write_text(json.dumps(recorded, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{PATH.name}: {PATH.stat().st_size / 1000:.0f} kB")


def states_of(lesson: str) -> dict[str, dict[str, Any]]:
    """Run one solved notebook; class name of each of its looks to the state of its page."""
    notebook = nbformat.read(ROOT / "solutions" / lesson / f"{lesson}.ipynb", as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(PROBE))
    NotebookClient(notebook, timeout=LIMIT_SECONDS, resources={"metadata": {"path": str(ROOT)}}).execute()
    printed = "".join(out["text"] for out in notebook.cells[-1].outputs if out.get("name") == "stdout")
    return json.loads(printed)


if __name__ == "__main__":
    main()
