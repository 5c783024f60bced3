"""Random C expressions: gcc, the interpreter and the kernel must agree.

SKEP_EXAMPLES=10000 makes it a long run.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skep.asm.disasm import disassemble
from tests.differential import harness
from tests.differential.c_expressions import Judge, compile_expression
from tests.differential.programs import corner_cases

EXAMPLES = int(os.environ.get("SKEP_EXAMPLES", "300")) // 3

NAMES = "abcdef"
TYPES = ("u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64", "char")
SUFFIXES = ("", "u", "L", "ul", "LL", "ULL")

numbers = st.builds(
    lambda value, form, suffix: format(value, form).replace("0o", "0") + suffix,
    corner_cases(63).map(abs),
    st.sampled_from(("d", "#x", "#o")),
    st.sampled_from(SUFFIXES),
)
leaves = st.one_of(
    st.sampled_from(NAMES),
    numbers,
    st.sampled_from(("'a'", r"'\n'", r"'\x7f'", r"'\0'", "0x80000000", "4294967295")),
)


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """What C makes of expressions; what it leaves undefined is avoided."""
    simple = ("+", "-", "*", "&", "|", "^", "&&", "||")
    compared = ("==", "!=", "<", "<=", ">", ">=")
    casts = (
        *TYPES,
        "_Bool",
        "unsigned",
        "unsigned char",
        "int",
        "uint32_t",
        "long long",
    )
    return st.one_of(
        st.builds("{} {} {}".format, inner, st.sampled_from(simple), inner),
        st.builds("({}) {} ({})".format, inner, st.sampled_from(simple), inner),
        st.builds("({}) {} {}".format, inner, st.sampled_from(compared), inner),
        # A bar binds looser than comparison: more to get wrong.
        st.builds("{} == {} | {}".format, inner, inner, inner),
        st.builds("(({}) << (({}) & 7))".format, inner, inner),
        st.builds("(({}) >> (({}) & 31))".format, inner, inner),
        st.builds("(({}) / ((u8)({}) | 1))".format, inner, inner),
        st.builds("(({}) % ((u16)({}) | 1))".format, inner, inner),
        st.builds("(({}) / (({}) & 15 | 1UL))".format, inner, inner),
        st.builds("({})({})".format, st.sampled_from(casts), inner),
        st.builds("{} ({})".format, st.sampled_from(("-", "~", "!", "+")), inner),
        st.builds("(({}) ? {} : {})".format, inner, inner, inner),
        st.builds("sizeof ({})".format, inner),
        st.builds("sizeof({})".format, st.sampled_from(casts)),
    )


expressions = st.recursive(leaves, larger, max_leaves=8)
words = corner_cases(64).map(lambda word: word & (1 << 64) - 1)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
@given(
    st.lists(expressions, min_size=12, max_size=12),
    st.lists(st.sampled_from(TYPES), min_size=len(NAMES), max_size=len(NAMES)),
    st.lists(
        st.lists(words, min_size=len(NAMES), max_size=len(NAMES)),
        min_size=2,
        max_size=3,
    ),
)
def test_gcc_agrees(
    texts: list[str], types: list[str], contexts: list[list[int]]
) -> None:
    named = dict(zip(NAMES, types))
    with tempfile.TemporaryDirectory() as directory:
        judge = Judge(texts, named, Path(directory))
        for index, text in enumerate(texts):
            expected = [judge.value(index, each) for each in contexts]
            check(text, named, contexts, expected)


def check(
    text: str, named: dict[str, str], contexts: list[list[int]], expected: list[int]
) -> None:
    """Compare both halves of the value in the interpreter and in the kernel."""
    padded = [[*each, 0, 0][:8] for each in contexts]
    for shift in (0, 32):
        halves = [value >> shift & 0xFFFFFFFF for value in expected]
        half = f"(u64)({text}) >> {shift}"
        compiled = compile_expression(half, named, harness.host())
        if compiled.program is None:
            assert not any(halves)
            continue
        shown = f"{named}\n{half}\n{disassemble(compiled.program.instructions)}"
        assert harness.run_interpreter(compiled, padded).results == halves, shown
        assert harness.run_kernel(compiled, padded).results == halves, shown
