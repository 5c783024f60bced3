"""The ladder of ways to trace kernel functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from skep.errors import NotLoaded, NotSupported, ProbeNotFound, SkepError
from skep.probes import (
    Candidate,
    Clock,
    CtxAddress,
    CtxField,
    CtxWord,
    Elapsed,
    Frame,
    FunctionEntry,
    FunctionExit,
    NoSuchParameter,
    Number,
    Param,
    PlaceNumber,
    Saved,
    Site,
    resolve,
)
from skep.probes.parameters import Prototype, parse_function
from skep.target import Target
from skep.target.fixture import FixtureFacts
from tests import fixtures
from tests.fixtures import saved_target

SAVED = Path(fixtures.__file__).parent / "5.10.tar.xz"

READ = "ssize_t (struct kiocb *iocb, struct iov_iter *iter)"


def ladder(
    intention: FunctionEntry | FunctionExit, needs: set[str], target: Target
) -> list[Candidate]:
    return list(resolve(intention, needs, target))


def refusal(intention: FunctionEntry | FunctionExit, target: Target) -> SkepError:
    with pytest.raises(SkepError) as caught:
        list(resolve(intention, set(), target))
    return caught.value


def kinds(candidates: list[Candidate]) -> list[str]:
    return [candidate.sites[0].attach.kind for candidate in candidates]


def test_fexit_has_arguments_and_result() -> None:
    target = saved_target("7.2")
    read = FunctionExit(("xfs_file_read_iter",), "xfs")
    typed, plain = ladder(read, {"iocb", "ret", "elapsed_ns"}, target)
    (site,) = typed.sites
    btf = target.module_btf("xfs")
    assert btf is not None
    assert site.attach.kind == "fexit"
    assert site.attach.module == "xfs"
    assert site.attach.id == btf.find("func", "xfs_file_read_iter")
    assert site.params == (
        Param("iocb", "struct kiocb *", CtxWord(0), trusted=True),
        Param("ret", "ssize_t", CtxWord(2)),
        Param("elapsed_ns", "u64", Elapsed("elapsed_ns")),
    )
    assert site.entry == Site(
        site.attach._replace(kind="fentry"),
        (Param("elapsed_ns", "u64", Clock()),),
        frame=Frame(CtxAddress()),
    )
    assert plain.note


def test_a_kretprobe_has_what_a_kprobe_saved() -> None:
    target = saved_target("7.2")
    read = FunctionExit(("xfs_file_read_iter",), "xfs")
    (site,) = ladder(read, {"iocb", "ret"}, target)[1].sites
    assert site.attach.kind == "kretprobe"
    assert [(p.name, type(p.fetch)) for p in site.params] == [
        ("iocb", Saved),
        ("ret", CtxField),
    ]
    entry = site.entry
    assert entry is not None and entry.frame is not None and site.frame is not None
    assert entry.attach.kind == "kprobe"
    # The return address is on the stack at the entry: struct pt_regs, sp.
    assert entry.frame == site.frame._replace(add=8)


def test_arm64_returns_with_the_stack_pointer_of_the_entry() -> None:
    target = saved_target("6.1-arm64")
    read = FunctionExit(("generic_file_read_iter",))
    (site,) = ladder(read, {"iocb"}, target)[-1].sites
    assert site.entry is not None
    assert site.entry.frame == site.frame


def test_without_btf_the_prototype_serves() -> None:
    target = saved_target("5.10")
    (plain,) = ladder(
        FunctionExit(("xfs_file_read_iter",), "xfs", READ), {"iter", "ret"}, target
    )
    (site,) = plain.sites
    assert site.attach.kind == "kretprobe"
    assert [(p.name, p.type) for p in site.params] == [
        ("iter", "struct iov_iter *"),
        ("ret", "ssize_t"),
    ]


def test_names_of_the_prototype_are_valid_beside_those_of_btf() -> None:
    target = saved_target("7.2")
    for name in ("iter", "to"):
        read = FunctionEntry(("xfs_file_read_iter",), "xfs", READ)
        (site,) = ladder(read, {name}, target)[0].sites
        assert site.params == (
            Param(name, "struct iov_iter *", CtxWord(1), trusted=True),
        )


def test_a_type_that_differs_is_no_alias() -> None:
    wrong = FunctionEntry(("xfs_file_read_iter",), "xfs", "int (struct file *file)")
    with pytest.raises(NoSuchParameter, match="no parameter 'file'"):
        ladder(wrong, {"file"}, saved_target("7.2"))


def test_the_first_function_that_is_there() -> None:
    newest = FunctionExit(("no_such_function|generic_file_read_iter",))
    typed, _ = ladder(newest, set(), saved_target("6.12"))
    assert typed.sites[0].attach.name == "generic_file_read_iter"


def test_modules_without_btf_come_before_vmlinux() -> None:
    # 5.10's btrfs has no BTF, and the generic function is in that of vmlinux.
    name = "btrfs_file_read_iter|generic_file_read_iter"
    (plain,) = ladder(FunctionExit((name,), "btrfs", READ), set(), saved_target("5.10"))
    assert plain.sites[0].attach.name == "btrfs_file_read_iter"


def test_exact_kinds() -> None:
    entry = FunctionEntry(("vfs_read",), kinds=("kprobe",))
    assert kinds(ladder(entry, set(), saved_target("6.12"))) == ["kprobe"]
    typed = FunctionExit(("xfs_file_read_iter",), "xfs", kinds=("fexit",))
    with pytest.raises(NotSupported, match="fentry needs BTF"):
        ladder(typed, set(), saved_target("5.10"))


def test_unknown_functions() -> None:
    target = saved_target("6.12")
    unknown = refusal(FunctionEntry(("generic_file_read_itre",)), target)
    assert isinstance(unknown, ProbeNotFound)
    assert "did you mean generic_file_read_iter" in str(unknown)
    assert "inlined everywhere" in str(unknown)
    absent = refusal(FunctionEntry(("zpl_open",), "zfs"), target)
    assert isinstance(absent, NotLoaded)
    assert "modprobe zfs" in str(absent)


class WithModules(FixtureFacts):
    """A kernel with all modules loaded."""

    def has_module(self, name: str) -> bool:
        return True


def test_unknown_functions_of_a_module_without_btf() -> None:
    """The modules of 5.10 have none."""
    probe = FunctionExit(("xfs_file_reed_iter",), "xfs", READ)
    target = Target(WithModules(str(SAVED)))
    unknown = refusal(probe, target)
    assert isinstance(unknown, ProbeNotFound)
    assert str(unknown).startswith("the kernel has no function 'xfs_file_reed_iter'")
    assert isinstance(refusal(probe, saved_target("5.10")), NotLoaded)


def test_optional_functions_are_left_out() -> None:
    target = saved_target("6.12")
    names = ("generic_file_open", "no_such_function")
    first, _ = ladder(FunctionEntry(names, optional=True), set(), target)
    assert [site.attach.name for site in first.sites] == ["generic_file_open"]
    assert first.note == "this kernel has no no_such_function"
    none, _ = ladder(FunctionEntry(names[1:], optional=True), set(), target)
    assert none.sites == ()


def test_parameters_that_are_not_there() -> None:
    target = saved_target("6.12")
    with pytest.raises(NoSuchParameter, match=r"ret is for on\.exit"):
        ladder(FunctionEntry(("generic_file_open",)), {"ret"}, target)


@pytest.mark.parametrize(
    ("text", "returns", "names"),
    [
        ("int (struct inode *inode, struct file *filp)", "int", ["inode", "filp"]),
        ("struct file * (void)", "struct file *", []),
        ("u64 a, int b", "long", ["a", "b"]),
    ],
)
def test_prototypes(text: str, returns: str, names: list[str]) -> None:
    prototype = parse_function(text)
    assert isinstance(prototype, Prototype)
    assert prototype.returns == returns
    assert [each.name for each in prototype.parameters] == names


@pytest.mark.parametrize("text", ["int (int a", "(int a)", "int (int)"])
def test_what_is_no_prototype(text: str) -> None:
    with pytest.raises(SkepError, match=r"prototype|parameter"):
        parse_function(text)


def test_patterns_are_one_program() -> None:
    target = saved_target("6.12")
    many = FunctionEntry(("ext4_file_*", "xfs_file_open"))
    one_link, each = ladder(many, {"arg2"}, target)
    (site,) = one_link.sites
    assert site.attach.kind == "kprobe_multi"
    assert site.attach.symbols[-1] == "xfs_file_open"
    assert "ext4_file_open" in site.attach.symbols
    assert [param.name for param in site.params] == ["arg2"]
    assert kinds([each]) == ["kprobes"]
    assert each.note


def test_patterns_mean_functions_of_modules_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = saved_target("6.12")
    listed = ["vfs_read", "xfs_file_read [xfs]", "xfs_file_write [xfs]", "xfs_iget"]
    monkeypatch.setattr(target._facts, "traceable_functions", lambda: listed)
    (site,) = ladder(FunctionEntry(("xfs_file_*",)), set(), target)[0].sites
    assert site.attach.symbols == ("xfs_file_read", "xfs_file_write")
    assert target.functions_like("xfs*", "") == ["xfs_iget"]
    assert target.functions_like("xfs*", "xfs") == ["xfs_file_read", "xfs_file_write"]


def test_without_the_modules_where_a_link_does_not_find_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = saved_target("6.12")
    listed = [f"vfs_{n}" for n in range(1200)] + ["vfs_x [xfs]", "vfs_y [xfs]"]
    monkeypatch.setattr(target._facts, "traceable_functions", lambda: listed)
    all_, own = ladder(FunctionEntry(("vfs_*",)), {"place"}, target)
    assert len(all_.sites[0].attach.symbols) == 1202
    assert not all_.note
    assert kinds([own]) == ["kprobe_multi"]
    assert set(own.sites[0].attach.symbols) == {f"vfs_{n}" for n in range(1200)}
    assert own.sites[0].attach.names == own.sites[0].attach.symbols
    assert own.note.startswith("2 functions of modules are left out")


def test_patterns_on_old_kernels() -> None:
    several = FunctionExit(("ext4_file_*",), prototype="int ()")
    (each,) = ladder(several, {"ret"}, saved_target("5.10"))
    assert each.sites[0].attach.kind == "kretprobes"
    assert each.sites[0].params[0].type == "int"


def test_one_function_can_do_without_kprobes() -> None:
    target = saved_target("5.10")
    needs = {"place", "arg1", "arg6", "ret", "elapsed_ns"}
    plain, typed = ladder(FunctionExit(("vfs_open",)), needs, target)
    assert kinds([plain, typed]) == ["kretprobes", "fexit"]
    (site,) = typed.sites
    assert site.attach.names == ("vfs_open",)
    assert {param.name: param.fetch for param in site.params} == {
        "arg1": CtxWord(0),
        "arg6": Number(0),  # it has two
        "ret": CtxWord(2),
        "place": PlaceNumber(),
        "elapsed_ns": Elapsed("elapsed_ns"),
    }
    assert site.entry is not None
    assert (site.entry.attach.kind, site.frame) == ("fentry", Frame(CtxAddress()))
    (_, at_entry) = ladder(FunctionEntry(("vfs_open",)), {"place"}, target)
    assert kinds([at_entry]) == ["fentry"]


def test_patterns_know_no_parameters_by_name() -> None:
    several = FunctionExit(("ext4_file_*",))
    with pytest.raises(NoSuchParameter, match="they are arg1, arg2"):
        ladder(several, {"iocb"}, saved_target("6.12"))
    nothing = refusal(FunctionEntry(("no_such_*",)), saved_target("6.12"))
    assert "no function that can be traced matches 'no_such_*'" in str(nothing)
