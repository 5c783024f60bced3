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


class _Tools(ModuleType):
    """The package; importing a tool's module gives it the function `start`."""

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType):
            from skep.toolkit.library import start

            value.__dict__.setdefault("start", functools.partial(start, value))
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Tools
