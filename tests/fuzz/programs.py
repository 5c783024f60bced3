"""Random kernel-side programs: the model, the interpreter and the kernel agree."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import zip_longest

from skep.asm.disasm import disassemble
from skep.errors import CompileError, TooComplex
from tests.differential import harness
from tests.differential.sources import Program, program
from tests.fuzz.choices import Choices
from tests.fuzz.subject import Case, Failure, Subject, failed


class ProgramCase(Case):
    """A program with the contexts to run it with."""

    def __init__(self, made: Program) -> None:
        self.made = made

    @property
    def text(self) -> str:
        contexts = "".join(
            f"with {' '.join(f'{word:#x}' for word in words)}\n"
            for words in self.made.contexts
        )
        return f"program({self.made.prototype})\n{contexts}\n{self.made.source}"

    def check(self) -> str:
        source, prototype, contexts = self.made
        try:
            compiled = harness.compile_source(source, prototype)
            expected = harness.run_model(source, prototype, contexts)
            if compiled.program is None:
                # Nothing but zeros ever come of it.
                nothing = harness.Outcome([0] * len(contexts), {}, [])
                _compare("no program", nothing, expected, "")
                return "nothing to run"
            shown = disassemble(compiled.program.instructions)
            found = harness.run_interpreter(compiled, contexts)
            _compare("interpreter", found, expected, shown)
            _compare("kernel", harness.run_kernel(compiled, contexts), expected, shown)
        except CompileError as error:
            if "bytes of stack" in error.diagnostic.message:
                return "too much stack"
            if "is outside of" in error.diagnostic.message:
                # A parameter in an index is a constant where an inline function is
                # called with one.
                return "constant index outside"
            raise failed(error) from error
        except TooComplex:
            return "too complex"
        except Exception as error:
            raise failed(error) from error
        return "agreed"


def _compare(
    who: str, found: harness.Outcome, expected: harness.Outcome, shown: str
) -> None:
    if found == expected:
        return
    differences = dict(_differences(found, expected))
    parts = [f"{name}: {text}" for name, text in differences.items()]
    what = ", ".join(differences)
    raise Failure(f"{who} and model disagree on {what}", "\n".join([*parts, shown]))


def _differences(
    found: harness.Outcome, expected: harness.Outcome
) -> Iterator[tuple[str, str]]:
    """What is not the same, by name."""
    if found.results != expected.results:
        yield "results", f"{found.results}, expected {expected.results}"
    for name in sorted(found.maps.keys() | expected.maps.keys()):
        ours, theirs = found.maps.get(name, {}), expected.maps.get(name, {})
        for key in sorted(ours.keys() | theirs.keys()):
            if ours.get(key) != theirs.get(key):
                yield name, f"{key!r}: {_shown(ours, key)}, not {_shown(theirs, key)}"
    if found.records != expected.records:
        pairs = zip_longest(found.records, expected.records)
        yield "records", "\n  ".join(f"{a!r}, not {b!r}" for a, b in pairs if a != b)


def _shown(elements: Mapping[bytes, bytes], key: bytes) -> str:
    return elements[key].hex(" ", -8) if key in elements else "nothing"


class Programs(Subject):
    """Needs to be root."""

    name = "programs"

    def case(self, choices: Choices) -> Case:
        return ProgramCase(program(choices))

    def kept(self, text: str) -> Case:
        head, _, source = text.partition("\n\n")
        first, *others = head.splitlines()
        prototype = first[len("program(") : -1]
        contexts = [[int(word, 0) for word in line.split()[1:]] for line in others]
        return ProgramCase(Program(source, prototype, contexts))

    def available(self) -> bool:
        return os.geteuid() == 0
