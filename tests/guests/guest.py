"""Runs one command in a freshly booted guest."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from tests.guests import cache, cpio, root
from tests.guests.architecture import Architecture
from tests.guests.kernels import Kernel

TREE = Path(__file__).resolve().parents[2]

# Emulation works everywhere, also where this host is itself a virtual machine.
# QEMU's multi-threaded emulation (7.2) panics some guests after minutes.
_ACCELERATOR = os.environ.get("SKEP_GUEST_ACCEL", "tcg,thread=single")

# The CPUs take turns on one host thread; two of them still show whether
# something is done for each CPU or only for the first.
_CPUS = 2
_MEMORY = "2G"
_MEMORY_WITH_BCC = (
    "6G"  # LLVM and the headers lie in memory twice while they are unpacked
)
_SCRATCH_BYTES = 512 << 20
_OUTPUT_BYTES = 512 << 20

_NOT_IN_GUEST = frozenset(
    (".git", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache")
)


@dataclass
class Outcome:
    """What is left of a guest that has ended."""

    seconds: float
    console: str
    status: int | None = None  # exit status of the command; None if it has none
    report: list[dict[str, Any]] = field(default_factory=list)
    timed_out: bool = False

    def failure(self) -> str:
        """Returns why the command did not end, with the end of the console log."""
        how = "was stopped after" if self.timed_out else "died after"
        tail = "\n".join(self.console.splitlines()[-60:])
        return f"the guest {how} {self.seconds:.0f} s; its console:\n{tail}"


def run(
    kernel: Kernel,
    command: Sequence[str],
    *,
    stdout: int | BinaryIO | None = None,
    files: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    timeout: float = 600,
    out: Path | None = None,
    boot_options: str = "",
) -> Outcome:
    """Boots a kernel and runs a command as root in a copy of this tree.

    The tree and `files` are at the same absolute paths as on the host. The output
    of the command goes to `stdout`; what it leaves in /out is unpacked to `out`.
    `boot_options` are added to the kernel's command line.
    """
    image = root.ensure(kernel)
    with tempfile.TemporaryDirectory(dir=cache.directory(), prefix="boot-") as name:
        work = Path(name)
        with open(work / "initrd", "wb") as initrd:
            with open(image.archive, "rb") as archive:
                shutil.copyfileobj(archive, initrd)
            _write_job(initrd, command, (TREE, *files), environment or {})
        for disk, size in (("scratch", _SCRATCH_BYTES), ("out", _OUTPUT_BYTES)):
            with open(work / disk, "wb") as stream:
                stream.truncate(size)
        options = f"{_kernel_arguments(kernel.architecture)} {boot_options}"
        qemu = _qemu_command(kernel, image.kernel, work, options)
        outcome = _run_qemu(qemu, work, stdout, timeout)
        if out is not None and outcome.status is not None:
            with tarfile.open(work / "out") as tar:
                tar.extractall(out)
    return outcome


def _write_job(
    initrd: BinaryIO,
    command: Sequence[str],
    files: Sequence[Path],
    environment: Mapping[str, str],
) -> None:
    """Appends an archive with the command and its files to the root archive."""
    exports = [
        f"export {name}={shlex.quote(value)}" for name, value in environment.items()
    ]
    script = [*exports, f"cd {shlex.quote(str(TREE))}", f"exec {shlex.join(command)}"]
    writer = cpio.Writer(initrd)
    init = Path(__file__).with_name("init")
    writer.add("init", 0o100755, init.read_bytes())
    writer.add("job", 0o100644, "\n".join(script).encode())
    # The kernel opens it for the first process, before /dev is mounted.
    writer.add("dev/console", 0o020600, device=(5, 1))
    for path in files:
        writer.add_tree(path, ignore=_NOT_IN_GUEST)
    writer.close()


def _kernel_arguments(machine: Architecture) -> str:
    """What the kernel is told; it hands on to /init what is in capital letters."""
    ports = f"OUTPUT=/dev/{machine.output} REPORT=/dev/{machine.report}"
    fixed = f"console={machine.console} panic=-1 rdinit=/init {ports}"
    return f"{fixed} {machine.kernel_arguments}"


def _qemu_command(kernel: Kernel, image: Path, work: Path, options: str) -> list[str]:
    machine = kernel.architecture
    memory = _MEMORY_WITH_BCC if kernel.has_bcc else _MEMORY
    drives = (
        argument
        for disk in ("scratch", "out")
        for argument in ("-drive", f"file={work / disk},if=virtio,format=raw")
    )
    return [
        *("setpriv", "--pdeathsig", "TERM"),  # end with this process in any case
        *(machine.qemu, "-nodefaults", "-no-user-config", "-display", "none"),
        *("-chardev", f"file,id=console,path={work / 'console'}"),
        *("-chardev", "stdio,id=output,signal=off"),
        *("-chardev", f"file,id=report,path={work / 'report'}"),
        *("-accel", _ACCELERATOR, *machine.machine),
        *("-smp", str(_CPUS), "-m", memory, "-no-reboot"),
        *("-kernel", str(image), "-initrd", str(work / "initrd")),
        *("-append", options),
        *drives,
    ]


def _run_qemu(
    command: Sequence[str],
    work: Path,
    stdout: int | BinaryIO | None,
    timeout: float,
) -> Outcome:
    start = time.monotonic()
    timed_out = False
    try:
        subprocess.run(
            command,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        timed_out = True
    outcome = Outcome(
        seconds=time.monotonic() - start,
        console=(work / "console").read_text(errors="replace"),
        timed_out=timed_out,
    )
    # A guest may die while it writes a line.
    whole_lines, _, _ = (work / "report").read_text().rpartition("\n")
    for line in whole_lines.splitlines():
        entry = json.loads(line)
        if "exit" in entry:
            outcome.status = entry["exit"]
        else:
            outcome.report.append(entry)
    return outcome
