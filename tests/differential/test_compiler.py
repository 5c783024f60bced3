"""Random kernel-side programs: Python, the interpreter and the kernel must agree.

SKEP_EXAMPLES=10000 makes it a long run.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from skep.asm.disasm import disassemble
from skep.probes.parameters import parse_prototype
from tests.differential import harness
from tests.differential.model import TYPES
from tests.differential.programs import corner_cases
from tests.differential.sources import Program, programs

EXAMPLES = int(os.environ.get("SKEP_EXAMPLES", "300"))

_words = corner_cases(64).map(lambda word: word & (1 << 64) - 1)
contexts = st.lists(st.lists(_words, min_size=8, max_size=8), min_size=2, max_size=3)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(programs(), contexts)
def test_three_ways_agree(program: Program, words: list[list[int]]) -> None:
    note(f"{program.prototype}\n{program.source}")
    compiled = harness.compile_source(program.source, program.prototype)
    types = [TYPES[each.type] for each in parse_prototype(program.prototype)]
    expected = harness.run_model(program.source, types, words)
    if compiled.program is None:
        # Nothing but zeros ever come of it.
        assert expected == harness.Outcome([0] * len(words), {}, [])
        return
    note(disassemble(compiled.program.instructions))
    assert harness.run_interpreter(compiled, words) == expected
    assert harness.run_kernel(compiled, words) == expected
