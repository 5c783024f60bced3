"""Importing this module registers every intrinsic."""

from skep.compiler.intrinsics import (  # noqa: F401
    histogram,
    maps,
    memory,
    numbers,
    sockets,
    stacks,
    stream,
    table,
    task,
)
