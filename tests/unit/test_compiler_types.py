"""Types by their C spelling."""

from __future__ import annotations

import pytest

from skep.compiler.types import Struct, from_c
from skep.errors import TargetError
from tests.fixtures import saved_target


def test_structures_by_the_c_librarys_name() -> None:
    btf = saved_target("6.18").btf
    found = from_c("struct utsname", btf)
    assert isinstance(found, Struct)
    assert found == from_c("struct new_utsname", btf)


def test_what_the_kernel_does_not_know() -> None:
    btf = saved_target("6.18").btf
    with pytest.raises(TargetError, match="this kernel has no type 'struct addrinfo'"):
        from_c("struct addrinfo", btf)
