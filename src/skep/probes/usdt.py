"""USDT probes: places that a program's author has marked, with their arguments."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from skep.errors import NotSupported, ProbeNotFound, did_you_mean
from skep.probes.candidate import (
    Candidate,
    CtxField,
    Fetch,
    Number,
    Param,
    Site,
    UserAddress,
    UserMemory,
)
from skep.probes.intention import Usdt
from skep.probes.parameters import Declared, parse_prototype, require
from skep.probes.places import PLACE, place_params
from skep.probes.registers import Registers
from skep.probes.user import candidates
from skep.spec import AttachSpec, UserPlace
from skep.symbols.name_pattern import Matching
from skep.symbols.usdt import UsdtProbe
from skep.symbols.usdt_arguments import (
    Argument,
    Constant,
    Memory,
    Register,
    parse,
    split,
)
from skep.target import Target
from skep.target.user import UserFile


def resolve(
    intention: Usdt, needs: AbstractSet[str], target: Target
) -> list[Candidate]:
    """The ways to run a program at a USDT probe, best first.

    A probe that was compiled in several times may have its arguments elsewhere each
    time.  Places that agree on those that the handler needs share a program.
    """
    provider, name = _split(intention.name)
    pid = intention.pid or 0
    reader = _Reader(intention, needs, target)
    files = target.usdt_probes(intention.library, provider, name, pid)
    groups: dict[tuple[Param, ...], dict[UserPlace, str]] = {}
    shown_names = _names([probe for file in files for probe in file.probes])
    for file in files:
        for probe in file.probes:
            place = UserPlace(file.path, probe.offset, probe.semaphore)
            group = groups.setdefault(reader.params(probe, file), {})
            group[place] = shown_names[probe.provider, probe.name]
    if not groups:
        raise _unknown(intention, files)
    attach = AttachSpec("uprobe", f"{intention.library}:{intention.name}", pid=pid)
    number = place_params(needs, target)
    sites = []
    for params, named in groups.items():
        names = tuple(named.values()) if number else ()
        here = attach._replace(places=tuple(named), names=names)
        sites.append(Site(here, (*params, *number)))
    places = [place for group in groups.values() for place in group]
    return candidates(sites, places, "", target)


def _split(name: str) -> tuple[str, str]:
    """Provider and probe; of a regular expression all is about the probe."""
    if isinstance(name, Matching):
        return "", name
    provider, _, probe = name.rpartition(":")
    return provider, probe


def _names(probes: Sequence[UsdtProbe]) -> dict[tuple[str, str], str]:
    """What probes are called, by provider and name: with the provider where several
    have probes."""
    every = {(probe.provider, probe.name) for probe in probes}
    several = len({provider for provider, _ in every}) > 1
    return {
        (provider, name): f"{provider}:{name}" if several else name
        for provider, name in every
    }


def _unknown(intention: Usdt, files: Sequence[UserFile]) -> ProbeNotFound:
    where = " and ".join(file.shown for file in files)
    others = [name for file in files for name in file.others]
    if ":" not in intention.name:
        others = [name.rpartition(":")[2] for name in others]
    hint = did_you_mean(intention.name, others)
    if not others:
        hint = "the file has no USDT probes at all"
    return ProbeNotFound(
        f"there is no USDT probe {intention.name} in {where}", hint=hint
    )


class _Reader:
    """Makes parameters of a probe's arguments."""

    def __init__(
        self, intention: Usdt, needs: AbstractSet[str], target: Target
    ) -> None:
        self._shown = f"{intention.library}:{intention.name}"
        self._needs = needs
        self._arch = target.arch
        self._registers = Registers(target)
        self._declared = parse_prototype(intention.prototype)

    def params(self, probe: UsdtProbe, file: UserFile) -> tuple[Param, ...]:
        """The parameters that the handler needs, at one place of the probe."""
        texts = split(probe.arguments)
        declared = self._declared or [
            Declared(f"arg{number}", "") for number in range(1, len(texts) + 1)
        ]
        known = [each.name for each, _ in zip(declared, texts)]
        require(self._needs, [*known, PLACE], self._shown)
        return tuple(
            self._param(each, text, probe, file)
            for each, text in zip(declared, texts)
            if each.name in self._needs
        )

    def _param(
        self, declared: Declared, text: str, probe: UsdtProbe, file: UserFile
    ) -> Param:
        try:
            argument = parse(text, self._arch)
            fetch = self._fetch(argument, probe, file)
        except NotSupported as error:
            raise NotSupported(
                f"{declared.name} of {self._shown} cannot be read:"
                f" {error.diagnostic.message}",
                hint=error.diagnostic.hint,
            ) from error
        return Param(declared.name, declared.type or argument.type, fetch, True)

    def _fetch(self, argument: Argument, probe: UsdtProbe, file: UserFile) -> Fetch:
        operand, size = argument.operand, argument.size
        if isinstance(operand, Register):
            if not operand.part.path:
                return Number(0)
            return self._registers.part(operand.part, size, argument.signed)
        if isinstance(operand, Constant):
            if not operand.symbol:
                return Number(operand.value)
            base, distance = self._relative(operand.symbol, probe, file)
            return UserAddress(base, distance + operand.value)
        return self._memory(operand, size, probe, file)

    def _memory(
        self, operand: Memory, size: int, probe: UsdtProbe, file: UserFile
    ) -> UserMemory:
        offset = operand.offset
        base = None
        if operand.symbol:
            base, distance = self._relative(operand.symbol, probe, file)
            offset += distance
        elif operand.base is not None and operand.base.path:
            base = self._registers.part(operand.base)
        scaled = None
        if operand.scaled is not None and operand.scaled.path:
            scaled = self._registers.part(operand.scaled, 8, operand.scaled_signed)
        return UserMemory(base, offset, size, scaled, operand.scale)

    def _relative(
        self, symbol: str, probe: UsdtProbe, file: UserFile
    ) -> tuple[CtxField, int]:
        """A symbol, counted from the probe: wherever the file is loaded, that stays."""
        address = file.addresses.get(symbol)
        if address is None:
            raise NotSupported(f"{file.shown} does not tell where {symbol} is")
        return self._registers.instruction_pointer, address - probe.address
