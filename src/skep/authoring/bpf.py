"""The name `bpf` of kernel-side code."""

from __future__ import annotations

from types import FunctionType
from typing import TypeVar

from skep.compiler.environment import INLINE_MARK
from skep.compiler.intrinsics import INTRINSICS, Namespace

F = TypeVar("F")


class Bpf(Namespace):
    """The intrinsics of kernel-side code, and the mark of functions that it may call.

    `docs/language.md` lists the intrinsics.  They have no meaning in Python itself.
    """

    def inline(self, function: F) -> F:
        """Mark a function as kernel-side code; its calls are replaced by its body.

        To Python it stays the function that it is.
        """
        assert isinstance(function, FunctionType)
        setattr(function, INLINE_MARK, True)
        return function

    def __dir__(self) -> list[str]:
        import skep.compiler.intrinsics.all  # noqa: F401  (registers the intrinsics)

        return ["inline", *INTRINSICS]


bpf = Bpf()
