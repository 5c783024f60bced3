from __future__ import annotations

import pytest

from skep.errors import UsageError
from skep.toolkit.arguments import parse
from skep.toolkit.tool import load


@pytest.mark.parametrize("option", ["--columns=A", "--sort=A", "--limit=1"])
def test_options_about_rows_need_rows(option: str) -> None:
    with pytest.raises(UsageError, match="biolatency shows histograms"):
        parse(load("biolatency"), [option])
    parse(load("opensnoop"), [option])
