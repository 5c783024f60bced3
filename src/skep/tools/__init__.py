"""The tools, one module each.

Every tool is a library, too: `start(**options)` runs it and yields its records.

    from skep.tools import opensnoop

    with opensnoop.start(failed=True) as opens:
        for open in opens:
            print(open.comm, open.path)
"""

from __future__ import annotations

import functools
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skep.toolkit.library import Tracer


class _Tools(ModuleType):
    """The package; importing a tool's module gives it the function `start`."""

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType):
            value.__dict__.setdefault("start", functools.partial(_start, value))
        super().__setattr__(name, value)


def _start(module: ModuleType, **options: Any) -> Tracer:
    """Start this tool; see `skep.toolkit.library.start`."""
    from skep.toolkit.library import start  # the command line has no need of it

    return start(module, **options)


sys.modules[__name__].__class__ = _Tools
