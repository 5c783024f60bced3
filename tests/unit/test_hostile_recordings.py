"""Recordings that somebody made up: shown or refused, and harmless."""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skep.cli import main
from skep.output.recording_file import (
    END,
    HEADER,
    KINDS,
    MAGIC,
    NAMES,
    RECORDS,
    ROWS,
    SNAPSHOT,
    FileWriter,
)
from tests.unit.recordings import Part, counts, event, histogram, record, stack, zeros

SLOTS = histogram(64, s3=7)

RUNS: dict[str, tuple[Sequence[str], Sequence[Part]]] = {
    "opensnoop": (
        ["opensnoop", "-e", "--container"],
        [event(pid=1, comm=b"cat", path=b"/etc"), event(pid=2, path=b"/")],
    ),
    "trace": (
        ["trace", "-K", "-T", 't:sched:sched_switch "%s %d %U", args->prev_comm, 1, 2'],
        [event(pid=1, comm=b"cat", arg1=b"text", kstack=stack(0, 16, 17))],
    ),
    "funcslower": (
        ["funcslower", "-U", "c:malloc"],
        [event(pid=1, func=1, user_stack=stack(5, 16))],
    ),
    "argdist": (
        [
            "argdist",
            "-C",
            "p::vfs_open(struct path *path, char *name):char *,int:name,3",
            "-H",
            "r::vfs_read():u64:$latency#slow",
        ],
        [counts(1, count1=[(b"b", -3, 2)], hist1=[SLOTS]), zeros],
    ),
    "stackcount": (
        ["stackcount", "-P", "c:malloc"],
        [counts(1, calls=[(b"cat", 7, stack(0, 16, 17), stack(7, 18), 3)]), zeros],
    ),
    "funclatency": (["funclatency", "-F", "c:malloc"], [zeros]),
    "biolatency": (["biolatency", "-F"], [counts(1, latency=[(3, *SLOTS)]), zeros]),
    "biolatency by disk": (["biolatency", "-D"], [counts(1, latency=[(3, *SLOTS)])]),
    "funccount": (["funccount", "c:malloc"], [counts(1, calls=[(0, 3)]), zeros]),
}

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.just("\x1b[2J%s"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)

Chunks = list[tuple[bytes, bytes]]


def chunks_of(whole: bytes) -> Chunks:
    """The chunks of a recording, unpacked."""
    found, position = [], len(MAGIC)
    while position < len(whole):
        kind, length = struct.unpack_from("<cI", whole, position)
        payload = whole[position + 9 :][:length]
        found.append((kind, zlib.decompress(payload) if kind == ROWS else payload))
        position += 9 + length
    return found


def changed(content: Any, data: Any) -> Any:
    """JSON with one of its values replaced, however deep."""
    if isinstance(content, (dict, list)) and content and data.draw(st.integers(0, 4)):
        copy = content.copy()
        places = sorted(copy) if isinstance(copy, dict) else range(len(copy))
        place = data.draw(st.sampled_from(places))
        copy[place] = changed(copy[place], data)
        return copy
    return data.draw(VALUES)


def with_other_bytes(payload: bytes, data: Any) -> bytes:
    """The same with some bytes changed, or cut short."""
    made = bytearray(payload)
    for _ in range(data.draw(st.integers(1, 8)) if made else 0):
        place = data.draw(st.integers(0, min(len(made) - 1, 300)))
        made[place] = data.draw(st.sampled_from([0, 1, 0x1B, 0x7F, 0x80, 0xFF]))
    return bytes(made[: data.draw(st.sampled_from([len(made), len(made) // 2]))])


def other(kind: bytes, payload: bytes, data: Any) -> bytes:
    if kind in (RECORDS, ROWS):
        return with_other_bytes(payload, data)
    return json.dumps(changed(json.loads(payload), data)).encode()


@pytest.fixture(scope="module", params=RUNS)
def whole(request: Any, tmp_path_factory: Any) -> Chunks:
    """The chunks of a recording."""
    words, parts = RUNS[request.param]
    path = tmp_path_factory.mktemp("recording") / "file"
    return chunks_of(record(path, words, *parts))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=60,
)
@given(st.data())
def test_any_chunks_are_shown_or_refused(
    whole: Chunks, tmp_path: Path, capfd: Any, data: Any
) -> None:
    """Checksums do not save: whoever writes a file can compute them."""
    chunks = list(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        index = data.draw(st.integers(0, len(chunks) - 1))
        chunks[index] = chunks[index][0], other(*chunks[index], data)
    if data.draw(st.booleans()):
        extra = data.draw(st.sampled_from(KINDS)), data.draw(st.binary(max_size=60))
        chunks.insert(data.draw(st.integers(0, len(chunks))), extra)
    path = tmp_path / "file"
    path.unlink(missing_ok=True)
    write(path, chunks)
    words = data.draw(st.sampled_from(["", "--format=json", "--format=csv", "-f"]))
    status = main(["replay", str(path), *filter(None, [words])])
    assert status in (0, 1, 2, 3)
    assert "\x1b" not in "".join(capfd.readouterr())
    assert main(["replay", "--info", str(path)]) in (0, 1, 3)
    assert "\x1b" not in "".join(capfd.readouterr())
    assert main(["replay", "--info", str(path), "--json"]) in (0, 1, 3)
    assert all(map(json.loads, capfd.readouterr().out.splitlines()))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file"]


def write(path: Path, chunks: Chunks) -> None:
    writer = FileWriter(str(path))
    for kind, payload in chunks:
        add = writer.add_packed if kind == ROWS else writer.add
        add(kind, payload)
    writer.close()


def test_rows_that_are_not_packed(tmp_path: Path, capfd: Any) -> None:
    words, parts = RUNS["funccount"]
    chunks = chunks_of(record(tmp_path / "file", words, *parts))
    bomb, none = zlib.compress(bytes((1 << 26) + 1)), zlib.compress(b"")
    for payload in (b"", b"no", none, none[:-1], none + b"x", bomb):
        (tmp_path / "file").unlink()
        writer = FileWriter(str(tmp_path / "file"))
        writer.add(*chunks[0])
        writer.add(ROWS, payload)
        writer.close()
        assert main(["replay", str(tmp_path / "file")]) == 1
        assert re.search(r"damaged at byte \d+", capfd.readouterr().err)


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b"[]",
        b'{"time_ns": -1}',
        b'{"time_ns": 1e9}',
        b'{"time_ns": 99999999999999999999}',
    ],
)
def test_snapshots_without_a_time(tmp_path: Path, capfd: Any, payload: bytes) -> None:
    words, parts = RUNS["funccount"]
    chunks = chunks_of(record(tmp_path / "file", words, *parts))
    (tmp_path / "file").unlink()
    write(tmp_path / "file", [chunks[0], (SNAPSHOT, payload)])
    assert main(["replay", str(tmp_path / "file")]) == 1
    assert "damaged at byte" in capfd.readouterr().err


@pytest.mark.parametrize(
    "names",
    [
        {"function": [[1, 2, "name", 3]]},
        {"function": [[1, 2, 3, 4, "module"]]},
        {"function": {}},
        {"cgroup": [["1", "/"]]},
        {"disk": [[1, None]]},
        {"other": []},
    ],
)
def test_names_that_are_none(tmp_path: Path, capfd: Any, names: Any) -> None:
    words, parts = RUNS["funccount"]
    chunks = chunks_of(record(tmp_path / "file", words, *parts))
    (tmp_path / "file").unlink()
    write(tmp_path / "file", [chunks[0], (NAMES, json.dumps(names).encode())])
    assert main(["replay", str(tmp_path / "file")]) == 1
    assert "damaged at byte" in capfd.readouterr().err


def test_no_name_of_a_tool_is_a_file_with_code(tmp_path: Path, capfd: Any) -> None:
    path, code = tmp_path / "file", tmp_path / "file.py"
    code.write_text(f"open({str(code)!r} + '.ran', 'w')\n")
    header = {"tool": str(code), "architecture": "x"}
    write(path, [(HEADER, json.dumps(header).encode()), (END, b"{}")])
    assert main(["replay", str(path)]) == 1
    assert "names no tool" in capfd.readouterr().err
    assert not code.with_suffix(".py.ran").exists()


EVIL = "\x1b[2J"


@pytest.mark.parametrize(
    ("tool", "places"),
    [
        ("trace", ["declared", "streams", "probe1", 8, "heading"]),
        ("trace", ["declared", "streams", "probe1", 8, "function"]),
        ("trace", ["declared", "streams", "probe1", 8, "format"]),
        ("argdist", ["declared", "tables", "count1", "label"]),
        ("argdist", ["declared", "tables", "count1", "titles", 0]),
        ("argdist", ["declared", "histograms", "hist1", "label"]),
        ("argdist", ["declared", "histograms", "hist1", "unit"]),
        ("funccount", ["options", "pattern"]),
        ("funccount", ["places", 0]),
    ],
)
@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_text_of_a_header_drives_no_terminal(
    tmp_path: Path, capfd: Any, tool: str, places: Sequence[Any], form: str
) -> None:
    words, parts = RUNS[tool]
    (_, content), *others = chunks_of(record(tmp_path / "file", words, *parts))
    where = header = json.loads(content)
    for place in places[:-1]:
        where = where[place]
    text = where[places[-1]]
    assert isinstance(text, str)
    where[places[-1]] = f"{EVIL}{text}"
    (tmp_path / "file").unlink()
    write(tmp_path / "file", [(HEADER, json.dumps(header).encode()), *others])
    assert main(["replay", str(tmp_path / "file"), "--format", form]) == 0
    assert main(["replay", "--info", str(tmp_path / "file")]) == 0
    assert "\x1b" not in "".join(capfd.readouterr())
