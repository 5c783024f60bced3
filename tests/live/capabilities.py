"""Commands run as nobody, with some capabilities."""

from __future__ import annotations

import platform
import subprocess
import unittest
from collections.abc import Sequence

from tests.live import support

NOBODY = 65534

# setpriv of 2020 (util-linux 2.36) does not know these names, but the numbers.
NUMBERS = {"perfmon": "cap_38", "bpf": "cap_39"}


def enough() -> tuple[str, ...]:
    """The capabilities that suffice for all tools on this kernel."""
    major, minor = map(int, platform.release().split(".")[:2])
    # Until 5.10 maps count as locked memory, of which users have little.
    limited = (major, minor) <= (5, 10)
    return ("bpf", "perfmon", "sys_resource") if limited else ("bpf", "perfmon")


def holding(capabilities: Sequence[str]) -> list[str]:
    """A command that runs another one as nobody with these capabilities."""
    command = ["setpriv", f"--reuid={NOBODY}", "--clear-groups"]
    if capabilities:
        wanted = ",".join(f"+{NUMBERS.get(name, name)}" for name in capabilities)
        command += [f"--inh-caps={wanted}", f"--ambient-caps={wanted}"]
    return command


class CapabilitiesTest(support.LiveTest):
    """A test that runs commands with some capabilities."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        try:
            command = [*holding(enough()), "true"]
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise unittest.SkipTest(f"setpriv: {error}") from None
