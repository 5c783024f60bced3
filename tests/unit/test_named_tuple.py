"""skep's named tuples behave as those of `typing`."""

from __future__ import annotations

import copy
import typing
from typing import Any

import pytest

from skep.named_tuple import NamedTuple


class Original(typing.NamedTuple):
    """A pair."""

    first: int
    second: str = "b"

    @property
    def both(self) -> str:
        return f"{self.first}{self.second}"


class Point(NamedTuple):
    """A pair."""

    first: int
    second: str = "b"

    @property
    def both(self) -> str:
        return f"{self.first}{self.second}"


class Other(NamedTuple):
    x: int
    y: int


class Single(NamedTuple):
    only: int


class Empty(NamedTuple):
    pass


class Derived(Point):
    __slots__ = ()

    def twice(self) -> int:
        return 2 * self.first


BOTH = pytest.mark.parametrize("pair", [Original, Point])


@BOTH
def test_what_they_are(pair: Any) -> None:
    made = pair(1)
    assert made == (1, "b") and made.second == "b" and made.both == "1b"
    assert isinstance(made, tuple) and hash(made) == hash((1, "b"))
    assert pair(second="c", first=2) == (2, "c")
    assert pair._fields == ("first", "second")
    assert made._replace(first=3) == (3, "b")
    assert type(made._replace(first=3)) is pair
    assert made._asdict() == {"first": 1, "second": "b"}
    assert repr(made) == f"{pair.__name__}(first=1, second='b')"
    assert pair._make([4, "d"]) == (4, "d")
    assert copy.copy(made) == made and type(copy.deepcopy(made)) is pair
    assert pair.__doc__ == "A pair." and type(pair) is type
    assert not hasattr(made, "__dict__")


@BOTH
def test_wrong_arguments(pair: Any) -> None:
    for arguments in ((), (1, 2, 3)):
        with pytest.raises(TypeError, match="__new__"):
            pair(*arguments)
    with pytest.raises(TypeError, match="unexpected keyword argument 'third'"):
        pair(1, third=2)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        pair(second=2)
    with pytest.raises(AttributeError):
        pair(1).first = 2


def test_classes_with_as_many_fields_are_independent() -> None:
    assert Other(1, y=2) == (1, 2) and Other(1, 2).x == 1
    with pytest.raises(TypeError, match="'y'"):
        Other(1)  # type: ignore[call-arg]
    assert Single(5).only == 5 and Empty() == ()
    assert Derived(2).twice() == 4 and Derived(2)._replace(first=3) == (3, "b")
