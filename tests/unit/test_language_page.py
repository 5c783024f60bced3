"""The code on the page of the kernel-side language compiles as it stands there."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from skep.errors import SkepError
from skep.toolkit.arguments import parse
from skep.toolkit.binding import Binding
from skep.toolkit.session import compile_programs, groups_of, ladder_of
from tests.fixtures import saved_target
from tests.unit.tool_source import Make, make_tool

__all__ = ["make_tool"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "language.md"

NARROWS, FUNCTION, RECORDS, PIECES = re.findall(
    r"(?ms)^```python\n(.*?)^```", PAGE.read_text()
)

# What each block takes for granted.
PROBE = '\n\n@on.raw_tracepoint("sched_process_exec")\ndef probe(p, bprm):\n'
EXEC = """
class Exec(Record):
    ret: Ret
    args: Args = column(size=4096)


execs = Stream(Exec)
"""

TOOLS = {
    "narrows": f"""
class Seen(Record):
    times: U64


seen = Map("u32", Seen)
{PROBE}{textwrap.indent(NARROWS, "    ")}""",
    "function": f"""
class Depth(Record):
    depth: U64


depths = Stream(Depth)


{FUNCTION}
{PROBE}    depths.emit(depth=depth(bpf.kernel(p)))
""",
    "records": RECORDS,
    "pieces": f"""{EXEC}
{PROBE}    first = p.mm.arg_start
    last = p.mm.arg_end
{textwrap.indent(PIECES, "    ")}""",
}


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("kernel", ["5.10", "6.12"])
def test_a_block_compiles(make_tool: Make, kernel: str, name: str) -> None:
    tool, target = make_tool(TOOLS[name]), saved_target(kernel)
    binding = Binding(tool, parse(tool, []))
    (group,) = groups_of(binding)
    rung = next(ladder_of(group, binding, target))
    (program,) = compile_programs(rung, binding, target)
    assert program


def test_the_test_of_none_is_needed(make_tool: Make) -> None:
    lines = NARROWS.splitlines()
    shorter = TOOLS["narrows"].replace(textwrap.indent(NARROWS, "    "), "")
    body = textwrap.indent("\n".join([lines[0], lines[-1]]), "    ")
    tool, target = make_tool(f"{shorter}{body}\n"), saved_target("6.12")
    binding = Binding(tool, parse(tool, []))
    (group,) = groups_of(binding)
    with pytest.raises(SkepError, match="may be None"):
        compile_programs(next(ladder_of(group, binding, target)), binding, target)
