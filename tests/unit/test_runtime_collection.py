"""All or nothing, without a kernel."""

import pytest

from skep.errors import AttachError, CompileError, InternalError, NotSupported
from skep.runtime import collection as module
from skep.runtime.collection import Collection
from skep.spec import AttachSpec, CollectionSpec, MapSpec, ProgramSpec

EVENTS = MapSpec("events", "ringbuf", 0, 0, 4096)
COUNTS = MapSpec("counts", "hash", 8, 8, 64)


def program(name, kind="raw_tracepoint"):
    return ProgramSpec(name, AttachSpec(kind, name), ())


class Kernel:
    """Stands for the kernel: writes down what is made and closed."""

    def __init__(self, monkeypatch):
        self.log = []
        self.refuses = {}
        monkeypatch.setattr(module, "Map", self)
        monkeypatch.setattr(module, "Program", self)
        monkeypatch.setattr(module, "attach", self.attach)
        monkeypatch.setattr(module, "close_links", self.close_links)

    def make(self, what, spec):
        if what in self.refuses:
            raise self.refuses[what]
        self.log.append(f"+{what}")
        return Fake(self, what, spec)

    def create(self, spec):
        return self.make(f"map {spec.name}", spec)

    def load(self, spec, maps, verbose):
        return self.make(f"program {spec.name} {'+'.join(maps)}", spec)

    def attach(self, loaded):
        return self.make(f"link {loaded.spec.name}", loaded.spec)

    def close_links(self, links):
        for link in reversed(links):
            link.close()


class Fake:
    def __init__(self, kernel, what, spec):
        self.kernel, self.what, self.spec = kernel, what, spec

    def close(self):
        self.kernel.log.append(f"-{self.what}")


@pytest.fixture
def kernel(monkeypatch):
    return Kernel(monkeypatch)


SPEC = CollectionSpec((EVENTS, COUNTS), (program("a"), program("b")))
MADE = [
    "+map events",
    "+map counts",
    "+program a events+counts",
    "+program b events+counts",
    "+link a",
    "+link b",
]


def test_everything_is_closed_in_reverse(kernel):
    with Collection.load(SPEC):
        assert kernel.log == MADE
        kernel.log.clear()
    assert kernel.log == ["-" + made[1:] for made in reversed(MADE)]


@pytest.mark.parametrize("failing", range(len(MADE)))
def test_failure_leaves_nothing(kernel, failing):
    kernel.refuses[MADE[failing][1:]] = AttachError("no")
    with pytest.raises(AttachError):
        Collection.load(SPEC)
    assert kernel.log == MADE[:failing] + [
        "-" + made[1:] for made in reversed(MADE[:failing])
    ]


def test_failed_addition_keeps_what_was_there(kernel):
    collection = Collection.load(CollectionSpec((EVENTS,), (program("a"),)))
    kernel.log.clear()
    kernel.refuses["link b"] = AttachError("no")
    with pytest.raises(AttachError):
        collection.add(CollectionSpec((EVENTS, COUNTS), (program("b"),)))
    assert list(collection.maps) == ["events"]
    assert kernel.log == [
        "+map counts",
        "+program b events+counts",
        "-program b events+counts",
        "-map counts",
    ]


def test_one_name_for_two_maps(kernel):
    collection = Collection.load(CollectionSpec((EVENTS,), ()))
    larger = EVENTS._replace(max_entries=8192)
    with pytest.raises(InternalError, match="two different maps"):
        collection.add(CollectionSpec((larger,), ()))


def test_test_runs_are_not_attached(kernel):
    Collection.load(CollectionSpec((), (program("a", "test_run"),)))
    assert kernel.log == ["+program a "]


def test_ladder(kernel):
    kernel.refuses["link fentry"] = AttachError("not this one")

    def missing():
        raise NotSupported("no such thing")

    ladder = [
        ("none", missing),
        ("fentry", lambda: CollectionSpec((), (program("fentry"),))),
        ("kprobe", lambda: CollectionSpec((), (program("kprobe"),))),
        ("never", lambda: pytest.fail("compiled in vain")),
    ]
    chosen, failures = Collection().add_first(ladder)
    assert chosen == "kprobe"
    assert [(name, str(error)) for name, error in failures] == [
        ("none", "no such thing"),
        ("fentry", "not this one"),
    ]


def test_a_mistake_in_the_tool_is_no_reason_to_fall_back(kernel):
    def wrong():
        raise CompileError("what is this?")

    with pytest.raises(CompileError):
        Collection().add_first([("a", wrong), ("b", lambda: SPEC)])


def test_a_ladder_without_rungs(kernel):
    with pytest.raises(InternalError):
        Collection().add_first([])
