"""Raw and classic tracepoints."""

from __future__ import annotations

from pathlib import Path

import pytest

from skep.errors import NotPermitted, ProbeNotFound, SkepError, UsageError
from skep.probes import (
    CtxField,
    CtxWord,
    DataLoc,
    Intention,
    Param,
    ProbedWord,
    RawTracepoint,
    Site,
    Tracepoint,
    resolve,
)
from skep.probes.nullable import nullable_arguments
from skep.spec import AttachSpec
from skep.target import Target
from skep.target.fixture import FixtureFacts
from tests import fixtures
from tests.fixtures import saved_target

FIXTURE = Path(fixtures.__file__).parent / "6.18.tar.xz"


@pytest.fixture
def target() -> Target:
    return saved_target("6.18")


def sites(intention: Intention, needs: set[str], target: Target) -> list[Site]:
    """The only site of each candidate."""
    ladder = resolve(intention, needs, target)
    assert all(len(candidate.sites) == 1 for candidate in ladder)
    return [candidate.sites[0] for candidate in ladder]


def refusal(intention: Intention, needs: set[str], target: Target) -> str:
    with pytest.raises(SkepError) as caught:
        resolve(intention, needs, target)
    return str(caught.value)


class Described(FixtureFacts):
    """A kernel with one tracepoint that a test describes; no tracefs without one."""

    def __init__(self, fields: str = "") -> None:
        super().__init__(str(FIXTURE))
        self._fields = fields

    def event_format(self, category: str, event: str) -> str | None:
        if (category, event) != ("a", "b") or not self._fields:
            return None
        return f"name: b\nID: 7\nformat:\n{self._fields}"

    def tracefs_problem(self) -> SkepError | None:
        return None if self._fields else NotPermitted("tracefs is for root")


def test_raw_arguments_have_the_kernel_s_names(target: Target) -> None:
    typed, raw = sites(RawTracepoint("sched_switch"), {"preempt", "next"}, target)
    assert (typed.attach.kind, typed.program_type) == ("tp_btf", "tracing")
    assert typed.attach.id == target.btf_trace_id("sched_switch")
    assert typed.params == (
        Param("preempt", "bool", CtxWord(0)),
        Param("next", "struct task_struct *", CtxWord(2), trusted=True),
    )
    assert (raw.attach.kind, raw.attach.name) == ("raw_tracepoint", "sched_switch")
    assert raw.params == (
        Param("preempt", "bool", CtxWord(0)),
        Param("next", "struct task_struct *", CtxWord(2)),
    )


def test_the_fallback_says_what_it_costs(target: Target) -> None:
    ladder = resolve(RawTracepoint("sched_switch"), set(), target)
    assert [each.note for each in ladder] == [
        "",
        "slower: helper calls read what the arguments point to",
    ]


def test_what_may_be_null_is_kept_from_the_verifier(target: Target) -> None:
    typed, raw = sites(RawTracepoint("kfree_skb"), {"skb", "rx_sk"}, target)
    skb, rx_sk = typed.params
    assert (skb.trusted, skb.nullable) == (True, False)
    assert rx_sk == Param("rx_sk", "struct sock *", ProbedWord(3), nullable=True)
    assert isinstance(rx_sk.fetch, ProbedWord)
    assert isinstance(raw.params[1].fetch, CtxWord)
    assert raw.params[1].nullable


def test_pointers_to_anything_but_structs(target: Target) -> None:
    location = sites(RawTracepoint("kfree_skb"), {"location"}, target)[0].params[0]
    assert location.type == "void *"
    assert isinstance(location.fetch, CtxWord)
    assert not location.trusted


class Kernel:
    """A Target with one tracepoint, whose arguments have types of the fixture."""

    def __init__(self, target: Target, arguments: list[tuple[str, str]]) -> None:
        self.btf = target.btf
        self._arguments = tuple(
            (name, self._pointer_to(type_name)) for name, type_name in arguments
        )

    def _pointer_to(self, type_name: str) -> int:
        pointers = (
            each
            for each in range(1, self.btf.end_id)
            if self.btf.spell(each) == type_name
        )
        return next(pointers)

    def raw_tracepoint_args(
        self, name: str, module: str = ""
    ) -> tuple[tuple[str, int], ...]:
        return self._arguments

    def btf_trace_id(self, name: str) -> int:
        return 1


@pytest.mark.parametrize(
    ("spelling", "fetch", "trusted"),
    [
        ("struct sock *", CtxWord, True),
        ("const char *", ProbedWord, False),
        ("int *", ProbedWord, False),
        ("u32", CtxWord, False),
        ("kuid_t", ProbedWord, False),
    ],
)
def test_words_that_old_verifiers_refuse_are_probed(
    target: Target, spelling: str, fetch: type, trusted: bool
) -> None:
    kernel = Kernel(target, [("each", spelling)])
    typed, raw = sites(RawTracepoint("made_up"), {"each"}, kernel)  # type: ignore[arg-type]
    assert type(typed.params[0].fetch) is fetch
    assert typed.params[0].trusted is trusted
    assert raw.params == (Param("each", spelling, CtxWord(0)),)


def test_the_kernel_s_own_mark_of_nullable_arguments(target: Target) -> None:
    kernel = Kernel(target, [("skb__nullable", "struct sk_buff *")])
    typed, raw = sites(RawTracepoint("made_up"), {"skb"}, kernel)  # type: ignore[arg-type]
    assert typed.params == raw.params
    assert typed.params[0].nullable
    assert isinstance(typed.params[0].fetch, ProbedWord)


def test_a_prototype_serves_where_btf_has_nothing(target: Target) -> None:
    probe = RawTracepoint("made_up", "struct inode *inode, const char __user *path")
    (raw,) = sites(probe, {"path"}, target)
    assert raw.attach.kind == "raw_tracepoint"
    assert raw.params == (Param("path", "const char *", CtxWord(1), user=True),)


def test_btf_wins_over_a_prototype(target: Target) -> None:
    probe = RawTracepoint("sched_switch", "int wrong")
    assert "has no parameter 'wrong'" in refusal(probe, {"wrong"}, target)


def test_unknown_raw_tracepoints(target: Target) -> None:
    assert refusal(RawTracepoint("sched_swich"), set(), target).startswith(
        "the kernel has no tracepoint 'sched_swich'\n"
        "  note: tracepoints of modules need a prototype\n"
        "  hint: did you mean sched_switch"
    )


def test_unknown_raw_arguments(target: Target) -> None:
    assert refusal(RawTracepoint("sched_switch"), {"nxt"}, target) == (
        "tracepoint sched_switch has no parameter 'nxt'\n"
        "  note: its parameters are preempt, prev, next, prev_state\n"
        "  hint: did you mean next?"
    )


def test_nullable_arguments_by_position() -> None:
    assert nullable_arguments("kfree_skb") == (3,)
    assert nullable_arguments("tcp_send_reset") == (0, 1)
    assert nullable_arguments("signal_generate") == (1,)
    assert nullable_arguments("sched_switch") == ()
    assert nullable_arguments("0:") == ()


def test_classic_fields(target: Target) -> None:
    needs = {"filename", "old_pid"}
    (site,) = sites(Tracepoint("sched:sched_process_exec"), needs, target)
    record = target.tracepoint("sched", "sched_process_exec")
    assert record is not None
    name = "sched:sched_process_exec"
    assert site.attach == AttachSpec("tracepoint", name, record.id)
    assert site.params == (
        Param("filename", "char[]", DataLoc(8)),
        Param("old_pid", "pid_t", CtxField(16, 4, True)),
    )


def test_kinds_of_classic_fields() -> None:
    target = Target(
        Described(
            "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
            "\tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
            "\tfield:s8 level;\toffset:24;\tsize:1;\tsigned:1;\n"
            "\tfield:__rel_loc char[] text;\toffset:28;\tsize:4;\tsigned:0;\n"
            "\tfield:const char __user * path;\toffset:32;\tsize:8;\tsigned:0;\n"
            "\tfield:__data_loc cpumask_t cpus;\toffset:40;\tsize:4;\tsigned:0;\n"
        )
    )
    needs = {"comm", "level", "text", "path", "cpus"}
    (site,) = sites(Tracepoint("a:b"), needs, target)
    assert site.attach.id == 7
    assert site.params == (
        Param("comm", "char[16]", CtxField(8, 16, False)),
        Param("level", "s8", CtxField(24, 1, True)),
        Param("text", "char[]", DataLoc(28, relative=True)),
        Param("path", "const char *", CtxField(32, 8, False), user=True),
        Param("cpus", "cpumask_t[]", DataLoc(40)),
    )


def test_fields_that_the_kernel_hides(target: Target) -> None:
    message = refusal(Tracepoint("sched:sched_switch"), {"common_pid"}, target)
    assert message.startswith("tracepoint sched:sched_switch has no parameter")
    assert "BPF programs cannot read common_ fields" in message


def test_unknown_classic_tracepoints(target: Target) -> None:
    with pytest.raises(ProbeNotFound):
        resolve(Tracepoint("sched:nothing_like_it"), set(), target)
    assert refusal(Tracepoint("sched:sched_swich"), set(), target) == (
        "the kernel has no tracepoint sched:sched_swich\n"
        "  hint: did you mean sched:sched_switch or sched:sched_wakeup"
        " or sched:sched_wakeup_new?"
    )


def test_no_tracefs_is_the_reason_given() -> None:
    with pytest.raises(NotPermitted, match="tracefs is for root"):
        resolve(Tracepoint("a:b"), set(), Target(Described()))


@pytest.mark.parametrize("name", ["sched_switch", ":b", "a:", ""])
def test_malformed_names(target: Target, name: str) -> None:
    with pytest.raises(UsageError, match="is not the name of a tracepoint"):
        resolve(Tracepoint(name), set(), target)


def test_tracepoints_of_modules() -> None:
    # Their arguments may be null to the verifier, so they are numbers to it.
    begun = RawTracepoint("nfs_initiate_commit", module="nfs")
    (site,) = sites(begun, {"data"}, saved_target("7.2"))
    assert site.attach == AttachSpec(
        "raw_tracepoint", "nfs_initiate_commit", module="nfs"
    )
    assert site.params == (Param("data", "const struct nfs_commit_data *", CtxWord(0)),)
    # Another kernel may have it built in.
    typed, _ = sites(
        RawTracepoint("sched_switch", module="nfs"), set(), saved_target("6.18")
    )
    assert typed.attach.module == ""
