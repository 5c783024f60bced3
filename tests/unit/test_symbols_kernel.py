"""Addresses of the kernel, by a made up /proc/kallsyms."""

from __future__ import annotations

from pathlib import Path

from skep.symbols.kernel import KernelSymbols
from skep.symbols.symbol import Symbol

BASE = 0xFFFFFFFF81000000
MODULE = 0xFFFFFFFFC0000000


def kernel(path: Path, lines: str, modules: str = "") -> KernelSymbols:
    (path / "kallsyms").write_text(lines)
    (path / "modules").write_text(modules)
    return KernelSymbols(str(path / "kallsyms"), str(path / "modules"))


def lines(*symbols: tuple[int, str, str]) -> str:
    return "".join(f"{address:016x} {kind} {name}\n" for address, kind, name in symbols)


LINES = lines(
    (0, "A", "fixed_percpu_data"),
    (BASE, "T", "_stext"),
    (BASE, "T", "startup_64"),
    (BASE + 0x100, "t", "helper"),
    (BASE + 0x200, "T", "_etext"),
    (BASE + 0x300, "D", "data"),
    (MODULE + 0x40, "t", "xfs_b\t[xfs]"),
    (MODULE, "t", "xfs_a\t[xfs]"),
    (MODULE + 0x9000, "t", "bpf_prog_1\t[bpf]"),
)


def test_functions_of_kernel_and_modules(tmp_path: Path) -> None:
    modules = f"xfs 256 1 - Live 0x{MODULE:x} (E)\n"
    symbols = kernel(tmp_path, LINES, modules)
    assert symbols.lookup(BASE + 5) == Symbol("_stext", 5, "kernel")
    assert symbols.lookup(BASE + 0x1FF) == Symbol("helper", 0xFF, "kernel")
    assert symbols.lookup(MODULE + 0x3F) == Symbol("xfs_a", 0x3F, "xfs")
    assert symbols.lookup(MODULE + 0x41) == Symbol("xfs_b", 1, "xfs")
    assert symbols.lookup(MODULE + 0x9001) == Symbol("bpf_prog_1", 1, "bpf")
    assert symbols.problem == ""


def test_marks_of_arm64_are_no_functions(tmp_path: Path) -> None:
    marks = lines(
        (MODULE, "t", "$x\t[xfs]"),
        (MODULE, "t", "xfs_a\t[xfs]"),
        (MODULE + 0x20, "t", "$d\t[xfs]"),
        (MODULE + 0x24, "t", "$x\t[xfs]"),
        (MODULE + 0x40, "t", "$x.1\t[xfs]"),
        (MODULE + 0x48, "t", "xfs_b\t[xfs]"),
    )
    symbols = kernel(tmp_path, marks)
    assert symbols.lookup(MODULE) == Symbol("xfs_a", 0, "xfs")
    assert symbols.lookup(MODULE + 0x24) == Symbol("xfs_a", 0x24, "xfs")
    assert symbols.lookup(MODULE + 0x47) == Symbol("xfs_a", 0x47, "xfs")
    assert symbols.lookup(MODULE + 0x48) == Symbol("xfs_b", 0, "xfs")
    only_marks = kernel(tmp_path, lines((MODULE, "t", "$x\t[xfs]")))
    assert only_marks.lookup(MODULE) == Symbol(None, MODULE)


def test_what_is_no_function_is_unknown(tmp_path: Path) -> None:
    symbols = kernel(tmp_path, LINES, f"xfs 256 1 - Live 0x{MODULE:x}\n")
    places = (0, 5, BASE - 1, BASE + 0x200, BASE + 0x301, MODULE + 0x100, 2**64 - 1)
    for place in places:
        assert symbols.lookup(place) == Symbol(None, place)


def test_why_nothing_is_known(tmp_path: Path) -> None:
    hidden = kernel(tmp_path, lines((0, "T", "_stext"), (0, "t", "helper")))
    assert hidden.lookup(BASE) == Symbol(None, BASE)
    assert "kernel.kptr_restrict" in hidden.problem
    missing = KernelSymbols(str(tmp_path / "none"))
    assert missing.lookup(BASE) == Symbol(None, BASE)
    assert "No such file" in missing.problem


def test_what_is_loaded_later(tmp_path: Path) -> None:
    symbols = kernel(tmp_path, LINES)
    assert symbols.lookup(BASE + 0x100).name == "helper"
    kernel(tmp_path, lines((BASE + 0x100, "t", "other")))
    assert symbols.lookup(BASE + 0x100).name == "helper"
    symbols.refresh()
    assert symbols.lookup(BASE + 0x100).name == "other"


def test_modules_that_are_loaded_later(tmp_path: Path) -> None:
    modules = f"xfs 256 1 - Live 0x{MODULE:x} (E)\n"
    symbols = kernel(tmp_path, LINES, modules)
    late, later = MODULE + 0x5000, MODULE + 0xA000
    assert symbols.lookup(late + 7).name is None
    more = lines((late, "t", "nfs_a\t[nfs]"), (later, "t", "ext4_a\t[ext4]"))
    (tmp_path / "kallsyms").write_text(LINES + more)
    modules += f"nfs 256 1 - Live 0x{late:x} (E)\next4 256 1 - Live 0x{later:x} (E)\n"
    # The address is in reach of a BPF program that was there before.
    assert symbols.lookup(later + 1) == Symbol("bpf_prog_1", 0x1001, "bpf")
    (tmp_path / "modules").write_text(modules)
    assert symbols.lookup(later + 2) == Symbol("ext4_a", 2, "ext4")
    assert symbols.lookup(late + 7) == Symbol("nfs_a", 7, "nfs")
    # Who may not see addresses any more keeps what was read.
    (tmp_path / "modules").write_text("xfs 256 1 - Live 0x0000000000000000 (E)\n")
    (tmp_path / "kallsyms").write_text(lines((0, "t", "nothing")))
    assert symbols.lookup(MODULE + 0xF00000).name is None
    assert symbols.lookup(late + 8) == Symbol("nfs_a", 8, "nfs")
