"""What the other live tests rely on, here and in the guests."""

import os
import platform
import socket
import stat
import struct
import subprocess
import sys
import unittest
from pathlib import Path


class Machine(unittest.TestCase):
    def test_python_is_supported(self):
        self.assertGreaterEqual(sys.version_info, (3, 9))

    def test_kernel_has_btf(self):
        with open("/sys/kernel/btf/vmlinux", "rb") as btf:
            magic, version = struct.unpack("=HB", btf.read(3))
        self.assertEqual((magic, version), (0xEB9F, 1))

    def test_loopback_is_up(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = server.getsockname()
            socket.create_connection(address, timeout=10).close()

    def test_workloads_run(self):
        programs = Path(os.environ["SKEP_WORKLOADS"])
        for name, size in (("pointer_size", 8), ("pointer_size_32", 4)):
            with self.subTest(program=name):
                output = subprocess.check_output([programs / name])
                self.assertEqual(int(output), size)


@unittest.skipUnless("SKEP_KERNEL" in os.environ, "runs in a guest only")
class Guest(unittest.TestCase):
    def test_kernel_is_the_expected_one(self):
        version, _, _ = os.environ["SKEP_KERNEL"].partition("-")
        release = platform.release()
        self.assertTrue(release.startswith(f"{version}."), release)

    def test_cpus(self):
        self.assertEqual(os.cpu_count(), 2)

    def test_scratch_disk(self):
        mode = os.stat(os.environ["SKEP_SCRATCH"]).st_mode
        self.assertTrue(stat.S_ISBLK(mode))

    def test_modules_load(self):
        for module in ("xfs", "btrfs", "nfs", "loop", "null_blk"):
            with self.subTest(module=module):
                subprocess.run(["modprobe", module], check=True)
                self.assertTrue(Path("/sys/module", module).is_dir())
