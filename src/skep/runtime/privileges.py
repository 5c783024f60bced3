"""What this process may do, and the message when the kernel says it may not."""

from __future__ import annotations

import os
from collections.abc import Sequence

from skep.errors import NotPermitted
from skep.named_tuple import NamedTuple
from skep.target.host import lockdown

# Source: include/uapi/linux/capability.h.  Before 5.8 there was only CAP_SYS_ADMIN,
# and it still stands for the other two.
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CAP_SYS_PTRACE = 19
CAP_SYS_ADMIN = 21
CAP_SYS_RESOURCE = 24
CAP_SYSLOG = 34
CAP_PERFMON = 38
CAP_BPF = 39
CAP_CHECKPOINT_RESTORE = 40

_NAMES = {
    CAP_BPF: "CAP_BPF",
    CAP_PERFMON: "CAP_PERFMON",
    CAP_SYS_ADMIN: "CAP_SYS_ADMIN",
    CAP_DAC_READ_SEARCH: "CAP_DAC_READ_SEARCH",  # tracefs is closed to all but root
    CAP_SYS_RESOURCE: "CAP_SYS_RESOURCE",  # until 5.10 maps are locked memory
}

TRACING = (CAP_BPF, CAP_PERFMON)
"""What tracing takes: maps need only the first, but a message names all at once."""

LOCKED_DOWN = "the kernel is locked down (confidentiality)"
"""Why root may not: `integrity`, the lower level, closes nothing that skep uses."""


class Privileges(NamedTuple):
    """What decides whether the kernel lets a process trace.

    `capabilities` is the effective set as bits; `initial_namespace` whether they count
    for tracing at all; `seccomp` whether a filter may refuse system calls; `lockdown`
    the kernel's lockdown level or "" when it cannot be read;
    `unprivileged_bpf_disabled` the sysctl, "" likewise; `release` is the kernel's, for
    messages only; `perf_event_paranoid` is the sysctl.
    """

    capabilities: int
    initial_namespace: bool
    seccomp: bool
    lockdown: str
    unprivileged_bpf_disabled: str
    release: str
    perf_event_paranoid: str = ""

    def states(self) -> dict[str, bool]:
        """Whether it has each of the capabilities that are of any use for tracing."""
        held = self.capabilities if self.initial_namespace else 0
        return {name: bool(held >> number & 1) for number, name in _NAMES.items()}

    def lacks(self) -> list[str]:
        """Names of the capabilities that tracing takes and that are missing."""
        if self.capabilities >> CAP_SYS_ADMIN & 1:
            return []
        return [_NAMES[one] for one in TRACING if not self.capabilities >> one & 1]

    @property
    def lacks_events(self) -> bool:
        """Whether perf events are closed although CAP_PERFMON suffices elsewhere: by a
        patch of Debian and Ubuntu to perf_event_open(2)."""
        closed = self.perf_event_paranoid in ("3", "4")
        return closed and not self.capabilities >> CAP_SYS_ADMIN & 1


_INITIAL_USER_NAMESPACE = "user:[4026531837]"  # PROC_USER_INIT_INO, linux/proc_ns.h

_FOREIGN_NAMESPACE = (
    "this process is in a user namespace of its own, as in a rootless container, where"
    " no capability permits tracing"
)


def parse(
    status: str, namespace: str, level: str, sysctl: str, release: str
) -> Privileges:
    """Privileges from the text of /proc/self/status, the link /proc/self/ns/user or "",
    lockdown's level and the sysctl."""
    lines = dict(line.partition(":")[::2] for line in status.splitlines())
    return Privileges(
        int(lines.get("CapEff", "0"), 16),
        namespace in ("", _INITIAL_USER_NAMESPACE),
        lines.get("Seccomp", "0").strip() != "0",
        level,
        sysctl.strip(),
        release,
    )


def current() -> Privileges:
    """The privileges of this process."""
    privileges = parse(
        _read("/proc/self/status"),
        _user_namespace(),
        lockdown(),
        _read("/proc/sys/kernel/unprivileged_bpf_disabled"),
        os.uname().release,
    )
    paranoid = _read("/proc/sys/kernel/perf_event_paranoid").strip()
    return privileges._replace(perf_event_paranoid=paranoid)


def _user_namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/user")
    except OSError:
        return ""


def _read(path: str) -> str:
    """The file's text, or nothing where it is absent or may not be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def denial(action: str, answer: str, holder: Privileges) -> NotPermitted:
    """The error for `action` ("load the program p") that the kernel refused.

    `answer` is its error number in words.
    """
    if not holder.initial_namespace:
        return NotPermitted(
            f"not permitted to {action}: {_FOREIGN_NAMESPACE}",
            hint="run as root of the machine itself",
        )
    lacking = holder.lacks()
    if lacking:
        return NotPermitted(
            f"not permitted to {action}: this process lacks {' and '.join(lacking)}",
            notes=_sysctl_note(holder, lacking),
            hint="run as root or with these capabilities",
        )
    reasons = _other_reasons(holder)
    if reasons == [LOCKED_DOWN]:
        return NotPermitted(f"not permitted to {action}: {LOCKED_DOWN}")
    return NotPermitted(
        f"not permitted to {action}, although this process has the capabilities"
        f" for it ({answer})",
        notes=reasons or ["a security module of the kernel may refuse it"],
        hint="run as root or with CAP_SYS_ADMIN, or set the sysctl to 2"
        if holder.lacks_events
        else "",
    )


def _sysctl_note(holder: Privileges, lacking: Sequence[str]) -> list[str]:
    value = holder.unprivileged_bpf_disabled
    if "CAP_BPF" not in lacking or value in ("", "0"):
        return []
    return [f"kernel.unprivileged_bpf_disabled is {value}"]


def _other_reasons(holder: Privileges) -> list[str]:
    """What can refuse a process that has the capabilities."""
    reasons = []
    if holder.lacks_events:
        reasons.append(
            f"kernel.perf_event_paranoid is {holder.perf_event_paranoid}: then perf"
            " events, which probes and classic tracepoints take, want CAP_SYS_ADMIN"
        )
    if holder.seccomp:
        reasons.append("a seccomp filter, as container engines install, may refuse it")
    if holder.lockdown == "confidentiality":
        reasons.append(LOCKED_DOWN)
    may_raise = holder.capabilities >> CAP_SYS_RESOURCE & 1
    if holder.release.startswith("5.10.") and not may_raise:
        reasons.append(
            "until 5.10 the limit on locked memory (`ulimit -l`) counts, which this"
            " process cannot raise without CAP_SYS_RESOURCE"
        )
    return reasons
