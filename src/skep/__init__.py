"""skep: a BPF compiler collection in pure Python.

This module is what tools import; `docs/language.md` describes what they may say.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skep.authoring import on
    from skep.authoring.bpf import bpf
    from skep.authoring.options import option
    from skep.authoring.outputs import Histogram, Map, Stream, Table
    from skep.authoring.records import Record
    from skep.authoring.shared_options import RunOptions, TaskFilters, TaskOptions
    from skep.fields import column

__version__ = "0.1.0"

__all__ = [
    "Histogram",
    "Map",
    "Record",
    "RunOptions",
    "Stream",
    "Table",
    "TaskFilters",
    "TaskOptions",
    "bpf",
    "column",
    "on",
    "option",
]

_HOMES = {
    "Histogram": "skep.authoring.outputs",
    "Map": "skep.authoring.outputs",
    "Record": "skep.authoring.records",
    "RunOptions": "skep.authoring.shared_options",
    "Stream": "skep.authoring.outputs",
    "Table": "skep.authoring.outputs",
    "TaskFilters": "skep.authoring.shared_options",
    "TaskOptions": "skep.authoring.shared_options",
    "bpf": "skep.authoring.bpf",
    "column": "skep.fields",
    "on": "skep.authoring.on",
    "option": "skep.authoring.options",
}


def __getattr__(name: str) -> object:
    # Python imports this module before any other of skep: who wants `skep.btf` alone
    # shall not wait for the compiler (PEP 562).
    if name not in _HOMES:
        raise AttributeError(f"module 'skep' has no attribute '{name}'")
    home = import_module(_HOMES[name])
    return home if name == "on" else getattr(home, name)
