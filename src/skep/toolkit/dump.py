"""`--dump`: what the compiler makes of a tool, stage by stage, and stop."""

from __future__ import annotations

import os
from typing import Callable

from skep.asm import slot_numbers
from skep.asm.disasm import notation
from skep.compiler import tree
from skep.compiler.environment import KernelFunction
from skep.compiler.ir.text import graph_text
from skep.compiler.program import Compiled
from skep.compiler.tree_text import function_text
from skep.errors import SkepError, VerifierRejection
from skep.output.writer import show
from skep.runtime.collection import Collection
from skep.spec import LineInfo, MapSpec, ProgramSpec
from skep.target import Target
from skep.toolkit.binding import Binding
from skep.toolkit.session import (
    Group,
    Rung,
    collection_of,
    compile_programs,
    groups_of,
    ladder_of,
)


def dump(stage: str, binding: Binding, target: Target) -> int:
    """Print one stage of every program of this run, without attaching any.

    It is that of the best candidate of each probe, whether or not this kernel takes it.
    Only the stage "log" loads programs, which takes privileges: of the candidates down
    to the first that the kernel accepts.  Returns the exit status; raises SkepError.
    """
    for group in groups_of(binding):
        if stage == "log":
            _show_logs(group, binding, target)
            continue
        rung = next(ladder_of(group, binding, target))
        if stage == "tree":
            _show_trees(rung, binding, target)
            continue
        for name, compiled in compile_programs(rung, binding, target):
            _show_section(_title(name, compiled), _STAGES[stage](compiled))
    return 0


def _show_section(title: str, text: str) -> None:
    show(f"# {title}\n{text.rstrip()}\n\n")


def _title(name: str, compiled: Compiled) -> str:
    if compiled.program is None:
        return f"{name}: does nothing and is not loaded"
    return f"{name}: {_place(compiled.program)}"


def _place(program: ProgramSpec) -> str:
    return f"{program.attach.kind}:{program.attach.name}"


def _show_trees(rung: Rung, binding: Binding, target: Target) -> None:
    """The functions of which the programs consist, as the compiler comes by them."""
    read: dict[int, tree.Function] = {}
    given = binding.environment

    def tree_of(function: KernelFunction) -> tree.Function:
        made = read[id(function)] = given.tree_of(function)  # not all have a hash
        return made

    binding.environment = given._replace(tree_of=tree_of)
    compile_programs(rung, binding, target)
    binding.environment = given
    for function in read.values():
        file = os.path.basename(function.span.file)
        _show_section(f"{function.name}: {file}", function_text(function))


def _ir(compiled: Compiled) -> str:
    return graph_text(compiled.graph)


def _asm(compiled: Compiled) -> str:
    """The instructions by slot, each line of the source before what it became."""
    if compiled.program is None:
        return ""
    instructions = compiled.program.instructions
    sources = {line.at: line for line in compiled.program.lines}
    lines = []
    for index, slot in enumerate(slot_numbers(instructions)):
        if index in sources:
            lines.append(_source(sources[index]))
        lines.append(f"{slot:5}: {notation(instructions[index])}")
    return "\n".join(lines)


def _source(line: LineInfo) -> str:
    return f"; {os.path.basename(line.file)}:{line.line}: {line.text}"


def _spec(compiled: Compiled) -> str:
    program = compiled.program
    if program is None:
        return ""
    lines = [
        f"attach        {program.attach}",
        f"license       {program.license}",
        f"instructions  {len(program.instructions)}",
        f"stack         {compiled.stack} bytes",
        *(f"map           {_map(spec)}" for spec in compiled.maps.values()),
    ]
    return "\n".join(lines)


def _map(spec: MapSpec) -> str:
    sizes = f"{spec.key_size} -> {spec.value_size} bytes, {spec.max_entries} entries"
    if spec.kind == "ringbuf":
        sizes = f"{spec.max_entries} bytes"
    pinned = f", pinned at {spec.pinned}" if spec.pinned else ""
    return f"{spec.name}: {spec.kind}, {sizes}{pinned}"


_STAGES: dict[str, Callable[[Compiled], str]] = {"ir": _ir, "asm": _asm, "spec": _spec}


def _show_logs(group: Group, binding: Binding, target: Target) -> None:
    """What the verifier says to the candidates, down to the first that it accepts.

    Raises the error of the best candidate if it accepts none.
    """
    refusals = []
    for rung in ladder_of(group, binding, target):
        refusal = _show_log(rung, binding, target)
        if refusal is None:
            return
        refusals.append(refusal)
    raise refusals[0]


def _show_log(rung: Rung, binding: Binding, target: Target) -> SkepError | None:
    """The logs of one candidate; the error if it does not load."""
    spec = collection_of(compile_programs(rung, binding, target))
    with Collection() as collection:
        try:
            collection.add(spec, verbose=True, attached=False)
        except SkepError as error:
            log = error.log if isinstance(error, VerifierRejection) else ""
            _show_section(f"{rung.attach}: {error.diagnostic.message}", log)
            return error
        for program in collection.programs:
            title = f"{program.spec.name}: {_place(program.spec)}"
            _show_section(title, program.log)
    return None
