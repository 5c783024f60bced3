"""Recordings of what tools count, and of what they declare for one run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from skep.cli import main
from skep.toolkit.binding import HISTOGRAM_SLOTS
from tests.unit.recordings import counts, event, histogram, record, stack


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a recording may be."""
    return tmp_path / "file"


def shown(path: Path, capfd: Any, *words: str) -> list[str]:
    """The lines of a replay."""
    assert main(["replay", str(path), *words]) == 0
    lines: list[str] = capfd.readouterr().out.splitlines()
    return lines


def objects(path: Path, capfd: Any, *words: str) -> list[dict[str, Any]]:
    """The objects of a replay in JSON, but for losses."""
    found = map(json.loads, shown(path, capfd, "--json", *words))
    return [each for each in found if each["type"] != "loss"]


def slots(**numbers: int) -> list[int]:
    return histogram(HISTOGRAM_SLOTS, **numbers)


def test_intervals_of_a_histogram(path: Path, capfd: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("TZ", "UTC")
    disk = 254 << 20
    record(
        path,
        ["biolatency", "-T", "-D", "-e"],
        counts(1, latency=[(disk, *slots(s0=2), 2)]),
        counts(2, latency=[(disk, *slots(s1=1), 3), (1, *slots(s2=4), 20)]),
    )
    lines = shown(path, capfd)
    assert [line for line in lines if ":" in line and "->" not in line] == [
        "01:46:41",
        "     usecs               : count     distribution",
        "avg = 1 usecs, total: 2 usecs, count: 2",
        "01:46:42",
        "     usecs               : count     distribution",
        "     usecs               : count     distribution",
        "avg = 4 usecs, total: 23 usecs, count: 5",
    ]
    found = objects(path, capfd)
    assert [(each["disk"], len(each["buckets"])) for each in found] == [
        (disk, 1),
        (1, 3),
        (disk, 2),
    ]
    assert found[0]["time_ns"] == 10**18 + 10**9
    assert len(objects(path, capfd, "--count", "1")) == 1
    assert "'val_type': 'usecs'" in shown(path, capfd, "-j")[0]


def test_tables_are_sorted_and_limited_anew(path: Path, capfd: Any) -> None:
    record(path, ["funccount", "c:malloc"], counts(1, calls=[(0, 7), (1, 5), (9, 6)]))
    assert shown(path, capfd, "--format", "csv", "--sort=-count") == [
        "FUNC,COUNT",
        "malloc,7",
        "[unknown],6",
        "free,5",
    ]
    words = ["--columns", "func", "--limit", "1", "--format", "csv"]
    assert shown(path, capfd, *words) == ["FUNC", "free"]
    assert "Tracing 2 functions" in shown(path, capfd)[0]


def test_stacks_have_the_names_that_they_had(path: Path, capfd: Any) -> None:
    one, two = stack(0, 0x10, 0x20), stack(7, 0x30)
    rows = [(b"cat", 7, one, two, 3), (b"cat", 7, one, stack(8), 1)]
    record(path, ["stackcount", "-P", "c:malloc"], counts(1, calls=rows))
    assert shown(path, capfd, "-f") == [
        "cat;caller_kernel_20;kernel_10 1",
        r"cat;user\x1b[2J_7_30;caller_kernel_20;kernel_10 3",
    ]
    assert "  0000000000000020 caller_kernel_20+0x1" in shown(path, capfd, "-v")
    found = objects(path, capfd, "--limit", "1")
    assert found[0]["kernel_stack"][1]["symbol"] == "caller_kernel_20"
    assert found[0]["user_stack"][0]["module"] == "/bin/cat"


def test_a_flame_graph(path: Path, tmp_path: Path, capfd: Any) -> None:
    graph = tmp_path / "graph.svg"
    words = ["stackcount", "--flamegraph", str(graph), "c:malloc"]
    record(path, words, counts(1, calls=[(stack(0, 16), stack(7, 48), 3)]))
    shown(path, capfd)
    assert not graph.exists()  # no file says where to write
    shown(path, capfd, "--flamegraph", str(graph))
    assert "kernel_10" in graph.read_text()


def test_names_are_those_of_their_time(path: Path, capfd: Any) -> None:
    def at(name: str) -> Any:
        def change(recording: Any, binding: Any) -> None:
            symbols = recording._notes.context.symbols._context.symbols
            symbols.kernel = lambda address: symbols.user(0, 0)._replace(name=name)

        return change

    rows = [(stack(0, 16), stack(7), 3)]
    record(
        path,
        ["stackcount", "c:malloc"],
        at("before"),
        counts(1, calls=rows),
        at("after"),
        counts(2, calls=rows),
    )
    assert shown(path, capfd, "-f") == [";before 3", ";after 3"]


def test_messages(path: Path, capfd: Any) -> None:
    record(
        path,
        [
            "trace",
            "-K",
            't:sched:sched_process_exec "%s %K", args->filename, args->pid',
        ],
        event(
            pid=7,
            tid=8,
            comm=b"cat",
            arg1=b"/bin/\x1b[2J",
            arg2=0x40,
            kstack=stack(0, 0x50),
        ),
    )
    message = r"/bin/\x1b[2J kernel_40+0x1"
    heading, line, *frames = shown(path, capfd)
    assert line.split() == ["7", "8", "cat", "sched_process_exec", *message.split()]
    assert frames[0].strip() == "kernel_50+0x1 [kernel]"
    (found,) = objects(path, capfd)
    assert found["message"] == message.replace(r"\x1b", "\x1b")
    assert found["arg1"] == "/bin/\x1b[2J"
    assert found["time_ns"] == 10**18
    assert "TIME" in shown(path, capfd, "-t")[0]
    assert shown(path, capfd, "-f", "no such message") == [heading]
    assert shown(path, capfd, "--folded") == ["cat;kernel_50 1"]


def test_several_probes(path: Path, capfd: Any) -> None:
    record(
        path,
        ["trace", 't:sched:sched_switch "%d", args->next_pid', "t:sched:sched_wakeup"],
        event("probe2", pid=1),
        event("probe1", pid=2, arg1=3),
    )
    found = objects(path, capfd)
    assert [(each["pid"], each["function"], each["message"]) for each in found] == [
        (1, "sched_wakeup", ""),
        (2, "sched_switch", "3"),
    ]


def test_counts_and_distributions(path: Path, capfd: Any) -> None:
    record(
        path,
        [
            "argdist",
            "-C",
            "p::vfs_open(struct path *path, char *name):char *,int:name,3#names",
            "-H",
            "r::vfs_read():u64:$latency#slow",
        ],
        counts(1, count1=[(b"b", -3, 2), (b"a", 3, 1)], hist1=[slots(s3=1)]),
        counts(2, count1=[(b"a", 3, 5)], hist1=[slots(s3=2)]),
    )
    events = [line.split("\t") for line in shown(path, capfd) if line.startswith("\t")]
    assert [" ".join(words[1:]).split(None, 1) for words in events] == [
        ["COUNT", "EVENT"],
        ["1", "name = a, 3 = 3"],
        ["2", "name = b, 3 = -3"],
        ["COUNT", "EVENT"],
        ["5", "name = a, 3 = 3"],
    ]
    found = objects(path, capfd, "-c", "-T", "1")
    tables = [each for each in found if each["type"] == "table"]
    assert [(each["arg1"], each["count"]) for each in tables] == [("b", 2), ("a", 6)]
    distributions = [each for each in found if each["type"] == "histogram"]
    assert [each["buckets"][3]["count"] for each in distributions] == [1, 3]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["-i", "1"], "-i/--interval cannot be changed in a replay"),
        (["-p", "1"], "-p/--pid cannot be changed in a replay"),
        (["c:free"], "pattern cannot be changed in a replay"),
        (["--sort", "nope"], "no such column"),
    ],
)
def test_what_a_replay_cannot_do(
    path: Path, capfd: Any, words: list[str], reason: str
) -> None:
    record(path, ["funccount", "c:malloc"], counts(1))
    assert main(["replay", str(path), *words]) == 2
    assert reason in capfd.readouterr().err


def test_snapshots_of_a_file_that_was_cut_short(path: Path, capfd: Any) -> None:
    parts = [counts(n, calls=[(0, n)]) for n in (1, 2)]
    whole = record(path, ["funccount", "c:malloc"], *parts)
    sizes = [
        len(record(path, ["funccount", "c:malloc"], *parts[:number], ends=False))
        for number in (0, 1, 2)
    ]
    for length in range(sizes[0], len(whole)):
        path.write_bytes(whole[:length])
        assert main(["replay", str(path), "--format", "csv"]) == 3
        out, told = capfd.readouterr()
        assert "cut short" in told
        whole_ones = sum(length >= size for size in sizes[1:])
        assert (
            out.split()
            == ["FUNC,COUNT", "malloc,1", "FUNC,COUNT", "malloc,2"][: 2 * whole_ones]
        )
