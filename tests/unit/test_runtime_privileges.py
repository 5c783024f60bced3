"""What is said when the kernel refuses."""

import errno

import pytest

from skep.errors import AttachError, NotPermitted, NotSupported
from skep.runtime import privileges
from skep.runtime.privileges import CAP_BPF, CAP_PERFMON, denial, parse
from skep.runtime.refusals import refusal
from skep.runtime.syscall.libc import ENOTSUPP

ALL = 0x1FFFFFFFFFF
WITHOUT_LIMITS = ALL & ~(1 << privileges.CAP_SYS_RESOURCE)
HOST = "user:[4026531837]"


def holder(
    capabilities=ALL, namespace=HOST, lockdown="", sysctl="", seccomp=0, release="6.1.0"
):
    status = f"Name:\tskep\nCapEff:\t{capabilities:016x}\nSeccomp:\t{seccomp}\n"
    return parse(status, namespace, lockdown, sysctl, release)


def test_parse():
    found = holder(1 << CAP_BPF, lockdown="integrity")
    assert found.capabilities == 1 << CAP_BPF
    assert found.initial_namespace
    assert not found.seccomp
    assert found.lockdown == "integrity"


def test_nothing_readable_is_no_privilege():
    assert parse("", "", "", "", "").lacks() == ["CAP_BPF", "CAP_PERFMON"]


@pytest.mark.parametrize(
    "capabilities, lacking",
    [
        (0, ["CAP_BPF", "CAP_PERFMON"]),
        (1 << CAP_BPF, ["CAP_PERFMON"]),
        (1 << CAP_BPF | 1 << CAP_PERFMON, []),
        (1 << privileges.CAP_SYS_ADMIN, []),
    ],
)
def test_lacks(capabilities, lacking):
    assert holder(capabilities).lacks() == lacking


def test_denial_names_the_capability():
    error = denial("trace", "EPERM", holder(1 << CAP_BPF))
    assert str(error) == (
        "not permitted to trace: this process lacks CAP_PERFMON\n"
        "  hint: run as root or with these capabilities"
    )


def test_denial_tells_the_sysctl():
    error = denial("trace", "EPERM", holder(0, sysctl="2\n"))
    assert "kernel.unprivileged_bpf_disabled is 2" in str(error)


@pytest.mark.parametrize(
    "reason, who",
    [
        ("seccomp filter", holder(seccomp=2)),
        ("is locked down", holder(lockdown="confidentiality", seccomp=2)),
        ("ulimit -l", holder(WITHOUT_LIMITS, release="5.10.0-34-amd64")),
        ("security module", holder(release="5.10.0-34-amd64")),
        ("security module", holder(lockdown="integrity")),
        ("security module", holder()),
    ],
)
def test_denial_despite_all_capabilities(reason, who):
    text = str(denial("trace", "EPERM, x", who))
    assert "although this process has the capabilities for it (EPERM, x)" in text
    assert reason in text


@pytest.mark.parametrize("capabilities", [0, ALL])
def test_denial_in_a_user_namespace(capabilities):
    who = holder(capabilities, "user:[4026532281]", lockdown="confidentiality")
    assert str(denial("trace", "EPERM", who)) == (
        "not permitted to trace: this process is in a user namespace of its own, as in"
        " a rootless container, where no capability permits tracing\n"
        "  hint: run as root of the machine itself"
    )
    assert not any(who.states().values())


def test_denial_by_a_sysctl_of_debian():
    who = holder(1 << CAP_BPF | 1 << CAP_PERFMON)._replace(perf_event_paranoid="3")
    text = str(denial("trace", "EACCES", who))
    assert "  note: kernel.perf_event_paranoid is 3: " in text
    assert text.endswith(
        "  hint: run as root or with CAP_SYS_ADMIN, or set the sysctl to 2"
    )
    assert not holder()._replace(perf_event_paranoid="3").lacks_events


def test_denial_by_nothing_but_lockdown():
    error = denial("trace", "EPERM", holder(lockdown="confidentiality"))
    assert str(error) == (
        "not permitted to trace: the kernel is locked down (confidentiality)"
    )


@pytest.mark.parametrize(
    "number, kind",
    [
        (errno.EPERM, NotPermitted),
        (errno.EACCES, NotPermitted),
        (errno.ENOSYS, NotSupported),
        (errno.EINVAL, NotSupported),
        (errno.E2BIG, NotSupported),
        (ENOTSUPP, NotSupported),
        (errno.EBUSY, AttachError),
        (errno.EMFILE, AttachError),
    ],
)
def test_refusal(number, kind):
    error = refusal(OSError(number, "x"), "attach p", otherwise=AttachError)
    assert type(error) is kind
    assert "attach p" in str(error)
