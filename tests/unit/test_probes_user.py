"""Probes in user programs: candidates, places, and where arguments are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from skep.errors import NotSupported, ProbeNotFound, UsageError
from skep.probes import (
    Candidate,
    Clock,
    CtxField,
    Elapsed,
    NoSuchParameter,
    Number,
    Saved,
    Uprobe,
    Uretprobe,
    Usdt,
    UserMemory,
    resolve,
)
from skep.spec import UserPlace
from skep.symbols.functions import Function
from skep.target import Target
from skep.target.fixture import FixtureFacts
from skep.target.user import UserFile
from tests import fixtures
from tests.fixtures import ARM64, VERSIONS, saved_target

SAVED = Path(fixtures.__file__).parent / "6.18.tar.xz"

NAMES = ("gethostbyname", "gethostbyname2")
PLACES = (UserPlace("c", 1149808), UserPlace("c", 1150352))
LINKS = ("6.12", "6.18", "7.2")


def kinds(candidates: list[Candidate]) -> list[str]:
    return [each.sites[0].attach.kind for each in candidates]


@pytest.mark.parametrize("version", VERSIONS)
def test_links_where_the_kernel_has_them(version: str) -> None:
    intention = Uprobe("c", NAMES, pid=7)
    found = resolve(intention, {"arg1"}, saved_target(version))
    expected = ["uprobe_multi", "uprobe"] if version in LINKS else ["uprobe"]
    assert kinds(found) == expected
    for candidate in found:
        (site,) = candidate.sites
        assert site.attach.places == PLACES
        assert site.attach.pid == 7
        assert site.entry is None
        assert site.program_type == "kprobe"


@pytest.mark.parametrize("version", VERSIONS)
def test_returns_are_told_apart(version: str) -> None:
    found = resolve(
        Uretprobe("c", NAMES, prototype="void *(char *name)"),
        {"name", "ret", "elapsed_ns"},
        saved_target(version),
    )
    for candidate in found:
        # Without bpf_get_func_ip there is a program for each function.
        assert len(candidate.sites) == (1 if version in LINKS else 2)
        frames = set()
        for site in candidate.sites:
            assert site.entry is not None and site.frame is not None
            assert site.entry.frame is not None
            assert site.attach.places == site.entry.attach.places
            assert site.frame.add == site.entry.frame.add - 8
            assert site.frame.by_address is (version in LINKS)
            frames.add(site.frame)
            assert [p.fetch for p in site.params] == [
                Saved("name"),
                CtxField(80, 8, False),  # ax
                Elapsed("elapsed_ns"),
            ]
            assert [p.fetch for p in site.entry.params] == [
                CtxField(112, 8, False),  # di
                Clock(),
            ]
        assert len(frames) == len(candidate.sites)


def test_a_return_that_needs_no_entry() -> None:
    (first, _) = resolve(Uretprobe("c", NAMES), {"ret"}, saved_target("6.12"))
    assert first.sites[0].entry is None


def test_arguments_on_the_stack() -> None:
    wanted = {"arg6", "arg7", "arg8"}
    first, *_ = resolve(Uprobe("c", NAMES), wanted, saved_target("6.12"))
    sp = CtxField(152, 8, False)
    assert [param.fetch for param in first.sites[0].params] == [
        CtxField(64, 8, False),  # r9
        UserMemory(sp, 8, 8),
        UserMemory(sp, 16, 8),
    ]
    first, *_ = resolve(Uprobe("c", NAMES), {"arg9"}, saved_target(ARM64[0]))
    (param,) = first.sites[0].params
    assert isinstance(param.fetch, UserMemory) and param.fetch.offset == 0


def test_an_offset() -> None:
    first, *_ = resolve(Uprobe("c", NAMES[:1], offset=4), set(), saved_target("6.12"))
    assert first.sites[0].attach.places == (UserPlace("c", 1149812),)


def test_what_is_not_there() -> None:
    target = saved_target("6.12")
    with pytest.raises(ProbeNotFound, match="no function nothing in c"):
        resolve(Uprobe("c", ("nothing", *NAMES)), set(), target)
    optional = Uprobe("c", ("nothing", *NAMES), optional=True)
    first, *_ = resolve(optional, set(), target)
    assert first.sites[0].attach.places == PLACES
    assert first.note == "c has no nothing"
    with pytest.raises(ProbeNotFound):
        resolve(Uprobe("c", ("nothing",), optional=True), set(), target)
    with pytest.raises(NoSuchParameter):
        resolve(Uprobe("c", NAMES, prototype="char *name"), {"nam"}, target)
    with pytest.raises(UsageError, match="is a double"):
        resolve(Uprobe("c", NAMES, prototype="double d"), {"d"}, target)


class Library(FixtureFacts):
    """A library with functions that cannot be probed."""

    def user_functions(
        self, library: str, patterns: Sequence[str], pid: int, copies: bool
    ) -> list[UserFile]:
        """Five that can, two that are chosen at run time, and four of AVX."""
        plain = [Function(f"f{n}", "", n, n, 1) for n in range(5)]
        chosen = [Function(f"mem{n}", "", n, 8 + n, 1, indirect=True) for n in (1, 2)]
        vectors = [Function(f"v{n}", "", n, 16 + n, 1, refused=True) for n in range(4)]
        every = {"*": [*plain, *chosen, *vectors], "mem1": chosen[:1]}
        return [UserFile(library, library, {each: every[each] for each in patterns})]


def test_functions_that_cannot_be_probed_are_left_out() -> None:
    target = Target(Library(str(SAVED)))
    first = resolve(Uprobe("c", ("*",)), set(), target)[0]
    places = [place.offset for place in first.sites[0].attach.places]
    assert places == [0, 1, 2, 3, 4]
    assert first.note == (
        "mem1, mem2 cannot be probed: chosen at run time from several functions (IFUNC)"
        "; 4 functions cannot be probed: no probe can be on the first instruction"
    )
    with pytest.raises(ProbeNotFound, match="c: mem1 cannot be probed: chosen at run"):
        resolve(Uprobe("c", ("mem1",)), set(), target)


class Go(FixtureFacts):
    """A program in Go, with a function in C."""

    def user_functions(
        self, library: str, patterns: Sequence[str], pid: int, copies: bool
    ) -> list[UserFile]:
        """All that are asked for."""
        found = {each: [Function(each, "", 0, 8, 1)] for each in patterns}
        return [UserFile(library, library, found, is_go=True)]


def test_returns_of_go_would_kill_the_program() -> None:
    target = Target(Go(str(SAVED)))
    assert resolve(Uprobe("shop", ("main.sell",)), set(), target)
    assert resolve(Uretprobe("shop", ("crypt",)), set(), target)
    with pytest.raises(NotSupported, match="of shop is a function in Go"):
        resolve(Uretprobe("shop", ("main.sell",)), set(), target)


class Returns(FixtureFacts):
    """A program that has every function that it is asked for, in this order."""

    def user_functions(
        self, library: str, patterns: Sequence[str], pid: int, copies: bool
    ) -> list[UserFile]:
        """All that are asked for, each at the place of its number."""
        found = {
            name: [Function(name, "", number, number, 1)]
            for number, name in enumerate(patterns)
        }
        return [UserFile(library, library, found)]


def test_a_place_behind_the_end_of_its_function() -> None:
    target = Target(Returns(str(SAVED)))
    with pytest.raises(
        ProbeNotFound, match=r"f of shop ends before \+1: it has 1 bytes"
    ):
        resolve(Uprobe("shop", ("f",), offset=1), set(), target)


KEPT = ("_setjmp", "__sigsetjmp", "siglongjmp", "__longjmp_chk", "swapcontext")
JUMPED_TO = ("_start", "_Z4sellv.cold", "sell.cold.1", "__restore_rt")
LIKE_THEM = ("getcontext_of", "start", "coldest", "my_setjmp_test", "throw_away")


def test_returns_that_would_kill_the_program_are_left_out() -> None:
    target = Target(Returns(str(SAVED)))
    every = (*KEPT, *JUMPED_TO, *LIKE_THEM)
    at_entry = resolve(Uprobe("shop", every), set(), target)[0]
    assert len(at_entry.sites[0].attach.places) == len(every)
    at_return = resolve(Uretprobe("shop", every), set(), target)[0]
    places = [place.offset for site in at_return.sites for place in site.attach.places]
    assert places == list(range(len(every)))[-len(LIKE_THEM) :]
    for name, why in (("setjmp", "returns to more"), ("f.cold", "jumped to")):
        with pytest.raises(ProbeNotFound, match=f"{name} cannot be probed: {why}"):
            resolve(Uretprobe("shop", (name,)), set(), target)


def test_places_of_a_probe_that_agree_share_a_program() -> None:
    target = saved_target("6.12")
    places = UserPlace("app", 4096, 8192), UserPlace("app", 4160, 8192)
    for candidate in resolve(Usdt("app", "begin"), {"arg2", "arg3"}, target):
        (site,) = candidate.sites
        assert site.attach.places == places
        assert [(param.type, param.fetch) for param in site.params] == [
            ("u64", UserMemory(CtxField(32, 8, False), -8, 8)),  # bp
            ("s32", Number(5)),
        ]
    for candidate in resolve(Usdt("app", "app:begin"), {"arg1"}, target):
        first, second = candidate.sites
        assert (first.attach.places, second.attach.places) == (
            places[:1],
            places[1:],
        )
        assert first.params[0].fetch == CtxField(112, 4, True)  # di
        assert second.params[0].fetch == CtxField(104, 4, True)  # si


def test_names_and_types_of_a_probe_by_its_prototype() -> None:
    intention = Usdt("app", "begin", prototype="int id, char *text")
    first, *_ = resolve(intention, {"text"}, saved_target("6.12"))
    (param,) = first.sites[0].params
    assert (param.name, param.type, param.user) == ("text", "char *", True)


def test_probes_that_cannot_be_read() -> None:
    target = saved_target("6.12")
    with pytest.raises(NotSupported, match="floating-point"):
        resolve(Usdt("app", "mixed"), {"arg1"}, target)
    with pytest.raises(NotSupported, match="does not tell where nowhere is"):
        resolve(Usdt("app", "mixed"), {"arg2"}, target)
    with pytest.raises(NoSuchParameter):
        resolve(Usdt("app", "mixed"), {"arg3"}, target)
    with pytest.raises(ProbeNotFound, match="no USDT probe other:begin in app"):
        resolve(Usdt("app", "other:begin"), set(), target)
