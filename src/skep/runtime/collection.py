"""All kernel objects of one tool run, made together and taken down together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Callable, TypeVar

from skep.errors import (
    AttachError,
    InternalError,
    NotPermitted,
    NotSupported,
    ProbeNotFound,
    SkepError,
    TargetError,
    VerifierRejection,
)
from skep.named_tuple import NamedTuple
from skep.runtime.links import Link, attach, close_links
from skep.runtime.maps import Map
from skep.runtime.programs import Program
from skep.spec import CollectionSpec, MapSpec

C = TypeVar("C")
R = TypeVar("R")

_FALL_BACK_ON = (
    AttachError,
    NotPermitted,
    NotSupported,
    ProbeNotFound,
    TargetError,
    VerifierRejection,
)


class Mark(NamedTuple):
    """How many objects of each kind a collection has."""

    maps: int
    programs: int
    links: int


class Collection:
    """Maps, programs and links, by the order in which they were made.

    A context manager: leaving it detaches the programs, then frees them, then the maps.
    """

    def __init__(self) -> None:
        self.maps: dict[str, Map] = {}
        self.programs: list[Program] = []
        self.links: list[Link] = []

    @classmethod
    def load(cls, spec: CollectionSpec, verbose: bool = False) -> Collection:
        """Create, load and attach all; on failure nothing is left behind."""
        collection = cls()
        collection.add(spec, verbose)
        return collection

    def add(
        self, spec: CollectionSpec, verbose: bool = False, attached: bool = True
    ) -> None:
        """Create, load and attach what `spec` has, or nothing of it.

        A map that the collection already has under the same name is shared.  Programs
        are attached in the order of the spec, after all of them have been loaded;
        without `attached` not at all.
        """
        addition = Collection()
        try:
            for wanted in spec.maps:
                if not self._has(wanted):
                    addition.maps[wanted.name] = Map.create(wanted)
            maps = {**self.maps, **addition.maps}
            for program in spec.programs:
                addition.programs.append(Program.load(program, maps, verbose))
            for loaded in addition.programs if attached else ():
                if loaded.spec.attach.kind != "test_run":
                    addition.links.append(attach(loaded))
        except BaseException:
            addition.close()
            raise
        self.maps.update(addition.maps)
        self.programs += addition.programs
        self.links += addition.links

    def _has(self, wanted: MapSpec) -> bool:
        present = self.maps.get(wanted.name)
        if present is not None and present.spec != wanted:
            raise InternalError(f"two different maps are called {wanted.name!r}")
        return present is not None

    def add_first(
        self,
        ladder: Iterable[tuple[C, Callable[[], CollectionSpec]]],
        verbose: bool = False,
    ) -> tuple[C, list[tuple[C, SkepError]]]:
        """Add the first candidate whose programs load and attach.

        The ladder has candidates, best first, each with what compiles it.  Returns the
        one that was taken, and those before it with what went wrong.  When all fail,
        raises the error of the first, with those of the others as notes.
        """

        def add(compile_spec: Callable[[], CollectionSpec]) -> None:
            self.add(compile_spec(), verbose)

        choices = ((each, partial(add, compile_spec)) for each, compile_spec in ladder)
        candidate, _, failures = self.first_of(choices)
        return candidate, failures

    def first_of(
        self, choices: Iterable[tuple[C, Callable[[], R]]]
    ) -> tuple[C, R, list[tuple[C, SkepError]]]:
        """The first choice whose function works, with what that returns.

        What a function that fails has added is taken away.  Returns also the choices
        before, with their errors; raises as `add_first` does.
        """
        failures: list[tuple[C, SkepError]] = []
        for choice, attempt in choices:
            mark = self.mark()
            try:
                return choice, attempt(), failures
            except _FALL_BACK_ON as error:
                failures.append((choice, error))
                self.back_to(mark)
        raise _nothing_worked([error for _, error in failures])

    def close(self) -> None:
        """Detach and free everything, in reverse order."""
        self.back_to(Mark(0, 0, 0))

    def mark(self) -> Mark:
        """How much the collection has by now, for `back_to`."""
        return Mark(len(self.maps), len(self.programs), len(self.links))

    def back_to(self, mark: Mark) -> None:
        """Detach and free what has come since the mark, in reverse order."""
        close_links(self.links[mark.links :])
        del self.links[mark.links :]
        while len(self.programs) > mark.programs:
            self.programs.pop().close()
        for name in reversed(list(self.maps)[mark.maps :]):
            self.maps.pop(name).close()

    def __enter__(self) -> Collection:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _nothing_worked(errors: Sequence[SkepError]) -> SkepError:
    """The first error, which is that of the best candidate, and notes on the others."""
    if not errors:
        return InternalError("a probe has no candidates")
    first = errors[0]
    said = {_reason(first)}
    notes = list(first.diagnostic.notes)
    for error in errors[1:]:
        # A capability is missing for all candidates alike: said once.
        if _reason(error) not in said:
            said.add(_reason(error))
            notes.append(f"also tried: {error.diagnostic.message}")
    first.diagnostic = first.diagnostic._replace(notes=notes)
    return first


def _reason(error: SkepError) -> str:
    """What a message says after what could not be done."""
    message = error.diagnostic.message
    return message.partition(": ")[2] or message
