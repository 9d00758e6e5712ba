"""Case files: a tree on disk, whole or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from course_lib.casefile import read_names, read_tree, write_tree
from course_lib.tree import MAX_NODES, Handle, TreeError

ROOT = Path(__file__).parent.parent
TREE = {
    "view": np.arange(6.0).reshape(2, 3).T,
    "scalar": np.array(2.5, "float32"),
    "empty": np.zeros((0, 3)),
    "big-endian": np.arange(3, dtype=">i4"),
    "flags": np.array([True, False]),
    "plain": [None, 1, -0.5, float("nan"), "ü", {"deep": [Handle("x", 1)]}],
}


def test_tree_comes_back(tmp_path: Path) -> None:
    """Arrays of every layout and all plain data are read as they were written."""
    write_tree(TREE, tmp_path / "a" / "x.safetensors", ["b", "a"])
    again = read_tree(tmp_path / "a" / "x.safetensors")
    assert list(again) == list(TREE)
    for name in ("view", "scalar", "empty", "big-endian", "flags"):
        np.testing.assert_array_equal(again[name], TREE[name])
        assert (again[name].shape, again[name].dtype.kind) == (TREE[name].shape, TREE[name].dtype.kind)
    assert str(again["plain"]) == str(TREE["plain"])
    assert read_names(tmp_path / "a" / "x.safetensors") == ["a", "b"]


def test_nothing_in_the_file_is_code(tmp_path: Path) -> None:
    """The file is safetensors: a JSON header and numbers."""
    write_tree(TREE, tmp_path / "x.safetensors", ["a"])
    with safe_open(tmp_path / "x.safetensors", framework="np") as stored:
        assert all(json.loads(line) for line in stored.metadata()["tree"].split("\n"))
    assert b"pickle" not in (tmp_path / "x.safetensors").read_bytes()


def test_same_tree_same_bytes(tmp_path: Path) -> None:
    """Writing twice gives the same file, so a rebuilt file can be compared."""
    for name in ("a", "b"):
        write_tree(TREE, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_whole_lessons_fit(tmp_path: Path) -> None:
    """A file may have far more parts than an answer."""
    tree = [[i] * 100 for i in range(MAX_NODES // 50)]
    write_tree(tree, tmp_path / "x")
    assert read_tree(tmp_path / "x") == tree


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_permissions_are_the_callers(mode: int, tmp_path: Path) -> None:
    """A file is private unless the writer says otherwise."""
    write_tree(TREE, tmp_path / "x", mode=mode)
    write_tree(TREE, tmp_path / "default")
    assert (tmp_path / "x").stat().st_mode & 0o777 == mode
    assert (tmp_path / "default").stat().st_mode & 0o777 == 0o600


def test_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """When a tree cannot be written the file before it stays, and no scraps lie about."""
    write_tree([1], tmp_path / "x")
    with pytest.raises(Exception, match="complex128"):
        write_tree([np.ones(1, "complex128")], tmp_path / "x")
    assert read_tree(tmp_path / "x") == [1]
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_failed_move_leaves_no_scraps(tmp_path: Path) -> None:
    """When the file cannot be put in its place nothing half-made is left."""
    (tmp_path / "x").mkdir()
    with pytest.raises(OSError, match="x"):
        write_tree([1], tmp_path / "x")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_writers_and_readers_at_once(tmp_path: Path) -> None:
    """Several processes write the same file; whoever reads meanwhile gets a whole one."""
    path = tmp_path / "x"
    write_tree([0, np.zeros(5000)], path)
    code = (
        "import sys, numpy as np; from pathlib import Path; from course_lib.casefile import write_tree\n"
        "for _ in range(60): write_tree([int(sys.argv[2]), np.full(5000, float(sys.argv[2]))], Path(sys.argv[1]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), str(i)], env=environment) for i in (1, 2)]
    while any(writer.poll() is None for writer in writers):
        number, array = read_tree(path)
        assert (array == number).all()
    assert [writer.returncode for writer in writers] == [0, 0]
    assert [item.name for item in tmp_path.iterdir()] == ["x"]


def test_missing_file(tmp_path: Path) -> None:
    """A missing file is said to be missing."""
    with pytest.raises(FileNotFoundError):
        read_tree(tmp_path / "nothing")


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "foreign", "no json", "no such array"])
def test_damaged_files_are_named(damage: str, tmp_path: Path) -> None:
    """A damaged or foreign file is refused in a sentence with its name."""
    path = tmp_path / "x.safetensors"
    write_tree(TREE, path)
    whole = path.read_bytes()
    if damage in ("cut", "empty", "text"):
        path.write_bytes({"cut": whole[: len(whole) // 2], "empty": b"", "text": b"hello, this is text"}[damage])
    elif damage == "no such array":
        save_file({"7": np.ones(1)}, path, {"tree": '[]\n{"array": 0}'})
    else:
        save_file({"0": np.ones(1)}, path, None if damage == "foreign" else {"tree": "{"})
    with pytest.raises(TreeError, match=r"^x\.safetensors is damaged or not a case file"):
        read_tree(path)


def test_forged_skeletons_are_refused(tmp_path: Path) -> None:
    """A skeleton that refers to what is not there is not believed."""
    save_file({"0": np.ones(1)}, tmp_path / "x", {"tree": '[]\n{"array": 5}'})
    with pytest.raises(TreeError):
        read_tree(tmp_path / "x")
