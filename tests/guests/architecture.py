"""What the architecture of a guest decides: the emulator, its ports, the compilers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """An architecture that guests may have.

    `machine` are arguments for the emulator `qemu`; they connect its character devices
    console, output and report to serial ports that the guest calls like the fields of
    these names. `kernel_arguments` are for the guest's kernel. `compiler` makes
    workloads, `compiler_32` those of the 32-bit system call interface, `compiler_musl`
    those with the C library musl; they are the host's, or those of the packages
    `toolchain`. `packages` are what the host needs.
    """

    debian: str
    qemu: str
    machine: tuple[str, ...]
    console: str
    output: str
    report: str
    kernel_arguments: str
    compiler: tuple[str, ...]
    compiler_32: tuple[str, ...]
    compiler_musl: tuple[str, ...]
    toolchain: tuple[str, ...]
    packages: tuple[str, ...]
    slowness: int = 1


AMD64 = Architecture(
    debian="amd64",
    qemu="qemu-system-x86_64",
    machine=(
        # After cmpxchg16b, QEMU 7.2's emulation may take RFLAGS from another register,
        # and kernels whose allocator uses it (6.12) die at random while they boot.
        # Five-level page tables and the guard of user pages take a tenth of the time.
        # What makes copies of bytes fast on a real CPU makes them slow here.
        *("-cpu", "max,-cx16,-la57,-smap,-smep,-erms"),
        *("-serial", "chardev:console"),
        *("-serial", "chardev:output"),
        *("-serial", "chardev:report"),
    ),
    console="ttyS0",
    output="ttyS1",
    report="ttyS2",
    # When the host is busy, the kernel would distrust the time stamp counter and read
    # clocks that are slow to emulate, or find that the timer does not tick, and panic.
    # Nothing speculates here, but jumps that guard against it take a tenth of the time.
    kernel_arguments="tsc=reliable no_timer_check spectre_v2=off",
    compiler=("gcc",),
    compiler_32=("gcc", "-m32"),
    compiler_musl=("musl-gcc",),
    toolchain=(),
    packages=("qemu-system-x86",),
)

_HEADERS = ("-idirafter", "/usr/include/x86_64-linux-gnu")

ARM64 = Architecture(
    debian="arm64",
    qemu="qemu-system-aarch64",
    machine=(
        # Of the CPUs with 32-bit user programs, the newest that does not sign pointers,
        # which takes long to emulate.
        *("-machine", "virt", "-cpu", "neoverse-n1"),
        *("-serial", "chardev:console"),
        *("-device", "pci-serial,chardev=output"),
        *("-device", "pci-serial,chardev=report"),
    ),
    console="ttyAMA0",
    output="ttyS0",
    report="ttyS1",
    kernel_arguments="",
    # sys/sdt.h, the same for all, is where the compiler's own architecture has headers.
    compiler=("aarch64-linux-gnu-gcc", *_HEADERS),
    compiler_32=("arm-linux-gnueabihf-gcc", *_HEADERS),
    compiler_musl=(),
    toolchain=(
        *("gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"),
        *("gcc-arm-linux-gnueabihf", "libc6-dev-armhf-cross", "systemtap-sdt-dev"),
    ),
    # The latter two are for the maintainer scripts of the root's packages.
    packages=("qemu-system-arm", "qemu-user-static", "arch-test"),
    slowness=2,
)
