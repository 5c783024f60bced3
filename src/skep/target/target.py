"""The facts of one kernel that programs are compiled for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skep.arch import arch_of
from skep.btf import Btf
from skep.btf.types import Enum, FuncProto, Pointer, Typedef
from skep.errors import SkepError, TargetError
from skep.target.host import HostFacts
from skep.target.tracepoint import TracepointFormat, parse_format

if TYPE_CHECKING:
    from skep.target.facts import Facts
    from skep.target.user import UserFile


class Target:
    """A kernel: its types, tracepoints, symbols and architecture.

    Everything is read when first asked for, and once.  Whether the kernel can do
    something follows from what is present, never from `release`, which is for messages:
    distributions backport.
    """

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self.release = facts.release
        self.arch = arch_of(facts.machine)
        self._btf: Btf | None = None
        self._modules: dict[str, Btf | None] = {}
        self._formats: dict[tuple[str, str], TracepointFormat | None] = {}
        self._symbols: dict[str, bool] = {}
        self._cpus = 0
        self._hides_memory: bool | None = None

    @classmethod
    def from_host(cls) -> Target:
        """The running kernel."""
        return cls(HostFacts())

    @classmethod
    def from_fixture(cls, path: str) -> Target:
        """A kernel whose facts were saved in an archive (see tests/fixtures)."""
        from skep.target.fixture import FixtureFacts  # not at start: tarfile is slow

        return cls(FixtureFacts(path))

    @property
    def btf(self) -> Btf:
        """The types of vmlinux; `TargetError` if the kernel was built without."""
        if self._btf is None:
            buffer = self._facts.btf("vmlinux")
            if buffer is None:
                raise TargetError(
                    f"kernel {self.release} does not describe its types",
                    notes=["there is no /sys/kernel/btf/vmlinux"],
                    hint="skep needs a kernel built with CONFIG_DEBUG_INFO_BTF=y, and"
                    " sysfs at /sys",
                )
            self._btf = Btf.from_bytes(buffer)
        return self._btf

    def module_btf(self, name: str) -> Btf | None:
        """The types of a module on top of vmlinux's.

        None if the module is not loaded, or is built in, or has no BTF (kernels before
        5.11 have none for modules).
        """
        if name not in self._modules:
            buffer = self._facts.btf(name)
            base = self.btf if buffer is not None else None
            self._modules[name] = Btf.from_bytes(buffer, base) if buffer else None
        return self._modules[name]

    def has_module(self, name: str) -> bool:
        """Whether a module is loaded, with or without BTF."""
        return self._facts.has_module(name)

    def tracepoint(self, category: str, event: str) -> TracepointFormat | None:
        """The id and fields of a classic tracepoint.

        None if there is none, or if formats cannot be read: then `tracefs_problem`
        tells why.
        """
        key = category, event
        if key not in self._formats:
            # These become names of files, and are not to lead elsewhere.
            is_name = "/" not in category + event and category not in (".", "..")
            text = is_name and self._facts.event_format(category, event)
            self._formats[key] = parse_format(category, event, text) if text else None
        return self._formats[key]

    @property
    def tracefs_problem(self) -> SkepError | None:
        """Why no tracepoint format can be read, None if they can."""
        return self._facts.tracefs_problem()

    def raw_tracepoint_args(
        self, name: str, module: str = ""
    ) -> Sequence[tuple[str, int]] | None:
        """Names and BTF type ids of the arguments of a raw tracepoint.

        None if there is no such tracepoint.  `module` is the module that defines it.
        The names are those of the function that calls the probes, __traceiter_NAME
        (since 5.10); where BTF does not list it they are arg0, arg1 and so on.
        """
        btf = self._btf_of(module)
        proto = btf.function(f"__traceiter_{name}") if btf else None
        if proto:
            return proto.params[1:]  # without void *__data
        trace_id = self.btf_trace_id(name, module)
        if btf is None or trace_id is None:
            return None
        types = [type_id for _, type_id in _probe_proto(btf, trace_id).params[1:]]
        return tuple((f"arg{index}", each) for index, each in enumerate(types))

    def btf_trace_id(self, name: str, module: str = "") -> int | None:
        """The BTF id of the typedef btf_trace_NAME, to which tp_btf programs attach."""
        btf = self._btf_of(module)
        return btf.find("typedef", f"btf_trace_{name}") if btf else None

    def _btf_of(self, module: str) -> Btf | None:
        return self.module_btf(module) if module else self.btf

    def has_helper(self, name: str) -> bool:
        """Whether the kernel has a helper ("get_current_task_btf")."""
        return self.has_enumerator(f"BPF_FUNC_{name}")

    def has_map_kind(self, kind: str) -> bool:
        """Whether the kernel has a kind of map ("ringbuf")."""
        return self.has_enumerator(f"BPF_MAP_TYPE_{kind.upper()}")

    def has_enumerator(self, name: str) -> bool:
        """Whether vmlinux has an enum constant."""
        return self.btf.enumerator(name) is not None

    def enumerators(self, name: str) -> dict[str, int]:
        """The values of an enum by name; none if the kernel has no such enum."""
        type_id = self.btf.find("enum", name)
        described = None if type_id is None else self.btf.type(type_id)
        return dict(described.values) if isinstance(described, Enum) else {}

    def has_symbol(self, name: str) -> bool:
        """Whether the kernel or a module has a symbol (36 ms: see `has_symbols`)."""
        return name in self.has_symbols([name])

    def has_symbols(self, names: Sequence[str]) -> set[str]:
        """Those of `names` that are symbols of the kernel or its modules.

        One call for many names costs as much as one for one.
        """
        unknown = [name for name in names if name not in self._symbols]
        if unknown:
            found = self._facts.symbols(unknown)
            self._symbols.update((name, name in found) for name in unknown)
        return {name for name in names if self._symbols[name]}

    def function_symbols(self, name: str) -> Sequence[tuple[str, str]]:
        """Functions called `name` or `name.SUFFIX`, each with its module or "".

        The compiler appends a suffix where it made a variant of a function ("isra",
        "constprop", "part", "cold").  Costs as much as `has_symbol`.
        """
        return self._facts.function_symbols(name)

    def user_functions(
        self, library: str, patterns: Sequence[str], pid: int = 0, copies: bool = False
    ) -> Sequence[UserFile]:
        """The functions of a user library or program, by name or pattern ("str*").

        `library` is a path, or what the dynamic linker or the shell would look up; with
        `pid` as that process sees it.  `copies` adds every other file of the library
        that a running process has mapped, by its container for example.

        Raises `ProbeNotFound` if there is no such file, `BinaryError` if it cannot be
        read.
        """
        return self._facts.user_functions(library, patterns, pid, copies)

    def usdt_probes(
        self, library: str, provider: str, probe: str, pid: int = 0
    ) -> Sequence[UserFile]:
        """The places of a USDT probe, of any provider if that is "".

        `probe` may be a pattern (`skep.symbols.name_pattern`).  A process `pid` without
        a library means all that it has mapped.  Raises as `user_functions` does.
        """
        return self._facts.usdt_probes(library, provider, probe, pid)

    def tracepoint_names(self) -> Sequence[str]:
        """All classic tracepoints, "category:event", sorted; as `tracepoints_like`."""
        return sorted(self._facts.event_names())

    def tracepoints_like(self, pattern: str) -> Sequence[TracepointFormat]:
        """The classic tracepoints whose "category:event" matches a pattern
        (`skep.symbols.name_pattern`); none if they cannot be listed: `tracefs_problem`
        tells why."""
        from skep.symbols.name_pattern import matcher

        match = matcher(pattern).fullmatch
        names = [name for name in self._facts.event_names() if match(name)]
        found = (self.tracepoint(*name.split(":", 1)) for name in sorted(names))
        return [each for each in found if each is not None]

    def functions_like(self, pattern: str, module: str | None = None) -> Sequence[str]:
        """Functions that can be traced and match a pattern (skep.symbols.name_pattern):
        those of a module, "" for the kernel itself, or of all of them."""
        from skep.symbols.name_pattern import matcher

        match = matcher(pattern).fullmatch
        found = set()
        for line in self._facts.traceable_functions():
            name, _, place = line.partition(" ")
            if match(name) and (module is None or place.strip("[] ") == module):
                found.add(name)
        return sorted(found)

    @property
    def hides_memory(self) -> bool:
        """Whether only what the verifier knows the way to can be read of the kernel's
        memory: it is locked down to confidentiality."""
        if self._hides_memory is None:
            self._hides_memory = self._facts.hides_memory()
        return self._hides_memory

    @property
    def cpus_possible(self) -> int:
        """The number of CPUs that may ever be present: the width of per-CPU maps."""
        if not self._cpus:
            self._cpus = self._facts.cpus_possible()
        return self._cpus


def _probe_proto(btf: Btf, trace_id: int) -> FuncProto:
    """The signature behind typedef void (*btf_trace_NAME)(void *, ...)."""
    typedef = btf.type(trace_id)
    pointer = btf.type(typedef.type) if isinstance(typedef, Typedef) else None
    proto = btf.type(pointer.target) if isinstance(pointer, Pointer) else None
    if not isinstance(proto, FuncProto):
        raise TargetError(f"malformed BTF: {btf.spell(trace_id)} is no function type")
    return proto
