"""`skep replay --info`: what a recording is of."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from skep import __version__
from skep.cli import main
from skep.fields import Context
from skep.output.recording_file import HEADER, MAGIC
from skep.toolkit.recording_info import SCHEMA
from tests.unit.recordings import BEGIN_NS, COUNTS, counts, event, record
from tests.unit.test_hostile_recordings import chunks_of, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a recording may be."""
    return tmp_path / "file"


def info(path: Path, capfd: Any, *words: str, status: int = 0) -> tuple[str, str]:
    """What is written on a recording, and said beside it."""
    assert main(["replay", "--info", str(path), *words]) == status
    out, error = capfd.readouterr()
    return out, error


def lines(text: str) -> dict[str, str]:
    """The lines by their first words."""
    return dict(re.findall("(?m)^(.*?)  +(.*)$", text))


def test_lines(path: Path, capfd: Any) -> None:
    record(path, ["opensnoop", "-x", "-n", "a b", "-v"], event(pid=1, path=b"/"))
    shown, told = info(path, capfd)
    system, found = os.uname(), lines(shown)
    assert told == ""
    assert re.fullmatch(r"2001-09-\d\d \d\d:46:40 [+-]\d{4}", found.pop("begun"))
    assert re.fullmatch(r"\d+\.\d s", found.pop("lasted"))
    found.pop("build id", "")
    assert found == {
        "tool": "opensnoop",
        "options": "--verbose --failed --name 'a b'",
        "skep": __version__,
        "host": f"{system.nodename} ({system.machine})",
        "kernel": system.release,
        "traced": "2 places: malloc, free",
        "lost": "2 events lost because the ring buffer was full",
    }


def test_json(path: Path, capfd: Any) -> None:
    record(path, ["funccount", "c:malloc", "-i", "1"], counts(1, calls=[(0, 3)]))
    for words in ("--json",), ("--format", "json"), ("--format=json",):
        shown, _ = info(path, capfd, *words)
        found = json.loads(shown)
        assert (found["type"], found["schema"]) == ("recording", SCHEMA)
        assert found["tool"] == "funccount"
        assert found["options"]["pattern"] == "c:malloc"
        assert found["begin_ns"] == BEGIN_NS + 1
        assert found["end_ns"] > found["begin_ns"]
        assert (found["attached"], found["places"]) == (2, ["malloc", "free"])
        losses = {cause.replace(" ", "_"): count for cause, count in COUNTS.items()}
        assert found["losses"] == losses


def test_options_are_as_they_are_typed(path: Path, capfd: Any) -> None:
    for words, text in {
        "biolatency -T 1 2": "--count 2 --timestamp 1 2",
        "xfsslower 20": "20",
        "xfsslower 0": "0",
        "funccount c:malloc -d 1.5": "--duration 1.5 --sort count c:malloc",
        "trace c:malloc c:free -p 7": "--pid 7 c:malloc c:free --string-size 80",
        "opensnoop -f O_WRONLY": "--flag_filter O_WRONLY",
        "opensnoop -f O_RDONLY -f O_RDWR -f O_SYNC": "--flag_filter O_RDONLY "
        "--flag_filter O_RDWR --flag_filter O_SYNC",
        "opensnoop --uid 0": "--uid 0",
        f"biolatency -d {a_disk()}": f"--disk {a_disk()}",
    }.items():
        record(path, words.split())
        assert lines(info(path, capfd)[0])["options"] == text


def a_disk() -> str:
    """The name of a disk of this machine, which is no partition."""
    for name in Context().disks.names().values():
        if not os.path.exists(f"/sys/class/block/{name}/partition"):
            return name
    pytest.skip("there is no disk")


def test_values_have_types_in_json(path: Path, capfd: Any) -> None:
    record(path, ["opensnoop", "-f", "O_WRONLY"])
    assert json.loads(info(path, capfd, "--json")[0])["options"]["flags"] == 1


def test_names_of_values_from_strangers(path: Path, capfd: Any) -> None:
    (_, content), *others = chunks_of(record(path, ["opensnoop", "-f", "O_WRONLY"]))
    header = json.loads(content)
    for typed in [1], {"flags": 1}, {"flags": [1]}, None:
        header["typed"] = typed
        path.unlink()
        write(path, [(HEADER, json.dumps(header).encode()), *others])
        assert "names that are none" in info(path, capfd, status=1)[1]
    del header["typed"]
    path.unlink()
    write(path, [(HEADER, json.dumps(header).encode()), *others])
    assert lines(info(path, capfd)[0])["options"] == "--flag_filter 1"


def test_that_of_another_version(path: Path, capfd: Any) -> None:
    """What cannot be replayed here is told, for who has to find the right skep."""
    (_, content), *others = chunks_of(record(path, ["opensnoop"]))
    header = json.loads(content)
    header.update(skep="9.9", tool="futuresnoop", formats={}, more=[1])
    header["options"] = {"deep": 2, "wide": True, "names": ["a", "b c"], "off": None}
    path.unlink()
    write(path, [(HEADER, json.dumps(header).encode()), *others])
    found = lines(info(path, capfd)[0])
    assert (found["tool"], found["skep"]) == ("futuresnoop", "9.9")
    assert found["options"] == "--deep 2 --wide --names a 'b c'"


def test_one_that_was_cut_short(path: Path, capfd: Any) -> None:
    whole = record(path, ["opensnoop"], event(pid=1, path=b"/"))
    for length in range(0, len(whole), 3):
        path.write_bytes(whole[:length])
        status = main(["replay", "--info", str(path)])
        shown, told = capfd.readouterr()
        if shown:
            assert status == 3
            assert told.startswith("skep: the recording was cut short")
            assert not {"lasted", "lost"} & lines(shown).keys()
        else:
            assert status == 1
    path.write_bytes(whole[:-1])
    shown, _ = info(path, capfd, "--json", status=3)
    assert (json.loads(shown)["losses"], json.loads(shown)["end_ns"]) == (None, None)


def test_damage(path: Path, capfd: Any) -> None:
    whole = bytearray(record(path, ["opensnoop"], event(pid=1, path=b"/")))
    whole[-1] ^= 1
    path.write_bytes(whole)
    shown, told = info(path, capfd, status=1)
    assert lines(shown)["tool"] == "opensnoop"
    assert "it is damaged at byte" in told
    path.write_bytes(MAGIC + whole[len(MAGIC) + 1 :])
    assert info(path, capfd, status=1)[0] == ""


def test_of_standard_input(path: Path, capfd: Any, monkeypatch: Any) -> None:
    record(path, ["opensnoop"], event(pid=1, path=b"/"))
    for words in ["-"], ["--info", "-", "--json"]:
        with open(path) as file:
            monkeypatch.setattr("sys.stdin", file)
            assert main(["replay", *words]) == 0
            assert capfd.readouterr().out
            assert not file.closed
    monkeypatch.setattr("sys.stdin", None)  # as Python has it after `<&-`
    assert main(["replay", "-"]) == 1
    assert capfd.readouterr().err == "skep: cannot read '-': it is closed\n"


def test_files_that_are_none_of_this_version(path: Path, capfd: Any) -> None:
    for content, text in {
        b"skep recording 1\n more": "it has the form of another version of skep",
        b"skep recording 10\n more": "it has the form of another version of skep",
        b"#!/bin/sh\n and all the rest": "it is no recording of skep",
        b"": "it is no recording of skep",
    }.items():
        path.write_bytes(content)
        for words in ["replay", str(path)], ["replay", "--info", str(path)]:
            assert main(words) == 1
            assert text in capfd.readouterr().err


def test_options_before_the_file(path: Path, capfd: Any) -> None:
    record(path, ["opensnoop"])
    assert main(["replay", "--json", str(path)]) == 2
    assert "'--json' is no file" in capfd.readouterr().err


def test_the_output_is_no_recording(capfd: Any) -> None:
    assert main(["opensnoop", "--record", "-"]) == 2
    assert "a recording is a file, and not the output" in capfd.readouterr().err


def test_other_words_are_refused(path: Path, capfd: Any) -> None:
    record(path, ["opensnoop"])
    _, told = info(path, capfd, "--limit", "1", status=2)
    assert "--info does not go with '--limit 1'" in told
    assert main(["replay", "--info"]) == 2
