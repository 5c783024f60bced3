"""skep: a BPF compiler collection in pure Python.

This module is what tools import; `docs/language.md` describes what they may say.
"""

from skep.authoring import on
from skep.authoring.bpf import bpf
from skep.authoring.options import option
from skep.authoring.outputs import Histogram, Map, Stream
from skep.authoring.records import Record
from skep.authoring.shared_options import RunOptions, TaskOptions
from skep.fields import column

__version__ = "0.1.0"

__all__ = [
    "Histogram",
    "Map",
    "Record",
    "RunOptions",
    "Stream",
    "TaskOptions",
    "bpf",
    "column",
    "on",
    "option",
]
