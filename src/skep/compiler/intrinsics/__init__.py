"""The functions that kernel-side code may call: one small function each, by name."""

from skep.compiler.intrinsics.registry import (
    INTRINSICS,
    METHODS,
    Arguments,
    Namespace,
    intrinsic,
    method,
)

__all__ = [
    "INTRINSICS",
    "METHODS",
    "Arguments",
    "Namespace",
    "intrinsic",
    "method",
]
