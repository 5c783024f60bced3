"""trace at functions of the kernel, where the kernel lets functions be traced."""

from __future__ import annotations

import os
import platform
import re
import socket
import tempfile
import unittest
from pathlib import Path

from tests.live import filesystems
from tests.live.support import ARM64, Paused, Tool, only_on
from tests.live.test_functions import HAS_KPROBES
from tests.live.trace_rows import COUNT, TraceTest, row_of

SMALL, LARGE = 1009, 5003

# On the way to a system call: arch/x86/entry/common.c, arch/arm64/kernel/syscall.c.
SYSCALL = {"x86_64": "do_syscall_64", "aarch64": "do_el0_svc"}[platform.machine()]


class FunctionTest(TraceTest):
    def setUp(self) -> None:
        if not HAS_KPROBES:
            self.skipTest("this kernel was built without kprobes")
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.name = "prime-file"
        self.path = os.path.join(directory.name, self.name)
        Path(self.path).write_bytes(bytes(LARGE))

    def read(self) -> None:
        """Reads COUNT times by turns little and much, and fails COUNT times."""
        fd = os.open(self.path, os.O_RDONLY)
        for number in range(COUNT):
            os.pread(fd, LARGE if number % 2 else SMALL, 0)
        os.close(fd)


class Entries(FunctionTest):
    def test_the_example_of_the_manual(self) -> None:
        text = (
            'vfs_read (count > 4096) "read %d bytes of %s", count,'
            " file->f_path.dentry->d_name.name"
        )
        rows = self.rows(text, run=self.read)
        self.assertEqual(
            [row.message for row in rows],
            [f"read {LARGE} bytes of {self.name}"] * (COUNT // 2),
        )
        self.assertEqual({row.function for row in rows}, {"vfs_read"})

    @only_on("5.10", "6.12", ARM64)
    def test_forms(self) -> None:
        for text in (
            'p::vfs_read (arg3 == 1009) "%lu", arg3',
            ':vfs_read (count == 1009) "%lu", count',
            'vfs_read(struct file *f, char *b, size_t n) (n == 1009) "%lu", n',
        ):
            with self.subTest(text=text):
                shown = self.messages(text, run=self.read)
                self.assertEqual(shown, [str(SMALL)] * (COUNT - COUNT // 2))

    def test_members_enumerators_and_masks(self) -> None:
        text = (
            "vfs_read (count == 5003 && !(file->f_flags & O_WRONLY) && file->f_mode"
            ' & FMODE_READ) "%lld %d %s", file->f_inode->i_size, *pos != 0,'
            " file->f_inode->i_sb->s_type->name"
        )
        shown = self.messages(text, run=self.read)
        self.assertEqual(len(shown), COUNT // 2)
        self.assertRegex(shown[0], rf"^{LARGE} 0 \w+$")

    def test_text_of_the_caller(self) -> None:
        def run() -> None:
            for _ in range(COUNT):
                fd = os.open("/dev/null", os.O_WRONLY)
                os.write(fd, b"prime text\0")
                os.close(fd)

        for text in (
            'vfs_write (STRCMP("prime", buf@user)) "%s", buf@user',
            'vfs_write (STRCMP("prime", arg2@user)) "%s", arg2@user',
            'vfs_write (STRCMP("prime", (char __user *)arg2)) "%s", arg2@user',
        ):
            with self.subTest(text=text):
                shown = self.messages(text, run=run)
                self.assertEqual(shown, ["prime text"] * COUNT)

    def test_an_offset(self) -> None:
        # An offset of zero is an instruction in every build.
        shown = self.messages('vfs_read+0x0 "x"', run=self.read)
        self.assertEqual(shown, ["x"] * COUNT)

    @only_on("5.10", "7.2")
    def test_an_offset_within_an_instruction_or_behind_the_end(self) -> None:
        for offset in ("+0xfffff0", "+99999999"):
            message = self.assert_fails(1, "trace", f"vfs_read{offset}")
            self.assertNotIn("Traceback", message)

    def test_words(self) -> None:
        rows = self.rows(
            'vfs_read (count == 5003) "%d %s", $tgid, $task->comm', run=self.read
        )
        self.assertEqual(
            [row.message for row in rows], [f"{row.pid} {row.comm}" for row in rows]
        )
        self.assertEqual(len(rows), COUNT // 2)

    def test_two_probes_on_one_function(self) -> None:
        rows = self.rows(
            'vfs_read (count == 1009) "little"',
            'vfs_read (count == 5003) "much"',
            run=self.read,
        )
        self.assertEqual(
            [row.message for row in rows],
            [("much" if n % 2 else "little") for n in range(COUNT)],
        )

    @only_on("6.1", "7.2")
    def test_kernel_symbols(self) -> None:
        text = 'vfs_read (count == 1009) "%K", file->f_op'
        rows = self.messages(text, run=self.read)
        self.assertEqual(len(rows), COUNT - COUNT // 2)

    def test_stacks(self) -> None:
        _, outcome = self.trace("-K", 'vfs_read (count == 1009) "x"', run=self.read)
        self.assertEqual(outcome.status, 0, outcome.stderr)
        body = "\n".join(outcome.lines()[1:]).rstrip("\n")
        blocks = [block.split("\n") for block in body.split("\n\n")]
        self.assertEqual(len(blocks), COUNT - COUNT // 2)
        for row, *frames in blocks:
            self.assertEqual(row_of(row).message, "x")
            functions = [re.sub(r"\+.*", "", frame.strip()) for frame in frames]
            self.assertIn(SYSCALL, functions)


class Returns(FunctionTest):
    def test_returns(self) -> None:
        for text in (
            'r::vfs_read "%ld", retval',
            'r::vfs_read "%ld", (long)ret',
        ):
            with self.subTest(text=text):
                shown = self.messages(text, run=self.read)
                expected = [str(LARGE if n % 2 else SMALL) for n in range(COUNT)]
                self.assertEqual(shown, expected)

    def test_returns_with_arguments(self) -> None:
        text = 'r::vfs_read (retval == count && count > 4096) "%ld of %s", retval,'
        text += " file->f_path.dentry->d_name.name"
        shown = self.messages(text, run=self.read)
        self.assertEqual(shown, [f"{LARGE} of {self.name}"] * (COUNT // 2))


class Modules(TraceTest):
    @unittest.skipUnless(HAS_KPROBES, "this kernel was built without kprobes")
    def test_a_function_of_a_module(self) -> None:
        with filesystems.mounted("xfs") as directory:
            path = os.path.join(directory, "prime")
            with open(path, "wb") as file:
                file.write(bytes(SMALL))

            def run() -> None:
                fd = os.open(path, os.O_RDONLY)
                for _ in range(COUNT):
                    os.pread(fd, SMALL, 0)

            text = "xfs_file_read_iter(struct kiocb *iocb, struct iov_iter *to)"
            text += (
                ' "%s %lld", iocb->ki_filp->f_path.dentry->d_name.name, iocb->ki_pos'
            )
            shown = self.messages(text, run=run)
            self.assertEqual(shown, ["prime 0"] * COUNT)
            shown = self.messages('r::xfs_file_read_iter "%ld", retval', run=run)
            self.assertEqual(shown, [str(SMALL)] * COUNT)
            child = Paused(run)
            with Tool("funccount", "-v", "--json", "xfs_file_read_it*") as tool:
                child.proceed()
                rows = tool.stop().objects("table")
            found = [(row["func"], row["count"]) for row in rows]
            self.assertEqual(found, [("xfs_file_read_iter", COUNT)])


class Sockets(TraceTest):
    @unittest.skipUnless(HAS_KPROBES, "this kernel was built without kprobes")
    def test_casts(self) -> None:
        server = socket.create_server(("127.0.0.1", 0))
        port = server.getsockname()[1]

        def run() -> None:
            for _ in range(COUNT):
                socket.create_connection(("127.0.0.1", port)).close()

        text = (
            'r::tcp_v4_connect(struct sock *sk) "%d %d %d", retval,'
            " ntohs(((struct sock *)arg1)->__sk_common.skc_dport),"
            " sk->__sk_common.skc_family == AF_INET"
        )
        child = Paused(run)
        with Tool("trace", "-p", str(child.pid), text) as tool:
            child.proceed()
            outcome = tool.stop()
        server.close()
        self.assert_clean(outcome)
        shown = [row_of(line).message for line in outcome.lines()[1:]]
        self.assertEqual(shown, [f"0 {port} 1"] * COUNT)
