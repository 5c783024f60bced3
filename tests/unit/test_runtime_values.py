"""Small computations of the runtime."""

import struct

import pytest

from skep.output.counters import Counters
from skep.runtime import cpus
from skep.runtime.ledger import RECURSION, Ledger
from skep.runtime.maps import Map, object_name
from skep.runtime.poller import Event, Poller
from skep.runtime.syscall.bpf import ProgramInfo
from skep.spec import LEDGER, LEDGER_CAUSES, AttachSpec, MapSpec, ProgramSpec


@pytest.mark.parametrize(
    "text, numbers",
    [
        ("0\n", [0]),
        ("0-3\n", [0, 1, 2, 3]),
        ("0-1,8,10-11\n", [0, 1, 8, 10, 11]),
        ("\n", []),
    ],
)
def test_cpu_list(text, numbers):
    assert cpus.parse_list(text) == numbers


@pytest.mark.parametrize(
    "name, expected",
    [
        ("events", b"events"),
        ("sys_exit:openat2", b"sys_exit_openat"),
        ("größe", b"gr__e"),
    ],
)
def test_object_name(name, expected):
    assert object_name(name) == expected


def test_per_cpu_values(monkeypatch):
    monkeypatch.setattr(cpus, "possible", lambda: 3)
    table = Map(MapSpec("m", "percpu_hash", 4, 12, 8), -1)
    assert table.value_bytes == 48
    value = bytes(range(48))
    assert table.chunks(value) == [value[0:12], value[16:28], value[32:44]]


def test_sums_wrap(monkeypatch):
    monkeypatch.setattr(cpus, "possible", lambda: 2)
    table = Map(MapSpec("m", "percpu_array", 4, 16, 1), -1)
    value = struct.pack("=4Q", 2**64 - 1, 5, 3, 7)
    assert table.word_sums(value) == [2, 12]


class LedgerMap:
    """Counts 0, 1, 2, ... for the causes."""

    def lookup(self, key):
        return struct.pack(f"={len(LEDGER_CAUSES)}Q", *range(len(LEDGER_CAUSES)))

    word_sums = staticmethod(Map(LEDGER, -1).word_sums)


class FakeProgram:
    def __init__(self, kind, misses):
        self.spec = ProgramSpec("p", AttachSpec(kind, ""), ())
        self._misses = misses

    def info(self):
        return ProgramInfo(1, 0, 0, self._misses, None)


def losses(*programs, counted=True):
    return Ledger(LedgerMap(), programs, lambda: counted).losses()


def test_ledger_adds_up():
    ledger = Ledger(LedgerMap(), (), lambda: True)
    reader = Counters()
    ledger.follow(reader)
    ledger.follow(Counters())
    reader.failed_read, reader.truncated, reader.filtered = 10, 20, 30
    assert ledger.losses() == {
        "ring full": 0,
        "map full": 1,
        "failed read": 12,
        "truncated": 23,
        "scratch busy": 4,
        "loop limit": 5,
        "unpaired": 6,
        "stack collision": 7,
        RECURSION: 0,
    }


def test_no_ledger_no_losses():
    assert not any(Ledger(None, (), lambda: True).losses().values())


@pytest.mark.parametrize(
    "kind, misses, counted, expected",
    [
        ("tp_btf", 7, False, 9),
        ("tp_btf", None, True, None),  # before 5.12
        ("tracepoint", 7, True, 9),
        ("tracepoint", 0, False, None),  # before 6.7
        ("interval", 0, True, None),
        ("profile", 0, True, None),
    ],
)
def test_recursion_is_unknown_where_it_is_not_counted(kind, misses, counted, expected):
    programs = FakeProgram("tp_btf", 2), FakeProgram(kind, misses)
    assert losses(*programs, counted=counted)[RECURSION] == expected


class Clock:
    """A clock that moves by itself, 10 ms a look."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        self.now += 0.01
        return self.now


def test_poller_without_rings():
    poller = Poller(interval=0.05, duration=0.2, clock=Clock())
    events = list(poller.events())
    poller.close()
    assert events.count(Event.INTERVAL) >= 3
    assert events[-1] is Event.STOP
    assert events.count(Event.STOP) == 1
