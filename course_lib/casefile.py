"""Case files: cases, expected values and the fingerprints of mistakes, as data.

A case file is a safetensors file whose metadata holds the tree's skeleton as JSON; nothing in it can be
executed. The public cases of a lesson lie in ``course_lib/cases/<lesson>.safetensors``.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from course_lib.tree import Tree, TreeError, pack, unpack

# Our own files: a whole lesson has far more parts than a single answer may have.
MAX_FILE_NODES = 2_000_000


def write_tree(tree: Tree, path: Path, names: Iterable[str] = (), *, mode: int = 0o600) -> None:
    """Write a tree to a safetensors file.

    Args:
        tree: plain data (see `course_lib.tree`).
        path: the file to write; it is replaced in one step, so a reader never sees half of it.
        names: what `read_names` will return (the exercises and questions in the file).
        mode: permissions of the file; secret cases are for their owner alone.
    """
    skeleton, arrays = pack(tree, MAX_FILE_NODES)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two processes may write the same file at once.
    part = path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}.part")
    # Zero-size arrays and 0-d arrays are kept as they are; safetensors refuses views, hence the copies.
    tensors = {str(index): np.ascontiguousarray(array).reshape(array.shape) for index, array in enumerate(arrays)}
    try:
        # One entry only: safetensors writes several in an order that changes from run to run.
        save_file(tensors, part, metadata={"tree": f"{json.dumps(sorted(names))}\n{json.dumps(skeleton)}"})
        part.chmod(mode)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read_names(path: Path) -> list[str]:
    """The names a file was written with, without reading its arrays."""
    with safe_open(path, framework="np") as stored:
        return json.loads(stored.metadata()["tree"].partition("\n")[0])


def read_tree(path: Path) -> Tree:
    """Read what `write_tree` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        TreeError: the file is damaged or not one of ours.
    """
    try:
        with safe_open(path, framework="np") as stored:
            skeleton = json.loads(stored.metadata()["tree"].partition("\n")[2])
            arrays = [stored.get_tensor(str(index)) for index in range(len(list(stored.keys())))]
    except (SafetensorError, TypeError, KeyError, ValueError) as error:
        raise TreeError(f"{path.name} is damaged or not a case file ({error}).") from None
    return unpack(skeleton, arrays, MAX_FILE_NODES)
