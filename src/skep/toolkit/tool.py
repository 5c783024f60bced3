"""A module as a tool: what the loader finds in it."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any, Callable

from skep.authoring.on import Probe
from skep.authoring.options import Options
from skep.authoring.outputs import Histogram, Stream, Table
from skep.authoring.records import Record
from skep.errors import UsageError, near_matches
from skep.named_tuple import NamedTuple
from skep.target import Target
from skep.toolkit.aliases import ALIASES


class Declared(NamedTuple):
    """What the hook `declare` of a tool gives: probes and outputs by name, where they
    follow from the options."""

    probes: Mapping[str, Probe] = {}
    streams: Mapping[str, Stream] = {}
    histograms: Mapping[str, Histogram] = {}
    tables: Mapping[str, Table] = {}


class Listing(NamedTuple):
    """What the hook `listing` of a tool gives, which then traces nothing: instances of
    one record class, with raw values."""

    record: type[Record]
    rows: Iterable[Record]


class Tool(NamedTuple):
    """A tool's declarations.

    `declare`, `filters`, `listing` and `report` are the module's optional hooks (see
    `docs/tools.md`).  `preset` has the options that the tool's name stands for.  `file`
    is the path by which a tool that is none of skep's was asked for.
    """

    name: str
    doc: str
    options: type[Options]
    probes: Mapping[str, Probe]
    streams: Mapping[str, Stream]
    histograms: Mapping[str, Histogram]
    tables: Mapping[str, Table]
    module: ModuleType
    preset: Mapping[str, Any] = {}
    file: str = ""

    def hook(self, name: str) -> Callable[..., Any] | None:
        """A function that the tool may define."""
        found = getattr(self.module, name, None)
        return found if callable(found) else None

    def declared(self, options: Any, target: Target) -> Tool:
        """The tool with what these options make it declare.  Raises SkepError."""
        declare = self.hook("declare")
        if declare is None:
            return self
        added: Declared = declare(options, target)
        return self._replace(
            probes={**self.probes, **added.probes},
            streams={**self.streams, **added.streams},
            histograms={**self.histograms, **added.histograms},
            tables={**self.tables, **added.tables},
        )

    @property
    def sample(self) -> Mapping[str, Any]:
        """Options of a trial run, where the tool cannot do without: its SAMPLE."""
        sample: Mapping[str, Any] = getattr(self.module, "SAMPLE", {})
        return sample

    @property
    def summary(self) -> str:
        """The first line of the documentation, without its full stop."""
        return self.doc.split("\n", 1)[0].rstrip(".")


def tool_names(families: bool = False) -> list[str]:
    """The names of all tools, sorted; modules with aliases only if `families`."""
    from pkgutil import iter_modules

    tools = importlib.import_module("skep.tools")
    names = {module.name for module in iter_modules(tools.__path__)}
    if not families:
        names -= {alias.tool for alias in ALIASES.values()}
    return sorted(names.union(ALIASES))


def load(name: str) -> Tool:
    """Import the tool called `name`, or the one in the file NAME if that ends in .py.

    Raises UsageError if there is none.
    """
    if name.endswith(".py"):
        from skep.toolkit.tool_file import load_file  # few runs need it

        return load_file(name)
    alias = ALIASES.get(name)
    if alias is not None:
        family = load(alias.tool)
        _, _, rest = family.doc.partition("\n")
        doc = f"{alias.summary}.\n{rest}"
        return family._replace(name=name, doc=doc, preset=alias.preset)
    near: list[str] = []
    # Whatever else Python could import here is no tool.
    if name.isidentifier() and not name.startswith("_"):
        try:
            return tool_of(importlib.import_module(f"skep.tools.{name}"))
        except ModuleNotFoundError as error:
            if error.name != f"skep.tools.{name}":
                raise
        near = near_matches(name, tool_names(families=True))
    raise UsageError(
        f"there is no tool '{name}'",
        hint=f"did you mean {' or '.join(near)}?" if near else "see 'skep list'",
    )


def tool_of(module: ModuleType) -> Tool:
    """Collect what a module declares."""
    names = vars(module)
    options = [
        value
        for value in names.values()
        if isinstance(value, type)
        and issubclass(value, Options)
        and value.__module__ == module.__name__
    ]
    if len(options) != 1:
        raise UsageError(
            f"{module.__name__.rpartition('.')[2]} is no tool: it has {len(options)} "
            "classes of options",
            hint="a tool has one, 'class Options(TaskOptions):' or of RunOptions",
        )
    return Tool(
        module.__name__.rpartition(".")[2],
        module.__doc__ or "",
        options[0],
        {n: v for n, v in names.items() if isinstance(v, Probe)},
        {n: v for n, v in names.items() if isinstance(v, Stream)},
        {n: v for n, v in names.items() if isinstance(v, Histogram)},
        {n: v for n, v in names.items() if isinstance(v, Table)},
        module,
    )
