"""The facts of one kernel: types, tracepoint formats, symbols, architecture."""

from skep.target.target import Target
from skep.target.tracepoint import TracepointField, TracepointFormat

__all__ = ["Target", "TracepointField", "TracepointFormat"]
