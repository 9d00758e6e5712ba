"""What happens to notebook files: by accident, by other programs, or on purpose.

Every function turns a notebook into the bytes that are handed in; attacks refer to them by name.
"""

from __future__ import annotations

import copy
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

Notebook = dict[str, Any]
CLAIM = "Correct! 4.0 of 4.0 points"


def _bytes(notebook: Any) -> bytes:
    return json.dumps(notebook, indent=1).encode()


def _meta(cell: Mapping[str, Any]) -> dict[str, Any]:
    return cell["metadata"].get("nbgrader", {})


def _checks(notebook: Notebook) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if _meta(cell).get("grade_id", "").startswith("check_")]


def _answers(notebook: Notebook) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if _meta(cell).get("solution") and cell["cell_type"] == "code"]


def _answer(notebook: Notebook, name: str) -> dict[str, Any]:
    return next(cell for cell in _answers(notebook) if _meta(cell)["grade_id"] == name)


def truncated(notebook: Notebook) -> bytes:
    """Cut off in the middle, as by a full disk: answers before the cut are there."""
    whole = _bytes(notebook)
    return whole[: whole.index(b'"grade_id": "check_exam_parameters"')]


def truncated_in_the_head(notebook: Notebook) -> bytes:
    """Cut off before the first cell is complete."""
    return _bytes(notebook)[:60]


def empty(_notebook: Notebook) -> bytes:
    """No byte at all."""
    return b""


def blank(_notebook: Notebook) -> bytes:
    """Nothing but blanks."""
    return b" \n" * 1000


def not_json(_notebook: Notebook) -> bytes:
    """A web page that was saved instead of the notebook."""
    return b"<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>"


def other_json(_notebook: Notebook) -> bytes:
    """JSON, but no notebook."""
    return b'{"name": "package", "version": 1}'


def json_list(notebook: Notebook) -> bytes:
    """The cells without the notebook around them."""
    return _bytes(notebook["cells"])


def nested(_notebook: Notebook) -> bytes:
    """JSON lists nested 100,000 deep."""
    return b"[" * 100_000


def nested_metadata(notebook: Notebook) -> bytes:
    """A whole notebook with metadata nested 100,000 deep at its end."""
    whole = _bytes(notebook).rstrip()
    return whole.removesuffix(b"}") + b', "deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def bad_unicode(notebook: Notebook) -> bytes:
    """A name in Latin-1 in a comment, and half a surrogate."""
    _answer(notebook, "mse_loss")["source"] = "# MARK \ud800\n" + "".join(_answer(notebook, "mse_loss")["source"])
    return _bytes(notebook).replace(b"MARK", b"caf\xe9")


def utf16(notebook: Notebook) -> bytes:
    """Saved by an editor as UTF-16."""
    return json.dumps(notebook).encode("utf-16")


def byte_order_mark(notebook: Notebook) -> bytes:
    """Saved by an editor with a byte order mark."""
    return b"\xef\xbb\xbf" + _bytes(notebook)


def nul_bytes(notebook: Notebook) -> bytes:
    """NUL bytes between the lines, as after a crash of the file system."""
    return _bytes(notebook).replace(b"\n", b"\n\0", 50)


def version_3(notebook: Notebook) -> bytes:
    """Written in the format of IPython 2: worksheets, `input` for `source`."""
    cells = copy.deepcopy(notebook["cells"])
    for cell in cells:
        if cell["cell_type"] == "code":
            cell["input"], cell["language"] = cell.pop("source"), "python"
    return _bytes({"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]})


def version_5(notebook: Notebook) -> bytes:
    """Written in a format of the future."""
    return _bytes(notebook | {"nbformat": 5, "nbformat_minor": 0})


def unknown_minor(notebook: Notebook) -> bytes:
    """Written by a newer JupyterLab."""
    return _bytes(notebook | {"nbformat_minor": 99})


def no_version(notebook: Notebook) -> bytes:
    """Without a format's number, and without metadata."""
    return _bytes({"cells": notebook["cells"]})


def wrong_types(notebook: Notebook) -> bytes:
    """Numbers, lists and nulls where texts and objects belong, in cells that are not answers."""
    notebook["metadata"] = 7
    notebook["cells"][0] = None
    notebook["cells"][1]["source"] = {"a": 1}
    notebook["cells"][2]["metadata"] = [1]
    notebook["cells"].append({"cell_type": 3, "source": [1, None], "metadata": {"nbgrader": {"grade_id": ["sigmoid"]}}})
    return _bytes(notebook)


def schema_version(notebook: Notebook) -> bytes:
    """nbgrader's schema version 1, 99 and text."""
    for number, cell in enumerate(cell for cell in notebook["cells"] if _meta(cell)):
        _meta(cell)["schema_version"] = (1, 99, "three")[number % 3]
    return _bytes(notebook)


def doubled_checks(notebook: Notebook) -> bytes:
    """Every check cell twice, with the same id."""
    notebook["cells"] += copy.deepcopy(_checks(notebook))
    return _bytes(notebook)


def doubled_answer(notebook: Notebook) -> bytes:
    """An answer cell was copied and the first one left wrong: the last one counts."""
    again = copy.deepcopy(_answer(notebook, "mse_loss"))
    _answer(notebook, "mse_loss")["source"] = "def mse_loss(y_hat, y):\n    return 0.0"
    notebook["cells"].append(again)
    return _bytes(notebook)


def deleted_checks(notebook: Notebook) -> bytes:
    """No check cell is left."""
    gone = [id(cell) for cell in _checks(notebook)]
    notebook["cells"] = [cell for cell in notebook["cells"] if id(cell) not in gone]
    return _bytes(notebook)


def deleted_answer(notebook: Notebook) -> bytes:
    """One answer cell was deleted."""
    notebook["cells"].remove(_answer(notebook, "mse_loss"))
    return _bytes(notebook)


def moved_answer(notebook: Notebook) -> bytes:
    """An answer was moved into a cell of its own that has no id."""
    cell = _answer(notebook, "mse_loss")
    notebook["cells"].append({**cell, "metadata": {}, "id": "own"})
    notebook["cells"].remove(cell)
    return _bytes(notebook)


def reordered(notebook: Notebook) -> bytes:
    """All cells in the opposite order, but for the imports."""
    first = next(n for n, cell in enumerate(notebook["cells"]) if "import numpy" in "".join(cell["source"]))
    notebook["cells"] = notebook["cells"][: first + 1] + notebook["cells"][:first:-1]
    return _bytes(notebook)


def retyped(notebook: Notebook) -> bytes:
    """An answer cell was turned into text by a key pressed by accident, a check cell into raw text."""
    _answer(notebook, "mse_loss")["cell_type"] = "markdown"
    _checks(notebook)[0]["cell_type"] = "raw"
    return _bytes(notebook)


def renamed_ids(notebook: Notebook) -> bytes:
    """Every answer's id was changed; the functions still have their names."""
    for cell in _answers(notebook):
        _meta(cell)["grade_id"] = "mine_" + _meta(cell)["grade_id"]
    return _bytes(notebook)


def swapped_ids(notebook: Notebook) -> bytes:
    """Two answer cells carry each other's id."""
    one, other = _answer(notebook, "mse_loss"), _answer(notebook, "count_parameters")
    _meta(one)["grade_id"], _meta(other)["grade_id"] = "count_parameters", "mse_loss"
    return _bytes(notebook)


def no_metadata(notebook: Notebook) -> bytes:
    """Another program dropped all metadata."""
    for cell in notebook["cells"]:
        cell["metadata"] = {}
    return _bytes(notebook)


def edited_points(notebook: Notebook) -> bytes:
    """Check cells claim to be worth more, and to have been marked."""
    for cell in _checks(notebook):
        _meta(cell).update(points=1000, score=1000, manual_score=1000, grade=True, locked=False)
    return _bytes(notebook)


def edited_checks(notebook: Notebook) -> bytes:
    """Check cells were emptied, or hold answers of their own."""
    for cell in _checks(notebook):
        cell["source"] = "def mse_loss(y_hat, y):\n    return 'from the check cell'\nassert True"
    return _bytes(notebook)


def edited_kernelspec(notebook: Notebook) -> bytes:
    """The notebook asks for a kernel that runs a program of the learner's."""
    kernel = {"name": "own", "display_name": "own", "language": "R", "argv": ["/bin/sh", "-c", "id > /tmp/owned"]}
    notebook["metadata"] = {"kernelspec": kernel, "language_info": {"name": "R"}}
    return _bytes(notebook)


def skip_execution(notebook: Notebook) -> bytes:
    """The tag on every check cell that makes nbgrader give full marks."""
    for cell in _checks(notebook):
        cell["metadata"]["tags"] = ["skip-execution", "raises-exception"]
    return _bytes(notebook)


def skip_everything(notebook: Notebook) -> bytes:
    """The tag on every cell: answers are read all the same."""
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ["skip-execution"]
    return _bytes(notebook)


def claimed_outputs(notebook: Notebook) -> bytes:
    """Check cells come with outputs that say all is well."""
    for number, cell in enumerate(_checks(notebook)):
        data = {"text/plain": "1000.0", "text/html": CLAIM, "application/json": {"score": 1000}}
        cell["outputs"] = [
            {"output_type": "stream", "name": "stdout", "text": CLAIM},
            {"output_type": "display_data", "data": data, "metadata": {}},
            {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": number},
        ]
    return _bytes(notebook)


def no_imports(notebook: Notebook) -> bytes:
    """The cell with the imports was deleted."""
    notebook["cells"] = [cell for cell in notebook["cells"] if "import numpy" not in "".join(cell["source"])]
    return _bytes(notebook)


def large_outputs(notebook: Notebook) -> bytes:
    """50 MB of old outputs."""
    text = "x" * (1 << 20)
    notebook["cells"][2]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}] * 50
    return _bytes(notebook)


def many_cells(notebook: Notebook) -> bytes:
    """20,000 cells beside the lesson's."""
    more = [{"cell_type": "code", "metadata": {}, "source": f"a{n} = {n}", "outputs": []} for n in range(20_000)]
    notebook["cells"] += more
    return _bytes(notebook)


def archive(notebook: Notebook) -> bytes:
    """An archive under the notebook's name, with a member that climbs out of its folder and one that expands."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("../../../owned.ipynb", _bytes(notebook))
        file.writestr("zeros", bytes(10 << 20))
    return packed.getvalue()


def html_everywhere(notebook: Notebook) -> bytes:
    """Markup in every place of the file that somebody may show."""
    markup = '<script>alert("PWNED")</script><img src=x onerror=alert(1)>[me](javascript:alert(1))'
    data = {"text/html": markup, "image/svg+xml": f"<svg onload=alert(1)>{markup}</svg>", "text/markdown": markup}
    data |= {"application/javascript": "alert(1)", "text/latex": r"\href{javascript:alert(1)}{x}"}
    for cell in notebook["cells"]:
        cell["metadata"]["name"] = markup
        if cell["cell_type"] == "code":
            cell["outputs"] = [
                {"output_type": "display_data", "data": data, "metadata": {}},
                {"output_type": "error", "ename": markup, "evalue": markup, "traceback": [markup]},
            ]
        elif _meta(cell).get("grade_id"):
            cell["source"] = f"{markup}\n![x][ref]\n\n[ref]: javascript:alert(1)\n```mermaid\nclick A href\n```"
            cell["attachments"] = {"x.svg": {"image/svg+xml": markup}}
    notebook["cells"].append({"cell_type": "markdown", "metadata": {}, "source": f"# {markup}"})
    notebook["cells"].append({"cell_type": "raw", "metadata": {"format": "text/html"}, "source": markup})
    notebook["metadata"] |= {"title": markup, "authors": [{"name": markup}]}
    return _bytes(notebook)
