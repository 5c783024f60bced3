"""Names of C++ and Rust."""

from __future__ import annotations

import ctypes
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skep.symbols.demangle import demangle


def has_cpp() -> bool:
    try:
        ctypes.CDLL("libstdc++.so.6")
    except OSError:
        return False
    return True


CPP = {
    "_ZN9benchmark5State3RunEv": "benchmark::State::Run()",
    "_ZNSt6vectorIiSaIiEE9push_backEOi": "std::vector<int, std::allocator<int> >"
    "::push_back(int&&)",
    "_ZL4helpi.part.0": "help(int) [clone .part.0]",
    "_ZdlPv": "operator delete(void*)",
    "_ZTV4Base": "vtable for Base",
    "_Z": "_Z",
    "_Znot_a_name": "_Znot_a_name",
}

# c++filt of binutils has shown these, but for hashes and the types of constants.
RUST = {
    "_ZN4core3fmt9Formatter9write_str17h0123456789abcdefE": (
        "core::fmt::Formatter::write_str"
    ),
    "_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$"
    "3bar17h930b740aa94f1d3aE": "<Test + 'static as foo::Bar<Test>>::bar",
    "_ZN3foo3bar17h0123456789abcdefE.llvm.1234": "foo::bar",
    "_RNvC6_123foo3bar": "123foo::bar",
    "_RNvCs4fqI2P2rA04_7mycrate7example": "mycrate::example",
    "_RNCNvCsgStHSCytQ6I_7mycrate4main0B3_": "mycrate::main::{closure#0}",
    "_RINvNtC3std3mem8align_ofjdE": "std::mem::align_of::<usize, f64>",
    "_RNvMNtC5alloc3vecINtB2_3VechE4push": "<alloc::vec::Vec<u8>>::push",
    "_RNvXC4testhNtB2_5Trait4call": "<u8 as test::Trait>::call",
    "_RNvYhNtC4test5Trait4call": "<u8 as test::Trait>::call",
    "_RINvC1r3genThReAxj3_EE": "r::gen::<(u8, &str, [i64; 3])>",
    "_RINvC1r1fFUKCPcQReEuE": 'r::f::<unsafe extern "C" fn(*const char, &mut &str)>',
    "_RINvC1r1fFG_RL0_hEuE": "r::f::<for<'a> fn(&'a u8)>",
    "_RINvC1r1fDNtB2_1Tp4ItemhEL_E": "r::f::<dyn r::T<Item = u8>>",
    "_RINvC1r1fKb1_Kan7f_Kc61_E": "r::f::<true, -127, 'a'>",
    "_RNvC1ru8gdel_5qa": "r::gödel",
    "_RNvC1r4__123": "r::_123",
}


@pytest.mark.skipif(not has_cpp(), reason="there is no libstdc++ here")
@pytest.mark.parametrize("name", CPP)
def test_cpp(name: str) -> None:
    assert demangle(name.encode()) == CPP[name]


@pytest.mark.parametrize("name", RUST)
def test_rust(name: str) -> None:
    assert demangle(name.encode()) == RUST[name]


@pytest.mark.parametrize(
    "name", ["main", "", "_start", "R", "_R", "Run", "\udcff", "a"]
)
def test_other_names_stay(name: str) -> None:
    assert demangle(name.encode("utf-8", "surrogateescape")) == name


def test_names_that_would_grow_without_end() -> None:
    cpp = "_Z1fI" + "1AI" * 60 + "S_S_E" * 60
    # Each type is a pair of the one before it.
    rust = "_RINvC1r1fThhE" + "".join(f"TB{at}_B{at}_E" for at in "abcdefghij") + "E"
    started = time.process_time()
    for name in (cpp, rust, "_R" + "NvC1a" * 500, "_ZN" + "1a" * 3000 + "E", "_RB_"):
        assert len(demangle(name.encode())) < 100_000
    assert time.process_time() - started < 5


@given(st.text("_RZNCTBSEIKMXY0123456789abchjp$.", max_size=60))
def test_any_name_has_some_form(rest: str) -> None:
    for prefix in ("_R", "_ZN", "_Z", ""):
        assert isinstance(demangle((prefix + rest).encode()), str)


@given(st.sampled_from(sorted(RUST)), st.data())
def test_broken_names_are_no_errors(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name)))
    new = data.draw(st.characters(min_codepoint=36, max_codepoint=122))
    for broken in (name[:at], name[:at] + new + name[at + 1 :]):
        assert isinstance(demangle(broken.encode()), str)
