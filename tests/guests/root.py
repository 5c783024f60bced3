"""Builds and caches the root file systems and kernels of the guests.

mmdebstrap installs a minimal system of the kernel's own suite from the Debian
mirror that this host's apt uses, and apt checks the signatures. The result is
kept as a cpio archive that the kernel unpacks into memory: a guest then needs no
disk, no initramfs generator and no drivers to find its root.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from tests.guests import cache, cpio, foreign
from tests.guests.kernels import Kernel

# What the live tests may call, on any machine.
PACKAGES = (
    *("python3", "kmod", "iproute2", "mount", "util-linux", "procps", "sudo"),
    *("e2fsprogs", "xfsprogs", "btrfs-progs", "f2fs-tools", "dnsmasq-base", "musl"),
)

# What they call in guests only: it would start services on the developer's machine.
GUEST_PACKAGES = ("nfs-kernel-server", "nfs-common", "rpcbind")
_SSH_PACKAGES = ("openssh-client", "openssh-server")

# Of thousands of drivers, a guest needs those for no hardware.
_DRIVERS = "block char/hw_random md net virtio"

# The kernel of Debian's servers; that for virtual machines has no f2fs. It is unpacked,
# not installed: its maintainer scripts would only build an initramfs. Since 7.x the
# image and modules are in packages of their own.
_UNPACK_KERNEL = f"""
set -e
APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get install --yes --download-only \
    linux-image-ARCHITECTURE
for package in "$1"/var/cache/apt/archives/linux-[bim]*-[0-9]*-ARCHITECTURE_*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$1" --keep-directory-symlink
done
cd "$1"/lib/modules/*/kernel
mv drivers all
for directory in {_DRIVERS}; do
    mkdir -p drivers/"$(dirname $directory)"
    mv all/$directory drivers/"$(dirname $directory)"
done
rm -rf all sound
find drivers/net -mindepth 2 -delete
chroot "$1" depmod "$(ls "$1/lib/modules")"
"""

# The module is built while these are installed, for the kernel that the headers are of.
_ZFS_PACKAGES = ("zfs-dkms", "linux-headers-amd64", "zfsutils-linux")

_REMOVE_COMPILER = """
rm -rf "$1"/usr/src "$1"/usr/lib/gcc "$1"/usr/libexec/gcc "$1"/var/lib/dkms
"""

_ZFS_ARGUMENTS = (
    "--components=main,contrib",
    f"--customize-hook={_REMOVE_COMPILER}",
)

# bcc compiles with its own clang; of the headers' dependencies it needs no compiler.
_BCC_PACKAGES = ("bpfcc-tools", "linux-headers-amd64")

_REMOVE_GCC = """
rm -rf "$1"/usr/lib/gcc "$1"/usr/libexec/gcc
"""

_BCC_ARGUMENTS = (f"--customize-hook={_REMOVE_GCC}",)

# Debian's installer merges / into /usr from bullseye on; mmdebstrap does not.
_MERGE_USR = """
for directory in bin lib lib64 sbin; do
    mkdir -p "$1/usr/$directory"
    ln -s "usr/$directory" "$1/$directory"
done
"""

_APT_OPTIONS = (
    # Release files of archived suites have expired.
    '--aptopt=Acquire::Check-Valid-Until "false"',
    '--aptopt=Acquire::Languages "none"',
    '--aptopt=APT::Install-Recommends "false"',
    f"--setup-hook={_MERGE_USR}",
)


_VMLINUZ = re.compile(r"\./(boot/vmlinuz-.*|usr/lib/modules/[^/]*/vmlinuz)")
_LEFT_OUT = re.compile(r"\./(boot/(?!config)|(dev|proc|sys|var/(cache|lib)/apt)/.)")


@dataclass(frozen=True)
class Root:
    """The kernel image and the root archive of one guest."""

    kernel: Path
    archive: Path


def ensure(kernel: Kernel) -> Root:
    """Returns the root of a kernel, building it if the cache has none."""
    name = f"root-{kernel.name}-{_recipe(kernel)}"
    directory = cache.get(name, lambda path: _build(kernel, path))
    return Root(directory / "vmlinuz", directory / "root.cpio")


def _recipe(kernel: Kernel) -> str:
    """Returns a key that changes with whatever shapes the root."""
    recipe = (
        repr((kernel.suite, _APT_OPTIONS, _arguments(kernel)))
        + Path(cpio.__file__).read_text()
    )
    return hashlib.sha256(recipe.encode()).hexdigest()[:12]


def _arguments(kernel: Kernel) -> tuple[str, ...]:
    """What mmdebstrap is told of a kernel's root."""
    architecture = kernel.architecture.debian
    unpack_kernel = _UNPACK_KERNEL.replace("ARCHITECTURE", architecture)
    packages = PACKAGES + GUEST_PACKAGES + _ZFS_PACKAGES * kernel.has_zfs
    packages += _BCC_PACKAGES * kernel.has_bcc + _SSH_PACKAGES * kernel.has_ssh
    return (
        "--variant=essential",
        f"--architectures={architecture}",
        *(
            f"--dpkgopt=path-exclude=/usr/share/{name}/*"
            for name in ("doc", "man", "locale", "info")
        ),
        f"--include={','.join(packages)}",
        f"--customize-hook={unpack_kernel}",
        *(_ZFS_ARGUMENTS if kernel.has_zfs else ()),
        *(_BCC_ARGUMENTS if kernel.has_bcc else ()),
    )


def _build(kernel: Kernel, directory: Path) -> None:
    tar = directory / "root.tar"
    foreign.enable(kernel.architecture)
    mmdebstrap(*_arguments(kernel), kernel.suite, str(tar))
    _convert(tar, directory)
    tar.unlink()


def mmdebstrap(*arguments: str) -> None:
    """Makes a system from the Debian archive that this host's apt uses.

    The last arguments are its suite and where it is put. Raises RuntimeError with the
    end of the log.
    """
    done = subprocess.run(
        ("mmdebstrap", "--quiet", *_APT_OPTIONS, *arguments, mirror()),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-20:])
        raise RuntimeError(f"mmdebstrap failed for {arguments[-2]}:\n{tail}")


def mirror() -> str:
    """Returns the URI of the Debian archive that this host's apt uses."""
    lines = subprocess.run(
        ("apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)"),
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    for line in lines:
        label, _, uri = line.partition(" ")
        if label == "Debian":
            return uri
    raise RuntimeError("apt knows no Debian archive; run apt-get update first")


def _convert(tar_path: Path, directory: Path) -> None:
    """Splits a tar archive of a system into kernel image and root archive."""
    with tarfile.open(tar_path) as tar, open(directory / "root.cpio", "wb") as stream:
        writer = cpio.Writer(stream)
        for member in tar:
            if _VMLINUZ.fullmatch(member.name) and member.isreg():
                image = tar.extractfile(member)
                assert image is not None
                (directory / "vmlinuz").write_bytes(image.read())
            elif member.name != "./" and not _LEFT_OUT.match(member.name):
                writer.add_tar_member(tar, member)
        writer.close()
