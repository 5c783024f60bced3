"""Who did it: identity of the current task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skep.errors import UsageError
from skep.fields.base import MAYBE_STRING, STRING, Context, Field, Key, Member, Value
from skep.fields.text import c_string, decoded


class Pid(Field):
    """Process id: what the kernel calls tgid, in the initial pid namespace."""

    ctype = "u32"
    fill: str | None = "pid"
    title = "PID"
    width = 7
    meaning = "process id"


class Tid(Pid):
    """Thread id: what the kernel calls pid."""

    fill = "tid"
    title = "TID"
    meaning = "thread id"


class Ppid(Pid):
    """Process id of the parent; "?" where it could not be read."""

    fill = "ppid"
    title = "PPID"
    meaning = "process id of the parent"

    @classmethod
    def text(cls, raw: Any, spec: str, context: Context) -> str:
        """No process has the parent 0 but those that the kernel starts itself."""
        return format(raw, spec) if raw else "?"


class Uid(Field):
    """Real user id."""

    ctype = "u32"
    fill = "uid"
    title = "UID"
    width = 5
    meaning = "real user id"

    @classmethod
    def parse(cls, text: str) -> int:
        """A user id, given as a number or by name."""
        if text.isdecimal():
            return int(text)
        import pwd  # only where a user is named

        try:
            return pwd.getpwnam(text).pw_uid
        except KeyError:
            raise UsageError(f"no such user: {text!r}") from None


class Cpu(Field):
    """Number of the CPU."""

    ctype = "u32"
    fill = "cpu"
    title = "CPU"
    width = 4
    meaning = "number of the CPU"


class Comm(Field):
    """Name of the thread, at most 15 bytes: task_struct.comm."""

    ctype = "char[16]"
    fill = "comm"
    title = "COMM"
    width = 16
    spec = ""
    meaning = "name of the thread"
    json = STRING

    @classmethod
    def text(cls, raw: Any, spec: str, context: Context) -> str:
        """Bytes after the NUL may be left over from a longer name."""
        return format(decoded(c_string(raw)), spec)

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The name as a str."""
        return Value(member.name, member.raw, lambda raw: decoded(c_string(raw)))


class CgroupId(Field):
    """Id of a cgroup (version 2), shown as its path below the mount point."""

    ctype = "u64"
    looks_up = True
    fill = "cgroup_id"
    title = "CGROUP"
    width = 30
    spec = ""
    meaning = "id of the version-2 cgroup"

    @classmethod
    def symbol_keys(cls, member: Member) -> Sequence[Key]:
        """The path."""
        return (
            Key(f"{member.name}_path", MAYBE_STRING, "path; null for one that is gone"),
        )

    @classmethod
    def text(cls, raw: Any, spec: str, context: Context) -> str:
        """The path, or the id in brackets for a cgroup that is gone."""
        return format(context.cgroups.path(raw) or f"[{raw}]", spec)

    @classmethod
    def parse(cls, text: str) -> int:
        """An id, given as a number or as a path, absolute or below the mount point."""
        if text.isdecimal():
            return int(text)
        try:
            if text:
                return Context().cgroups.id(text)
        except OSError:
            pass
        raise UsageError(f"no such cgroup: {text!r}")

    @classmethod
    def typed(cls, raw: int) -> Sequence[str]:
        """Its path, if it is still there."""
        path = Context().cgroups.path(raw)
        return (path,) if path else ()

    @classmethod
    def value(cls, member: Member, context: Context) -> Value:
        """The id; JSON adds NAME_path, null for a cgroup that is gone."""
        key = f"{member.name}_path"
        return Value(
            member.name,
            member.raw,
            symbols=lambda raw: {key: context.cgroups.path(raw)},
        )
