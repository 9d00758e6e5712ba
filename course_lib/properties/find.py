"""Finds a property by its name, as case files write it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any

from course_lib import properties
from course_lib.tree import Tree

Property = Callable[..., Mapping[str, Tree]]


def find_property(name: str) -> tuple[Property, dict[str, str]]:
    """A property, and the references that it runs: name to module of the kernels.

    Raises:
        LookupError: no module of this package has it.

    >>> find_property("xor_labels")[1]
    {'mlp_forward': 'mlp'}
    """
    for found in pkgutil.iter_modules(properties.__path__):
        module: Any = importlib.import_module(f"{properties.__name__}.{found.name}")
        needs = getattr(module, "NEEDS", {})
        if name in needs:
            return getattr(module, name), needs[name]
    raise LookupError(f"There is no property {name!r}.")
