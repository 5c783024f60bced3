"""Tools made of a few lines, for tests of what is made of a tool."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skep.toolkit.tool import Tool, load

_numbers = itertools.count(1)

HEAD = '''\
"""A tool of a test."""

from skep import *
from skep.fields import *
from skep.errors import UsageError
'''

Make = Callable[..., Tool]


@pytest.fixture
def make_tool(tmp_path: Path) -> Make:
    """A function that makes a tool of its declarations."""

    def make(source: str, options: str = "pass") -> Tool:
        body = textwrap.dedent(source)
        path = tmp_path / f"tool{next(_numbers)}.py"
        text = f"{HEAD}\n\nclass Options(TaskOptions):\n    {options}\n\n\n{body}"
        path.write_text(text)
        return load(str(path))

    return make


def bound(tool: Tool, **values: Any) -> Any:
    """The tool's options with these values."""
    from skep.toolkit.arguments import bind

    return bind(tool, {**tool.sample, **values})
