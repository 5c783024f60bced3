"""`skep --host`: tools on several hosts at a time, which are sshds on this one."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest
from collections.abc import Iterable
from pathlib import Path

from tests.live import support
from tests.live.bpf_objects import existing_objects
from tests.live.ssh_server import SSHD, SshServer
from tests.live.support import SKEP, Tool

CACHE = Path("/root/.cache/skep")

# As distributions have it: sudo then runs commands on a terminal of its own.
SUDOERS = "Defaults use_pty\nroot ALL=(ALL:ALL) ALL\n"

# A user of its own, and what sudo lets it do, in a mount namespace.
AS_USER = """
for name in passwd shadow sudoers; do mount --bind "$0/$name" "/etc/$name" || exit; done
exec "$@"
"""


class HostTest(support.LiveTest):
    """Has sshds that end with the test, and an ssh that knows them."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        if SSHD is None or shutil.which("ssh") is None:
            raise unittest.SkipTest("no ssh, or no sshd")

    def setUp(self) -> None:
        found = tempfile.TemporaryDirectory()
        self.addCleanup(found.cleanup)
        self.directory = Path(found.name)
        self.config = self.directory / "config"

    def serve(self, *servers: SshServer) -> None:
        """Starts sshds, which end with the test."""
        for server in servers:
            server.__enter__()
            self.addCleanup(server.__exit__, None, None, None)
        self.configure(server.client_config for server in servers)

    def configure(self, hosts: Iterable[str]) -> None:
        self.config.write_text("".join(hosts))

    def options(self, hosts: str, *more: str) -> tuple[str, ...]:
        return ("--ssh", f"ssh -F {self.config}", "--host", hosts, *more)

    def run_on(self, hosts: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            (SKEP, *self.options(hosts), *words),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=support.START_SECONDS,
        )

    def traced(self, hosts: str, *words: str) -> Tool:
        """A tool that shows executions; hosts have attached when each has shown one."""
        return Tool(*self.options(hosts), *words, knock=execute)

    def wait_for_hosts(self, tool: Tool, *labels: str) -> None:
        def all_show(output: bytes) -> bool:
            return all(label.encode() in output for label in labels)

        tool.wait_for(all_show)

    def counting(self, hosts: str, *words: str) -> Tool:
        """A tool that counts, attached on all hosts when it runs."""
        tool = Tool(*self.options(hosts), *words, "-v", knock=lambda: None)
        missing = [f"{host}: ".encode() for host in hosts.split(",")]
        tool.is_attached = lambda: all(each in tool.errors() for each in missing)
        return tool

    def server_of_user(self, name: str, sudoers: str, settings: str = "") -> SshServer:
        """An sshd for which there is a user `visitor`."""
        place = self.directory / name
        place.mkdir()
        line = "visitor:x:61234:61234::/:/bin/sh\n"
        (place / "passwd").write_text(Path("/etc/passwd").read_text() + line)
        shadow = Path("/etc/shadow").read_text() + "visitor:*:19000:0:99999:7:::\n"
        (place / "shadow").write_text(shadow)
        (place / "sudoers").write_text(sudoers)
        (place / "sudoers").chmod(0o440)
        prefix = ("unshare", "-m", "sh", "-c", AS_USER, str(place))
        return SshServer(name, "visitor", settings, prefix)


@support.only_on("5.10")  # the one guest that has ssh
class OnHosts(HostTest):
    def test_rows_say_where_they_are_from(self) -> None:
        self.serve(SshServer("web1"), SshServer("database2"))
        with self.traced("web1,database2", "execsnoop") as tool:
            self.wait_for_hosts(tool, "web1 ", "database2 ")
            for number in range(7):
                execute("numbered", str(number))
            tool.wait_for(lambda output: output.count(b"numbered 6") == 2)
            outcome = tool.stop()
        self.assert_clean(outcome)
        header, *rows = outcome.lines()
        self.assertEqual(header.split()[:3], ["HOST", "COMM", "PID"])
        for label in ("web1", "database2"):
            shown = [
                row.rpartition(" ")[2]
                for row in rows
                if row.startswith(f"{label:<9} ") and "numbered" in row
            ]
            self.assertEqual(shown, [str(number) for number in range(7)])

    @unittest.skipIf(shutil.which("sudo") is None, "no sudo")
    def test_sudo(self) -> None:
        rule = f"{SUDOERS}visitor ALL=(root) NOPASSWD: ALL\n"
        server = self.server_of_user("allowed", rule)
        self.serve(server)
        with self.traced("allowed", "execsnoop") as tool:
            self.wait_for_hosts(tool, "allowed ")
            outcome = tool.stop()
        self.assert_clean(outcome)
        # Nor does sudo keep the tool when the connection breaks.
        before = existing_objects()
        with self.traced("allowed", "execsnoop") as tool:
            self.wait_for_hosts(tool, "allowed ")
            held = existing_objects() - before
            self.assertTrue(held)
            for process in server.processes:
                os.kill(process, signal.SIGKILL)
            self.assertEqual(tool.wait().status, 1)
        self.assert_freed(held)


@support.only_on()  # what comes from hosts is merged in the same way anywhere
class Merged(HostTest):
    def test_json_and_csv(self) -> None:
        self.serve(SshServer("web1"), SshServer("web2"))
        done = self.run_on("web1,web2", "opensnoop", "--json", "--exec", "cat", "/nope")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        failed = [each["on_host"] for each in lines if each.get("path") == "/nope"]
        self.assertEqual(sorted(failed), ["web1", "web2"])
        losses = [each["on_host"] for each in lines if each["type"] == "loss"]
        self.assertEqual(sorted(losses), ["web1", "web2"])
        # What the command says comes from there, too.
        self.assertIn("web2: cat: /nope: No such file or directory\n", done.stderr)
        words = ("--format", "csv", "--columns", "path,err", "--sort", "path")
        done = self.run_on(
            "web1,web2", "opensnoop", *words, "-x", "--exec", "cat", "/nope", "/a,b"
        )
        header, *rows = done.stdout.splitlines()
        self.assertEqual(header, "HOST,PATH,ERR")
        self.assertEqual(rows[:2], ['web1,"/a,b",2', 'web2,"/a,b",2'])
        self.assertEqual(rows, sorted(rows, key=lambda row: row.partition(",")[2]))

    def test_a_command_has_the_zone_of_there(self) -> None:
        self.serve(SshServer("web1"))
        command = ("--exec", "sh", "-c", 'echo "zone: $TZ."')
        done = self.run_on("web1", "opensnoop", *command)
        self.assertEqual((done.returncode, done.stderr), (0, "web1: zone: .\n"))

    def test_a_column_of_the_same_name(self) -> None:
        self.serve(SshServer("web1"))
        with Tool(
            *self.options("web1", "gethostlatency"),
            knock=lambda: subprocess.check_output(("getent", "ahosts", "localhost")),
        ) as tool:
            tool.wait_for(lambda output: b"localhost" in output)
            header = tool.stop().lines()[0]
        self.assertEqual(re.findall(r"\S*HOST", header), ["ON_HOST", "HOST"])

    def test_sums_are_exact(self) -> None:
        self.serve(SshServer("web1"), SshServer("web2"))
        for words, expected in SUMS.items():
            with self.subTest(words=words):
                with self.counting("web1,web2", *words) as tool:
                    call_getpgid(997)
                    outcome = tool.stop()
                self.assertEqual(outcome.status, 0, outcome.stderr)
                self.assertRegex(outcome.stdout.decode(), expected)

    def test_a_late_report_is_in_the_next(self) -> None:
        slow = SshServer("slow")
        self.serve(SshServer("quick"), slow)
        words = ("funccount", "c:getpgid", "-i", "1", "--json")
        with self.counting("quick,slow", *words) as tool:
            call_getpgid(499)
            for process in slow.processes:
                os.kill(process, signal.SIGSTOP)
            tool.wait_for(lambda output: b"slow: skep: its report is" in tool.errors())
            call_getpgid(101)
            for process in slow.processes:
                os.kill(process, signal.SIGCONT)
            outcome = tool.stop()
        self.assertEqual(outcome.status, 0, outcome.stderr)
        counts = [each["count"] for each in outcome.objects("table")]
        self.assertEqual(sum(counts), 1200)

    def test_enough_rows(self) -> None:
        self.serve(SshServer("web1"), SshServer("web2"))
        with self.traced("web1,web2", "execsnoop", "--limit", "3") as tool:
            tool.wait_for(lambda output: output.count(b"\n") > 3)
            outcome = tool.wait()
        self.assert_clean(outcome)
        self.assertEqual(len(outcome.lines()), 4)

    def test_hosts_that_fail_do_not_stop_others(self) -> None:
        healthy, dying = SshServer("healthy"), SshServer("dying")
        (self.directory / "id").symlink_to(shutil.which("id") or "")
        path = f"SetEnv PATH={self.directory}"
        bare = self.server_of_user("bare", SUDOERS, path)
        self.serve(healthy, dying, bare)
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        port = silent.getsockname()[1]
        closed = f"Host closed\nHostName 127.0.0.1\nPort {free_port()}\n"
        slow = f"Host slow\nHostName 127.0.0.1\nPort {port}\n"
        servers = (healthy, dying, bare)
        self.configure([closed, slow, *(each.client_config for each in servers)])
        names = "healthy,dying,bare,closed,slow"
        with self.traced(names, "execsnoop") as tool:
            self.wait_for_hosts(tool, "healthy ", "dying ")
            for process in dying.processes:
                os.kill(process, signal.SIGKILL)
            support.wait_until(lambda: b"dying: skep:" in tool.errors())
            execute("afterwards")
            tool.wait_for(lambda output: b"afterwards" in output)
            outcome = tool.stop()
        said = outcome.stderr.decode()
        self.assertEqual(outcome.status, 1, said)
        self.assertIn("dying: skep: the connection broke", said)
        self.assertIn("bare: skep: there is no python3\n", said)
        self.assertIn("bare:   hint: skep needs Python 3.9", said)
        self.assertRegex(said, "closed: ssh: .* Connection refused")
        self.assertIn("skep: 3 of 5 hosts failed: dying, bare, closed\n", said)
        self.assertNotIn("does not end", said)  # nobody was waited for to the last

    def test_the_cache(self) -> None:
        self.serve(SshServer("web1"))
        kept = CACHE / "remote"
        before = entries(kept)
        words = ("tplist", "sched:sched_process_exit")
        done = self.run_on("web1", "tplist", "sched:sched_process_exit")
        self.assertEqual(done.stdout, "web1 sched:sched_process_exit\n", done.stderr)
        new = entries(kept) - before
        path = max(kept.iterdir(), key=lambda path: path.stat().st_mtime)
        self.assertLessEqual(len(new), 1)
        self.assertEqual(kept.stat().st_mode & 0o777, 0o700)
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        whole = path.read_bytes()
        # What is damaged there is not run.
        path.write_bytes(whole[:-1] + b"x")
        self.assertEqual(self.run_on("web1", *words).stdout, done.stdout)
        self.assertEqual(path.read_bytes(), whole)
        path.unlink()
        before, bytecode = entries(kept), entries(CACHE)
        again = subprocess.run(
            (SKEP, *self.options("web1", "--no-cache"), *words), capture_output=True
        )
        self.assertEqual(again.stdout.decode(), done.stdout, again.stderr)
        self.assertEqual(entries(kept), before)
        self.assertEqual(entries(CACHE), bytecode)

    @unittest.skipIf(shutil.which("sudo") is None, "no sudo")
    def test_sudo_that_asks(self) -> None:
        asking = f"{SUDOERS}visitor ALL=(root) ALL\n"
        wanting = f"{SUDOERS}Defaults requiretty\nvisitor ALL=(root) NOPASSWD: ALL\n"
        self.serve(
            self.server_of_user("asking", asking),
            self.server_of_user("wanting", wanting),
        )
        done = self.run_on("asking,wanting", "execsnoop")
        self.assertEqual(done.returncode, 1)
        for line in (
            "asking: sudo: a password is required",
            "asking:   hint: let sudo do without one there (NOPASSWD), or be root",
            "wanting: sudo: sorry, you must have a tty to run sudo",
            "wanting:   hint: let sudo do without one there (!requiretty), or be root",
        ):
            self.assertIn(f"{line}\n", done.stderr)


# Two hosts, which are one machine, count each call twice.
SUMS: dict[tuple[str, ...], str] = {
    ("funccount", "c:getpgid"): r"FUNC +COUNT\ngetpgid +1994\nDetaching",
    (
        "funclatency",
        "c:getpgid",
    ): r"Function = getpgid \[\d+\][^=]*avg .* count: 1994\n",
    ("argdist", "-c", "-C", "p:c:getpgid(int x):int:x"): r"\t1994 +x = 0\n$",
    ("stackcount", "c:getpgid", "-f"): r"(?m)^;.*__getpgid 1994$",
}


def call_getpgid(number: int) -> None:
    """Calls it so often in another process."""
    script = "import ctypes; c = ctypes.CDLL(None); [c.getpgid(0) for _ in range({})]"
    subprocess.run(("python3", "-c", script.format(number)), check=True)


def execute(*words: str) -> None:
    subprocess.run(("true", *words), check=True)


def entries(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()} if directory.is_dir() else set()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
