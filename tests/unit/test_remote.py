"""Runs on other hosts: the command line, what comes back, and who is not believed."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

import pytest

from skep import cli
from skep.errors import UsageError
from skep.output.writer import Writer
from skep.remote import archive, hosts
from skep.remote.hosts import Host
from skep.remote.merging import Merged
from skep.remote.wire import NotWire, frame

TREE = Path(__file__).resolve().parents[2]
WEB = Host("web", "root@web")
LONG = Host("database", "database")


def test_the_command_line() -> None:
    words = ["--host", "root@a,b", "--no-cache", "--host=c", "--ssh", "ssh -F 'x y'"]
    command = hosts.parse([*words, "opensnoop", "--host", "-x"])
    assert [host.label for host in command.hosts] == ["a", "b", "c"]
    assert command.hosts[0].destination == "root@a"
    assert command.ssh == ["ssh", "-F", "x y"]
    assert not command.keeps
    assert command.words == ["opensnoop", "--host", "-x"]
    assert hosts.parse(["--host", "a", "opensnoop"]).keeps


def test_names_that_would_be_the_same_stay_whole() -> None:
    command = hosts.parse(["--host", "ann@a,bob@a", "opensnoop"])
    assert [host.label for host in command.hosts] == ["ann@a", "bob@a"]
    command = hosts.parse(["--host", "ssh://ann@a:22,ssh://a:23", "opensnoop"])
    assert [host.label for host in command.hosts] == ["a:22", "a:23"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--host"], "--host without a value"),
        (["--host", "a,,b", "opensnoop"], "--host: a name is empty"),
        (["--host", "-oProxyCommand=x", "opensnoop"], "is no name of a host"),
        (["--host", "a,b,a", "opensnoop"], "--host: 'a' is named twice"),
        (["--host", "a"], "no tool is named"),
        (["--no-cache", "opensnoop"], "no host is named"),
        (["--host", "a", "--json", "opensnoop"], "there is no option '--json' before"),
        (["--no-cache=1", "opensnoop"], "there is no option '--no-cache' before"),
        (["--host", "a", "--ssh", "'", "opensnoop"], "--ssh: no closing quotation"),
        (["--host", "a", "--ssh", "", "opensnoop"], "--ssh: no command is named"),
    ],
)
def test_refusals(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        hosts.parse(words)
    assert message in caught.value.diagnostic.message


@pytest.mark.skipif(os.geteuid() != 0, reason="others would become root by sudo")
@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "fish", "tcsh"])
def test_any_login_shell_runs_it(shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell}")
    words = ["a b", "$(id)", "'", '"', "*", "", "\\", "!x", "\n", "~", "{a,b}", "%s"]
    first = b"import sys; print(sys.argv[2:])"
    line = hosts.remote_command(first, words)
    done = subprocess.run(
        (shell, "-c", line), input=first, capture_output=True, check=True
    )
    shown = [word.translate(str.maketrans("\\!\n", "???")) for word in words]
    assert done.stdout.decode() == f"{shown}\n"


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "<-03>3"])
def test_the_zone_is_ours(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    offset, name = time.localtime().tm_gmtoff, hosts.local_zone()
    monkeypatch.setenv("TZ", name)
    time.tzset()
    assert time.localtime().tm_gmtoff == offset
    monkeypatch.undo()
    time.tzset()


def test_an_installed_skep_packs_itself_as_the_tree_does(tmp_path: Path) -> None:
    ours = archive.own_archive()
    assert ours == archive.packed(archive.contents(TREE / "src" / "skep"))
    path = tmp_path / "skep.pyz"
    path.write_bytes(ours)
    script = (
        "import sys; sys.argv = ['skep', '--version']; exec(sys.stdin.read());"
        f"run({str(path)!r}, False);"
        "from skep.remote import archive, connection;"
        "sys.stdout.flush(); luggage = connection.Luggage.packed();"
        "sys.stdout.buffer.write(luggage.archive)"
    )
    main = archive.main_source(ours).replace(b"__main__", b"nothing")
    done = subprocess.run(
        (sys.executable, "-ISc", script), input=main, capture_output=True, check=True
    )
    assert done.stdout.endswith(ours)


class Kept(Writer):
    """Keeps what is written."""

    __slots__ = ("kept",)

    def __init__(self) -> None:
        super().__init__(-1)
        self.kept = ""

    def text(self, text: str) -> None:
        self.kept += text


class Said(list[str]):
    """Keeps what is told about hosts."""

    def __call__(self, host: Host, line: str) -> None:
        self.append(f"{host.label}: {line}")


def merged(
    frames: list[tuple[Host, str, Any]], form: str = "table", **settings: Any
) -> str:
    writer = Kept()
    output = Merged((WEB, LONG), form, writer, Said(), **settings)
    for host, kind, content in frames:
        output.show(host, (kind, content))
    output.finish()
    return writer.kept


def test_rows_of_several_hosts() -> None:
    shown = merged(
        [
            (LONG, "banner", "Tracing...\n"),
            (LONG, "header", "PID COMM\n"),
            (LONG, "rows", ["1   init\n", "2   a\n    below\n\n"]),
            (WEB, "banner", "Tracing...\n"),
            (WEB, "header", "PID COMM\n"),
            (WEB, "rows", ["3   b\n"]),
        ]
    )
    assert shown == (
        "Tracing...\n"
        "HOST     PID COMM\n"
        "database 1   init\n"
        "database 2   a\n"
        "             below\n"
        "\n"
        "web      3   b\n"
    )


def test_a_banner_of_its_own_says_whose_it_is() -> None:
    frames = [(WEB, "banner", "2 functions\n"), (LONG, "banner", "3 functions\n")]
    assert merged(frames) == "2 functions\ndatabase: 3 functions\n"


def test_sorted_rows_are_merged() -> None:
    frames = [
        (WEB, "ranked", [[9, "9\n"], [3, "3\n"]]),
        (LONG, "ranked", [[7, "7\n"], [3, "3\n"], [1, "1\n"]]),
    ]
    shown = merged(frames, "csv", is_descending=True, limit=4)
    assert shown == "web,9\ndatabase,7\nweb,3\ndatabase,3\n"


def test_counted_rows() -> None:
    frames = [(WEB, "counted", [["a", 2], ["b", 5]]), (LONG, "counted", [["a", 3]])]
    assert merged(frames) == (
        "web      b-->COUNT 5\n\ndatabase a-->COUNT 3\n\nweb      a-->COUNT 2\n\n"
    )


def test_a_limit_is_that_of_all_hosts() -> None:
    frames = [(WEB, "rows", ["1\n", "2\n"]), (LONG, "rows", ["3\n", "4\n"])]
    assert merged(frames, "csv", limit=3) == "web,1\nweb,2\ndatabase,3\n"
    events = ['{"type":"event"}\n', '{"type":"loss"}\n']
    lines = merged([(WEB, "rows", events * 2)], "json", limit=1).splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["event", "loss", "loss"]
    listed = [(WEB, "rows", ['{"type":"listing"}\n'] * 2)]
    assert merged(listed, "json", limit=1).count("\n") == 1
    stacks = [(WEB, "bare", ["a;b 1\n", "a 1\n"]), (LONG, "bare", ["c 1\n", "d 1\n"])]
    assert merged(stacks, limit=3) == "a;b 1\na 1\nc 1\n"


def test_json_says_which_host_it_was() -> None:
    row = '{"on_host":"other","type":"event","schema":"x/1","time_ns":1,"on_host":"z"}'
    shown = merged([(WEB, "rows", [row])], "json")
    assert json.loads(shown)["on_host"] == "web"
    assert shown.count("on_host") == 1
    assert shown.startswith('{"type":"event","schema":"x/1","time_ns":1,"on_host":')


@pytest.mark.parametrize("kind", ["rows", "ranked", "counted"])
def test_text_from_there_is_escaped(kind: str) -> None:
    row = "\x1b[2J\u202e\r\udc80 x\n"
    content = {"rows": [row], "ranked": [[1, row]], "counted": [[row, 1]]}[kind]
    shown = merged([(WEB, kind, content)])
    assert shown.startswith("web      \\x1b[2J\\u202e\\r\\x80 x\n")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("rows", "text"),
        ("rows", [1]),
        ("rows", {"a": 1}),
        ("banner", 1),
        ("header", ["x"]),
        ("ranked", [[1]]),
        ("ranked", [[None, "x"]]),
        ("ranked", [[1, 2]]),
        ("counted", [["x", -1]]),
        ("counted", [["x", True]]),
        ("anything", 1),
    ],
)
def test_nonsense_is_not_shown(kind: str, content: Any) -> None:
    with pytest.raises(NotWire):
        merged([(WEB, kind, content)])


@pytest.mark.parametrize("row", ["", "x", "[1]", '{"a":NaN}', "{}{}", "[" * 100000])
def test_nonsense_in_json_is_not_shown(row: str) -> None:
    with pytest.raises(NotWire):
        merged([(WEB, "rows", [row])], "json")


@pytest.mark.parametrize(
    "line", [b"", b"x", b"[]", b"{}", b'{"a":1,"b":2}', b"\xff", b'{"a":Infinity}']
)
def test_lines_that_no_skep_sends(line: bytes) -> None:
    with pytest.raises(NotWire):
        frame(line)


@pytest.fixture
def host(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs skep with an ssh that is a shell script, for hosts that lie."""

    def run(script: str, *words: str) -> subprocess.CompletedProcess[str]:
        path = tmp_path / "ssh"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        command = (TREE / "skep", "--ssh", path, "--host", "liar", *words)
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    return run


def test_a_host_that_lies(host: Callable[..., Any]) -> None:
    hello = "echo; echo 'skep: ready for run';"
    done = host(f"echo welcome; {hello} echo 'rm -rf'; sleep 60", "opensnoop")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "liar: skep: it says what no skep says, and is ended\n"
    done = host(f"{hello} printf '\\033[2J\\n' >&2; exit 3", "opensnoop")
    assert (done.returncode, done.stderr) == (3, "liar: \\x1b[2J\n")
    done = host(f"{hello} exec head -c 200000000 /dev/zero", "opensnoop")
    assert done.returncode == 1
    assert done.stderr == "liar: skep: it says what no skep says, and is ended\n"


FAILING = r"""#!/bin/sh
printf '\nskep: ready for run\n%s\n' '{"rows":["row\n"]}'
while read line; do [ "$line" = stop ] && exit 3; done
"""


def test_what_goes_wrong_after_ctrl_c_counts(tmp_path: Path) -> None:
    path = tmp_path / "ssh"
    path.write_text(FAILING)
    path.chmod(0o755)
    command = (TREE / "skep", "--ssh", path, "--host", "a", "opensnoop")
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"a    row\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 3


def test_a_login_that_says_nothing(host: Callable[..., Any]) -> None:
    done = host("echo 'Your password has expired'; exit 0", "opensnoop")
    assert done.returncode == 1
    assert "liar: skep: the login there ran no skep" in done.stderr


# Runs its last argument, as sshd does, where python3 says that it is older.
LOCAL = """#!/bin/sh
for last; do :; done
PATH={directory}:$PATH exec sh -c "$last"
"""
OLD_PYTHON = """#!/bin/sh
exec {python} -ISc '
import sys
sys.version_info = (3, 6, 8, "final", 0)
exec(sys.argv[1])' "$2"
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="others would be asked by sudo")
def test_an_old_python_is_told(tmp_path: Path) -> None:
    for name, text in (("ssh", LOCAL), ("python3", OLD_PYTHON)):
        path = tmp_path / name
        path.write_text(text.format(directory=tmp_path, python=sys.executable))
        path.chmod(0o755)
    command = (TREE / "skep", "--ssh", tmp_path / "ssh", "--host", "old", "opensnoop")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == (
        "old: skep: needs Python 3.9 or later, and this is 3.6\n"
        "old:   hint: skep needs Python 3.9 or later there\n"
    )


def test_an_old_python_can_read_what_comes_first() -> None:
    main = archive.main_source(archive.own_archive()).decode()
    second = (TREE / "src/skep/remote/bootstrap.py").read_text()
    ast.parse(main + second, feature_version=(3, 6))


def test_serving_is_for_hosts(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve"]) == 2
    assert "'serve' is what --host runs" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["opensnop"], "there is no tool 'opensnop'"),
        (["opensnoop", "--nope"], "unrecognized arguments: --nope"),
        (["biolatency", "--sort", "x"], "--sort is about rows"),
        (["./mine.py"], "'./mine.py' is a file here"),
        (["doctor"], "'doctor' does not go with --host"),
        (["opensnoop", "--record", "f"], "--record does not go with --host"),
        (["stackcount", "--flamegraph", "f", "x"], "--flamegraph does not go"),
    ],
)
def test_what_is_wrong_here_is_told_here(
    words: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--ssh", "/nonexistent", "--host", "a", *words]) == 2
    assert message in capfd.readouterr().err


def test_there_is_no_ssh(tmp_path: Path) -> None:
    command = (TREE / "skep", "--ssh", tmp_path / "none", "--host", "a", "opensnoop")
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ})
    assert done.returncode == 1
    assert "cannot run" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_option_stands_before_the_tool(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["opensnoop", "--host", "a"]) == 2
    assert "skep --host HOST opensnoop" in capfd.readouterr().err
