"""`skep doctor`: what this kernel and these privileges allow, tried out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from skep.authoring.options import Option
from skep.errors import NotLoaded, SkepError, UsageError
from skep.named_tuple import NamedTuple
from skep.output.json_lines import line
from skep.output.receipts import Receipt
from skep.output.writer import show
from skep.runtime import privileges
from skep.runtime.collection import Collection
from skep.runtime.features import Verdict, survey
from skep.target import Target
from skep.toolkit.arguments import bind
from skep.toolkit.binding import Binding
from skep.toolkit.listing import listing_of
from skep.toolkit.session import (
    Group,
    attach_group,
    attach_plan,
    groups_of,
    schemes_of,
)
from skep.toolkit.tool import Tool, load, tool_names

USAGE = """usage: skep doctor [--json] [TOOL ...]

Tell what this kernel and these privileges allow and, for each tool, which candidate of
every probe would be used, what that gives up, or what is missing.  Everything is tried:
loaded, attached, and taken away at once.

The status is 0 when all the tools would run, else 1.  Without names, tools do not count
for what is in a module of the kernel that is not loaded.
"""

SYSTEM_SCHEMA = "skep.doctor.system/1"
TOOL_SCHEMA = "skep.doctor.tool/1"


class System(NamedTuple):
    """What tracing depends on.  `btf` and `tracefs` are "" where nothing is wrong."""

    kernel: str
    architecture: str
    btf: str
    tracefs: str
    lockdown: str
    unprivileged_bpf_disabled: str
    capabilities: Mapping[str, bool]
    features: Mapping[str, Verdict]

    def text(self) -> str:
        """Lines for people."""
        present = [name for name, has in self.capabilities.items() if has]
        missing = [name for name, has in self.capabilities.items() if not has]
        rows = [
            ("kernel", f"{self.kernel} {self.architecture}"),
            ("BTF", _answer(self.btf)),
            ("tracefs", _answer(self.tracefs)),
            ("lockdown", self.lockdown or "unknown"),
            ("unprivileged_bpf_disabled", self.unprivileged_bpf_disabled or "unknown"),
            ("capabilities", ", ".join(present) or "none"),
            ("  missing", ", ".join(missing) or "none"),
            *((name, _answer(v.reason)) for name, v in self.features.items()),
        ]
        return "".join(f"{name:27}{value}\n" for name, value in rows)

    def line(self) -> str:
        """The JSON line."""
        features = {name: verdict._asdict() for name, verdict in self.features.items()}
        items = {**self._asdict(), "features": features}
        return line("doctor", SYSTEM_SCHEMA, time.time_ns(), items)


def _answer(problem: str) -> str:
    return f"no: {problem}" if problem else "yes"


class Finding(NamedTuple):
    """What became of one group of probes.

    `option` is the flag without which the probes are left out, "" if they never are.
    """

    receipt: Receipt
    option: str
    error: SkepError | None

    def text(self) -> str:
        """Lines for people."""
        lines = self.receipt.text().splitlines()
        if self.option:
            lines[0] += f" [with {self.option}]"
        if self.error is not None:
            lines += f"  {self.error}".splitlines()
        return "".join(f"  {each}\n" for each in lines)

    def items(self) -> dict[str, Any]:
        """For JSON: the receipt, and the error's parts."""
        diagnostic = self.error.diagnostic if self.error else None
        return {
            **self.receipt.items(),
            "option": self.option or None,
            "error": diagnostic and diagnostic.message,
            "notes": list(diagnostic.notes) if diagnostic else [],
            "hint": diagnostic.hint if diagnostic else "",
        }


def examine(arguments: Sequence[str]) -> int:
    """Run `skep doctor` with these arguments; the exit status.  Raises UsageError."""
    if {"-h", "--help"} & set(arguments):
        show(USAGE)
        return 0
    names = [word for word in arguments if word != "--json"]
    for name in names:
        if name.startswith("-"):
            raise UsageError(
                f"there is no option '{name}'", hint="see 'skep doctor -h'"
            )
    tools = [load(name) for name in names or tool_names()]
    is_json = "--json" in arguments
    target = Target.from_host()
    system = system_of(target)
    show(system.line() if is_json else system.text())
    problems = [_examined(tool, target, is_json) for tool in tools]
    if not names:
        problems = [each for each in problems if not isinstance(each, NotLoaded)]
    return 1 if any(problems) else 0


def system_of(target: Target) -> System:
    """What tracing depends on, apart from the tool."""
    holder = privileges.current()
    problem = target.tracefs_problem
    return System(
        target.release,
        target.arch.name,
        _problem(lambda: target.btf),
        problem.diagnostic.message if problem else "",
        holder.lockdown,
        holder.unprivileged_bpf_disabled,
        holder.states(),
        dict(survey(target)),
    )


def _problem(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except SkepError as error:
        return error.diagnostic.message
    return ""


def _examined(tool: Tool, target: Target, is_json: bool) -> SkepError | None:
    """Try a tool and tell what came of it: why it does not run without options."""
    findings = list(findings_of(tool, target))
    problems = [each.error for each in findings if each.error and not each.option]
    works = not problems
    if is_json:
        probes = [each.items() for each in findings]
        items = {"tool": tool.name, "works": works, "probes": probes}
        show(line("doctor", TOOL_SCHEMA, time.time_ns(), items))
    else:
        title = f"\n{tool.name}: {'works' if works else 'does not work'}\n"
        show(title + "".join(each.text() for each in findings))
    return problems[0] if problems else None


def findings_of(tool: Tool, target: Target) -> Iterator[Finding]:
    """The probes of a run without options, then those that options add.

    Of several plans, the first that works.
    """
    options = bind(tool, dict(tool.sample))
    if tool.hook("listing"):
        yield _try_listing(tool, options, target)
        return
    tool = tool.declared(options, target)
    binding = Binding(tool, options)
    always, *plans = schemes_of(binding)
    for group in always.groups:
        yield from _try_group(group, "", binding, target)
    if plans:
        names = " or ".join(scheme.plan.name for scheme in plans if scheme.plan)
        yield from _try(names, "", lambda c: attach_plan(c, plans, binding, target))
    for group in groups_of(binding, switched_on=False):
        switch = group.probes[0][1].when
        if isinstance(switch, Option):
            with_it = Binding(tool, bind(tool, {**tool.sample, switch.name: True}))
            yield from _try_group(group, switch.flags[0], with_it, target)


def _try_listing(tool: Tool, options: Any, target: Target) -> Finding:
    """Whether a tool that only lists has something to list."""
    try:
        listing_of(tool, options, target)
    except SkepError as error:
        return Finding(Receipt("listing", None), "", error)
    return Finding(Receipt("listing", "nothing: it only lists"), "", None)


def _try_group(
    group: Group, option: str, binding: Binding, target: Target
) -> list[Finding]:
    return _try(group.name, option, lambda c: [attach_group(c, group, binding, target)])


def _try(
    name: str, option: str, attach: Callable[[Collection], list[Receipt]]
) -> list[Finding]:
    """Attach probes and detach them at once."""
    with Collection() as collection:
        try:
            return [Finding(each, option, None) for each in attach(collection)]
        except SkepError as error:
            return [Finding(Receipt(name, None), option, error)]
