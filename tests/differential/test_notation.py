"""The disassembler against the verifier, whose log shows the instructions it walks."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings

from skep.asm import Instruction, call_function, encode, exit_, mov_imm
from skep.asm.disasm import disassemble
from skep.asm.opcodes import R0
from skep.runtime.maps import Map
from skep.runtime.syscall import bpf
from tests.differential.programs import STATE, programs

RAW_TRACEPOINT = 17  # enum bpf_prog_type

# What follows a semicolon is the state of the registers.
LOGGED = re.compile(r"^(\d+: \([0-9a-f]{2}\) [^;\n]*?) *(?:;.*)?$", re.MULTILINE)


@pytest.fixture(scope="module")
def state() -> Iterator[Map]:
    created = Map.create(STATE)
    yield created
    created.close()


def without_map_addresses(lines: Sequence[str]) -> set[str]:
    """The kernel shows a map's address where the disassembler has its name."""
    return {re.sub(r"(\(18\) r1 = ).*", r"\1MAP", line) for line in lines}


def compare(program: Sequence[Instruction], state: Map) -> set[str]:
    """Assert that all logged instructions are ours, and return them."""
    log = bytearray(1 << 20)
    load = bpf.ProgLoad(RAW_TRACEPOINT, encode(program, lambda name: state.fd))
    # Only level 2 keeps the log of a program that is accepted.
    os.close(bpf.prog_load(load, 2, log))
    logged = without_map_addresses(LOGGED.findall(log.partition(b"\0")[0].decode()))
    ours = without_map_addresses(disassemble(program).splitlines())
    assert logged <= ours
    return logged


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(program=programs)
def test_random_program(state: Map, program: list[Instruction]) -> None:
    # The verifier does not enter branches that are never taken.
    assert len(compare(program, state)) > 30


def test_call_of_a_function(state: Map) -> None:
    function = [mov_imm(R0, 0), exit_()]
    assert "0: (85) call pc+1" in compare([call_function(1), exit_(), *function], state)
