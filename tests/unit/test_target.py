from __future__ import annotations

import errno
import io
import tarfile
from pathlib import Path

import pytest

from skep.errors import NotPermitted, NotSupported, TargetError
from skep.symbols.kallsyms import whole_lines
from skep.target import Target, TracepointField, host
from skep.target.tracepoint import parse_format
from tests.fixtures import VERSIONS, saved_target

EVERY_KERNEL = pytest.mark.parametrize("version", VERSIONS)


def spelled_args(target: Target, name: str, module: str = "") -> list | None:
    args = target.raw_tracepoint_args(name, module)
    btf = target.module_btf(module) if module else target.btf
    if args is None or btf is None:
        return None
    return [(name, btf.spell(type_id)) for name, type_id in args]


def save(path: Path, **files: str) -> str:
    with tarfile.open(path, "w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return str(path)


@EVERY_KERNEL
class TestSavedKernels:
    def test_identity(self, version: str) -> None:
        target = saved_target(version)
        assert target.release.startswith(f"{version}.")
        assert target.cpus_possible == 2
        assert target.tracefs_problem is None

    def test_helpers_and_maps(self, version: str) -> None:
        target = saved_target(version)
        # The task as a typed pointer, and storage on it, came with 5.11.
        assert target.has_helper("get_current_task_btf") is (version != "5.10")
        assert target.has_map_kind("task_storage") is (version != "5.10")
        assert target.has_helper("ringbuf_output")
        assert target.has_map_kind("ringbuf")
        assert not target.has_helper("missing")
        assert not target.has_map_kind("missing")

    def test_raw_tracepoint_arguments_have_names(self, version: str) -> None:
        target = saved_target(version)
        assert spelled_args(target, "block_rq_issue") == [("rq", "struct request *")]
        args = spelled_args(target, "sched_switch")
        assert args is not None
        # 5.18 put prev_state between the others, 5.18.5 at the end.
        assert args[:3] == [
            ("preempt", "bool"),
            ("prev", "struct task_struct *"),
            ("next", "struct task_struct *"),
        ]
        assert target.btf_trace_id("sched_switch") is not None

    def test_missing_raw_tracepoint(self, version: str) -> None:
        target = saved_target(version)
        assert target.raw_tracepoint_args("missing") is None
        assert target.raw_tracepoint_args("sched_switch", "missing") is None
        assert target.btf_trace_id("missing") is None

    def test_xfs_wherever_it_is(self, version: str) -> None:
        target = saved_target(version)
        expected = [("iocb", "struct kiocb *"), ("iter", "struct iov_iter *")]
        found = spelled_args(target, "xfs_file_buffered_read", "xfs")
        if version == "6.18":  # built in
            found = spelled_args(target, "xfs_file_buffered_read")
        if version == "5.10":  # modules have no BTF
            expected = None
        assert found == expected

    def test_members(self, version: str) -> None:
        btf = saved_target(version).btf
        request = btf.find("struct", "request")
        assert request is not None
        assert btf.member(request, "__sector") is not None
        # 5.17 moved the disk to the queue.
        assert (btf.member(request, "rq_disk") is None) is (version != "5.10")

    def test_classic_tracepoints(self, version: str) -> None:
        target = saved_target(version)
        opened = target.tracepoint("syscalls", "sys_enter_openat")
        assert opened is not None
        assert opened.id > 0
        filename = TracepointField("filename", "const char *", 24, 8, False)
        assert opened.field("filename") == filename
        assert opened.field("missing") is None
        assert target.tracepoint("syscalls", "missing") is None

    def test_symbols(self, version: str) -> None:
        target = saved_target(version)
        assert target.has_symbol("__x64_sys_openat")
        names = ["missing", "__x64_sys_openat", "__x64_sys_execve"]
        assert target.has_symbols(names) == set(names[1:])
        assert not target.has_symbol("missing")


FORMAT = """\
name: example
ID: 17
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;

	field:__data_loc char[] filename;	offset:8;	size:4;	signed:0;
	field:__rel_loc unsigned long[] list;	offset:12;	size:4;	signed:0;
	field:char comm[16];	offset:16;	size:16;	signed:1;
	field:u32 words[WORD_COUNT];	offset:32;	size:12;	signed:0;
	field:struct list_head lists[LISTS];	offset:44;	size:32;	signed:0;
	field:const char * name;	offset:80;	size:8;	signed:0;
	field:pid_t pid;	offset:88;	size:4;	signed:1;
	field:void *head;	offset:92;	size:8;	signed:0;

print fmt: "field:int no; %s", REC->name
"""


def test_parse_format() -> None:
    parsed = parse_format("a", "example", FORMAT)
    assert (parsed.category, parsed.event, parsed.id) == ("a", "example", 17)
    assert parsed.fields == (
        TracepointField("common_type", "unsigned short", 0, 2, False),
        TracepointField("filename", "char[]", 8, 4, False, "data_loc"),
        TracepointField("list", "unsigned long[]", 12, 4, False, "rel_loc"),
        TracepointField("comm", "char[16]", 16, 16, True),
        TracepointField("words", "u32[3]", 32, 12, False),
        TracepointField("lists", "struct list_head[LISTS]", 44, 32, False),
        TracepointField("name", "const char *", 80, 8, False),
        TracepointField("pid", "pid_t", 88, 4, True),
        TracepointField("head", "void *", 92, 8, False),
    )


def test_parse_format_without_an_id() -> None:
    with pytest.raises(TargetError, match="a:b"):
        parse_format("a", "b", "no such thing")


def test_kernel_without_btf(tmp_path: Path) -> None:
    path = save(tmp_path / "a.tar", release="6.1.0", machine="x86_64", symbols="")
    target = Target.from_fixture(path)
    with pytest.raises(
        TargetError, match=r"kernel 6\.1\.0 does not describe its types"
    ):
        _ = target.btf
    assert target.module_btf("xfs") is None
    assert target.tracepoint("sched", "sched_switch") is None
    assert isinstance(target.tracefs_problem, TargetError)


def test_machine_that_is_not_supported(tmp_path: Path) -> None:
    path = save(tmp_path / "a.tar", release="6.1.0", machine="s390x", symbols="")
    with pytest.raises(NotSupported, match="s390x"):
        Target.from_fixture(path)


def test_incomplete_archive(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match='no file "machine"'):
        Target.from_fixture(save(tmp_path / "a.tar", release="6.1.0"))
    with pytest.raises(TargetError, match="cannot read"):
        Target.from_fixture(str(tmp_path / "missing.tar"))


@pytest.mark.parametrize(
    ("text", "count"), [("0\n", 1), ("0-1\n", 2), ("0-3,8-11,15\n", 9)]
)
def test_lists_of_cpus(text: str, count: int) -> None:
    assert host.count_cpus(text) == count


class TestHostFiles:
    def test_btf_that_cannot_be_mapped_is_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*arguments: object) -> None:
            raise OSError(errno.ENODEV, "No such device")

        content = bytes(range(256)) * 100
        (tmp_path / "vmlinux").write_bytes(content)
        monkeypatch.setattr(host, "_BTF", str(tmp_path))
        facts = host.HostFacts()
        assert facts.btf("missing") is None
        mapped = facts.btf("vmlinux")
        monkeypatch.setattr(host.mmap, "mmap", refuse)
        read = facts.btf("vmlinux")
        assert mapped is not None and mapped[:] == content
        assert isinstance(read, bytearray) and read == content

    def test_symbols(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        lines = [f"0000000000000000 t symbol{n}\n" for n in range(9000)]
        lines.append("0000000000000000 t in_module\t[xfs]\n")
        lines.append("0000000000000000 t last.isra.0\n")
        (tmp_path / "kallsyms").write_text("".join(lines))
        path = str(tmp_path / "kallsyms")
        monkeypatch.setattr(host, "_kallsyms", lambda: whole_lines(path))
        wanted = {f"symbol{n}" for n in range(9000)} | {"in_module", "last.isra.0"}
        facts = host.HostFacts()
        assert facts.symbols(wanted) == wanted
        assert facts.symbols({"symbol", "ymbol1", "xfs", "last", "last.isra"}) == set()

    def test_tracefs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        roots = (str(tmp_path / "none"), str(tmp_path / "tracing"))
        monkeypatch.setattr(host, "_TRACEFS", roots)
        facts = host.HostFacts()
        problem = facts.tracefs_problem()
        assert isinstance(problem, TargetError)
        assert "not mounted" in str(problem)
        assert facts.event_format("a", "b") is None

        event = tmp_path / "tracing" / "events" / "a" / "b"
        event.mkdir(parents=True)
        (event / "format").write_text(FORMAT)
        assert facts.tracefs_problem() is None
        assert facts.event_format("a", "b") == FORMAT

    def test_tracefs_for_root_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(path: str) -> None:
            raise PermissionError(errno.EACCES, "Permission denied", path)

        monkeypatch.setattr(host.os, "scandir", refuse)
        problem = host.HostFacts().tracefs_problem()
        assert isinstance(problem, NotPermitted)
        assert "no permission" in str(problem)
