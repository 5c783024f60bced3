"""`skep describe`: tools, their options and what they write, for programs.

Nothing is loaded: of the probes it tells what they could be attached to here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from skep import __version__
from skep.authoring.options import Option
from skep.authoring.outputs import Histogram, Stream, Table
from skep.errors import SkepError, UsageError
from skep.fields import CgroupId, Context, Field, Member, column
from skep.output import described
from skep.output.record_types import RecordType
from skep.output.writer import show
from skep.target import Target
from skep.toolkit.aliases import ALIASES
from skep.toolkit.arguments import bind, parse
from skep.toolkit.binding import Binding
from skep.toolkit.help import options_of, value_of
from skep.toolkit.key_values import named_layout
from skep.toolkit.session import Group, Rung, groups_of, ladder_of, schemes_of
from skep.toolkit.tool import Tool, load, tool_names

SCHEMA = "skep.describe/1"

_TRACING = ("CAP_BPF", "CAP_PERFMON")
_TRACEFS = "CAP_DAC_READ_SEARCH"
"""What reads the numbers of tracepoints, in directories that are root's."""
_BY_TRACEFS = ("tracepoint", "tracepoints")

USAGE = """usage: skep describe [TOOL ...]
       skep describe TOOL -- OPTIONS

Print what programs need to know of the tools, as one JSON object: options, the lines of
their JSON output, and what their probes could be attached to on this kernel.  With
options, the description is of a run with them.
"""


def describe(arguments: Sequence[str]) -> int:
    """Run `skep describe` with these arguments; the exit status.  Raises UsageError."""
    import json

    if {"-h", "--help"} & set(arguments):
        show(USAGE)
        return 0
    names, given = _split(arguments)
    for word in names:
        if word.startswith("-"):
            raise UsageError(
                f"there is no option '{word}'", hint="see 'skep describe -h'"
            )
    if given is not None and len(names) != 1:
        raise UsageError("options are those of one tool", hint="skep describe TOOL --")
    tools = [load(name) for name in names or tool_names(families=True)]
    shown = description(tools, Target.from_host(), given)
    show(json.dumps(shown, indent=1) + "\n")
    return 0


def _split(arguments: Sequence[str]) -> tuple[Sequence[str], Sequence[str] | None]:
    """What stands before and behind a lone "--"; None where there is none."""
    if "--" not in arguments:
        return arguments, None
    place = list(arguments).index("--")
    return arguments[:place], arguments[place + 1 :]


def description(
    tools: Sequence[Tool], target: Target, given: Sequence[str] | None = None
) -> dict[str, Any]:
    """All that `skep describe` prints; `given` are options of a run.

    Raises UsageError for options that the tool does not take.
    """
    return {
        "schema": SCHEMA,
        "version": __version__,
        "kernel": target.release,
        "architecture": target.arch.name,
        "common_keys": described.keys(described.COMMON),
        "common_lines": described.common_lines(),
        "tools": [_tool(tool, target, given) for tool in tools],
    }


def _tool(tool: Tool, target: Target, given: Sequence[str] | None) -> dict[str, Any]:
    doc, _, _ = tool.doc.strip().partition("Examples:\n")
    alias = ALIASES.get(tool.name)
    sample: Mapping[str, Any] = {}
    if given is None:
        sample, binding, problem = _trial(tool, target)
    else:
        binding, problem = _bound(tool, parse(tool, given), target), None
    return {
        "name": tool.name,
        "summary": tool.summary,
        "description": doc.strip(),
        "alias_of": alias and alias.tool,
        "preset": dict(tool.preset),
        "options": [_option(each) for each in options_of(tool)],
        # What depends on the options of a run is as with these.
        "depends_on_options": tool.hook("declare") is not None,
        "sample": sample,
        "arguments": given,
        "problem": problem,
        "outputs": _all_outputs(binding, target) if binding else [],
        "probes": list(_probes(binding, target)) if binding else [],
    }


def _trial(
    tool: Tool, target: Target
) -> tuple[Mapping[str, Any], Binding | None, str | None]:
    """Options of a run that the description is of, the run, or why there is none."""
    presets = [each.preset for each in ALIASES.values() if each.tool == tool.name]
    sample: Mapping[str, Any] = tool.sample or (presets[0] if presets else {})
    try:
        return sample, _bound(tool, bind(tool, dict(sample)), target), None
    except SkepError as error:
        return sample, None, error.diagnostic.message


def _bound(tool: Tool, options: Any, target: Target) -> Binding:
    is_json = options.format == "json"
    return Binding(tool.declared(options, target), options, with_time=is_json)


_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def _option(option: Option) -> dict[str, Any]:
    is_field = isinstance(option.type, type) and issubclass(option.type, Field)
    default = option.default
    if default is None and option.type is bool:
        default = False
    return {
        "name": option.name,
        "flags": list(option.flags),
        "type": "integer" if is_field else _TYPES.get(option.type, "string"),
        "field": option.type.__name__ if is_field else None,
        "metavar": None if option.type is bool else value_of(option),
        "default": default,
        "choices": list(choices_of(option)),
        "repeatable": option.repeat,
        "list": option.listed,
        "rest_of_line": option.rest,
        "group": option.heading,
        "help": option.help,
    }


def choices_of(option: Option) -> Sequence[str]:
    """The values of an option, where they can be listed."""
    if isinstance(option.type, type) and issubclass(option.type, Field):
        return option.choices or option.type.choices()
    return option.choices


def _all_outputs(binding: Binding, target: Target) -> list[dict[str, Any]]:
    """What a run writes, or what a tool that traces nothing lists."""
    if not binding.tool.hook("listing"):
        return list(_outputs(binding))
    from skep.toolkit.listing import listing_of

    record = listing_of(binding.tool, binding.options, target).record
    schema = f"{binding.tool.name}.{record.__name__.lower()}/1"
    return [_output("listing", "", schema, _fields(record.members, binding))]


def _outputs(binding: Binding) -> Iterator[dict[str, Any]]:
    """What a run writes; several lines with one schema differ in their `probe`."""
    tool = binding.tool
    for name, stream in tool.streams.items():
        yield _stream(name, stream, binding)
    if not tool.streams:
        for name, table in tool.tables.items():
            yield _table(name, table, binding)
        for name, histogram in tool.histograms.items():
            yield _histogram(name, histogram, binding)


def _stream(name: str, stream: Stream, binding: Binding) -> dict[str, Any]:
    members = list(stream.record.members)
    can_show = binding.tool.options.options.get("show_cgroup")
    if can_show is not None and not any(m.name == "cgroup" for m in members):
        members.append(Member("cgroup", CgroupId, column(when=can_show)))
    schema = f"{binding.tool.name}.{stream.record.__name__.lower()}/1"
    return _output("event", name, schema, _fields(members, binding))


def _histogram(name: str, histogram: Histogram, binding: Binding) -> dict[str, Any]:
    members = histogram.key.members if histogram.key else ()
    unit = str(binding.value_of(histogram.unit))
    fields = [*_fields(members, binding), *described.keys(described.BUCKETS)]
    if histogram.title:
        fields += described.keys([described.PROBE])
    output = _output("histogram", name, f"{binding.tool.name}.histogram/1", fields)
    return {**output, "unit": unit}


def _table(name: str, table: Table, binding: Binding) -> dict[str, Any]:
    members = [*table.key.members, *table.value.members]
    is_shown = [m for m in members if binding.is_on(m.column.when)]
    has_stacks = any(m.field.is_stack for m in is_shown)
    kind = "stacks" if has_stacks else "table"
    schema = f"{binding.tool.name}.{kind}/1"
    return _output(kind, name, schema, _fields(members, binding))


def _output(
    kind: str, name: str, schema: str, fields: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    return {"type": kind, "name": name, "schema": schema, "fields": fields}


def _fields(members: Sequence[Member], binding: Binding) -> list[dict[str, Any]]:
    # The tool's own form of an option may have a letter.
    declared = binding.tool.options.options

    titled = [
        m._replace(column=m.column._replace(title=binding.value_of(m.column.title)))
        for m in members
    ]
    chosen = _chosen(titled, binding)

    def shown(member: Member) -> Mapping[str, Any]:
        when = member.column.when
        option = declared.get(when.name) if isinstance(when, Option) else None
        return {
            "shown_by_default": member.name in chosen,
            "option": option.flags[0] if option else None,
        }

    return described.fields(titled, shown)


def _chosen(members: Sequence[Member], binding: Binding) -> set[str]:
    """The names of those that are in every line.  Raises UsageError."""
    shown = [member for member in members if binding.is_on(member.column.when)]
    columns: str | None = getattr(binding.options, "columns", None)
    if columns:
        record = RecordType(named_layout(shown), shown, "", columns=columns.split(","))
        shown = record.shown_members(Context())
    return {member.name for member in shown}


def _probes(binding: Binding, target: Target) -> Iterator[dict[str, Any]]:
    """The groups of probes with their candidates, best first; then those that options
    add, each bound with its option."""
    for scheme in schemes_of(binding):
        plan = scheme.plan.name if scheme.plan else None
        for group in scheme.groups:
            yield _group(group, plan, None, binding, target)
    for group in groups_of(binding, switched_on=False):
        switch = group.probes[0][1].when
        if isinstance(switch, Option):
            values = {**binding.tool.sample, switch.name: True}
            with_it = Binding(binding.tool, bind(binding.tool, values))
            yield _group(group, None, switch.flags[0], with_it, target)


def _group(
    group: Group,
    plan: str | None,
    option: str | None,
    binding: Binding,
    target: Target,
) -> dict[str, Any]:
    names = [name for name, _ in group.probes]
    return {
        "programs": names,
        "plan": plan,
        "option": option,
        **_candidates(group, binding, target),
    }


def _candidates(group: Group, binding: Binding, target: Target) -> dict[str, Any]:
    try:
        rungs = [_candidate(rung) for rung in ladder_of(group, binding, target)]
        return {"candidates": rungs, "problem": None}
    except SkepError as error:
        return {"candidates": [], "problem": error.diagnostic.message}


def _candidate(rung: Rung) -> dict[str, Any]:
    kinds = {site.attach.kind for _, _, each in rung.choices for site in each.sites}
    needs_tracefs = not kinds.isdisjoint(_BY_TRACEFS)
    return {
        "attach": rung.attach,
        "note": rung.note,
        "capabilities": [*_TRACING, *([_TRACEFS] if needs_tracefs else [])],
    }
