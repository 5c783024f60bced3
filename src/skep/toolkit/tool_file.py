"""A tool in a file anywhere, written by whoever runs it."""

from __future__ import annotations

import linecache
import os
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from traceback import walk_tb

from skep.errors import SkepError, Span, UsageError
from skep.toolkit.tool import Tool, tool_of


def load_file(path: str) -> Tool:
    """Import the tool in a file; its directory is not searched for other modules.

    Raises UsageError with the place if that goes wrong, whatever the reason.
    """
    if not os.path.exists(path):
        raise UsageError(f"there is no file '{path}'")
    if not os.path.isfile(path):
        raise UsageError(f"'{path}' is no regular file")
    # Not the file's bare name: that may be the name of another module.
    name = f"skep.file.{os.path.basename(path)[: -len('.py')]}"
    # Given a loader, messages have the path as it was typed, not an absolute one.
    spec = spec_from_file_location(name, path, loader=SourceFileLoader(name, path))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except SkepError:
        raise
    except SyntaxError as error:
        raise UsageError(error.msg, _place_of_syntax(error, path)) from error
    except Exception as error:
        place = _place(error, path)
        if isinstance(error, OSError) and place is None:
            raise UsageError(f"cannot read '{path}': {error.strerror}") from error
        raise UsageError(f"{type(error).__name__}: {error}", place) from error
    return tool_of(module)._replace(file=path)


def _place_of_syntax(error: SyntaxError, path: str) -> Span | None:
    """Where Python could not read on."""
    if error.lineno is None:
        return None
    start = max(error.offset or 1, 1) - 1
    # Lines and ends are unknown in some cases, and to Python 3.9 in all.
    return Span(path, error.lineno, start, start + 1, error.text or "")


def _place(error: Exception, path: str) -> Span | None:
    """The line of the file from which the error came, None if from none."""
    lines = [
        line
        for frame, line in walk_tb(error.__traceback__)
        if frame.f_code.co_filename == path
    ]
    if not lines:
        return None
    text = linecache.getline(path, lines[-1])
    return Span(path, lines[-1], len(text) - len(text.lstrip()), len(text), text)
