"""`skep replay --info FILE`: what a recording is of, without the recording."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from skep.authoring.options import Option
from skep.errors import Incomplete, UsageError
from skep.escape import escape
from skep.fields import Context
from skep.named_tuple import NamedTuple
from skep.output.json_lines import line, pairs
from skep.output.loss import Losses, sentence
from skep.output.recording_file import END, Chunk, Damaged
from skep.output.writer import show
from skep.toolkit.recorded import (
    attached_of,
    context_of,
    header_of,
    losses_of,
    time_of,
)
from skep.toolkit.tool import load, tool_names

SCHEMA = "skep.recording/1"

_TEXTS = ("tool", "skep", "host", "architecture", "kernel", "build_id")

_OF_THE_SCREEN = ("format", "json", "record")
"""Options that said how and where the run was shown."""

_MOST_PLACES = 8


def show_info(parts: Iterator[Chunk], words: Sequence[str]) -> int:
    """Show what the chunks of a file say about it; the exit status.

    All are read, as only the last one has the end, and losses.  Raises SkepError.
    """
    is_json = _is_json(words)
    info = Info.of(header_of(next(parts, None)))
    damage: Damaged | None = None
    try:
        for chunk in parts:
            if chunk.kind == END:
                info = info.with_end(chunk)
    except Damaged as error:
        damage = error  # what it is of is known all the same
    show(info.line() if is_json else info.text())
    if damage is not None:
        raise damage
    if info.losses is None:
        raise Incomplete("the recording was cut short: what the run lost is not known")
    return 0


def _is_json(words: Sequence[str]) -> bool:
    """Whether JSON is asked for.  Raises UsageError for other options."""
    forms = {("--json",): True, ("--format", "json"): True, ("--format=json",): True}
    if words and tuple(words) not in forms:
        raise UsageError(
            f"--info does not go with '{' '.join(words)}'",
            hint="skep replay --info FILE [--json]",
        )
    return bool(words)


class Info(NamedTuple):
    """What a recording is of; `losses` is None for one without its end."""

    texts: Mapping[str, str]
    options: Mapping[str, Any]
    typed: Mapping[str, Sequence[str]]  # values of options that have names
    context: Context
    attached: int
    end_ns: int | None = None
    losses: Losses | None = None

    @classmethod
    def of(cls, header: Mapping[str, Any]) -> Info:
        """What the header says, also that of another version.  Raises Damaged."""
        texts: dict[str, str] = {}
        for name in _TEXTS:
            text = header.get(name)
            if not isinstance(text, str):
                raise Damaged(f"its header has no {name}")
            texts[name] = text
        options = header.get("options")
        if not isinstance(options, dict):
            raise Damaged("its header has no options")
        typed = _typed(header.get("typed", {}))
        return cls(texts, options, typed, context_of(header), attached_of(header))

    def with_end(self, chunk: Chunk) -> Info:
        """The same, with what the last chunk says.  Raises Damaged."""
        return self._replace(end_ns=time_of(chunk), losses=losses_of(chunk))

    @property
    def begin_ns(self) -> int:
        """When the run began, since the Unix epoch."""
        return sum(self.context.clock)

    def text(self) -> str:
        """A line on each fact that is known."""
        texts = self.texts
        begun = time.localtime(self.begin_ns // 10**9)
        rows = {
            "tool": texts["tool"],
            "options": " ".join(map(shlex.quote, self._words())),
            "skep": texts["skep"],
            "host": f"{texts['host']} ({texts['architecture']})",
            "kernel": texts["kernel"],
            "build id": texts["build_id"],
            "begun": time.strftime("%Y-%m-%d %H:%M:%S %z", begun),
        }
        if self.end_ns is not None:
            rows["lasted"] = f"{max(self.end_ns - self.begin_ns, 0) / 1e9:.1f} s"
        if self.attached:
            names = list(self.context.places[:_MOST_PLACES])
            more = ["…"] if len(self.context.places) > _MOST_PLACES else []
            rows["traced"] = f"{self.attached} places: {', '.join(names + more)}"
        if self.losses is not None:
            rows["lost"] = sentence(self.losses) or "nothing"
        width = max(map(len, rows))
        known = {name: escape(text) for name, text in rows.items() if text}
        return "".join(f"{name:{width}}  {text}\n" for name, text in known.items())

    def _words(self) -> list[str]:
        """The options as they would be typed."""
        name = self.texts["tool"]
        tool = load(name) if name in tool_names(families=True) else None
        declared = tool.options.options if tool else {}
        left_out = {*_OF_THE_SCREEN, *(tool.preset if tool else ())}
        if self.options.get("command"):
            left_out.add("pid")  # that of the command
        return [
            word
            for name, value in self.options.items()
            if name not in left_out and not (value in (None, []) or value is False)
            for word in _words(name, declared.get(name), self.typed.get(name, value))
        ]

    def line(self) -> str:
        """All facts as a line of JSON."""
        import json

        losses = self.losses
        counts = losses and {k.replace(" ", "_"): v for k, v in losses.items()}
        # `pairs` makes texts that are not UTF-8 fit for JSON, but not within values.
        facts = {
            **self.texts,
            "options": json.loads(f"{{{pairs(self.options)}}}"),
            "begin_ns": self.begin_ns,
            "end_ns": self.end_ns,
            "attached": self.attached,
            "places": list(self.context.places),
            "losses": counts,
        }
        return line("recording", SCHEMA, time.time_ns(), facts)


def _typed(names: Any) -> Mapping[str, Sequence[str]]:
    """The names of values of options, as they come from a file.  Raises Damaged."""
    if isinstance(names, dict) and all(
        isinstance(texts, list) and all(isinstance(text, str) for text in texts)
        for texts in names.values()
    ):
        return names
    raise Damaged("its options have names that are none")


def _words(name: str, option: Option | None, value: Any) -> list[str]:
    """An option, of which this version may know nothing, with its value."""
    flags: Sequence[str] = option.flags if option else (f"--{name}",)
    flags = [flag for flag in flags if flag.startswith("--")][:1] or flags[:1]
    if value is True or (option is not None and option.type is bool):
        return [*flags]
    if not isinstance(value, list):
        return [*flags, f"{value:g}" if isinstance(value, float) else str(value)]
    values = list(map(str, value))
    if option is not None and option.listed:
        values = [",".join(values)]
    if option is not None and option.repeat:
        return [word for each in values for word in (*flags, each)]
    return [*flags, *values]
