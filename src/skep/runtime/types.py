"""Our own BTF for one program: its function and its source lines."""

from __future__ import annotations

import os
from typing import NamedTuple

from skep.spec import ProgramSpec


class Types(NamedTuple):
    """What BPF_PROG_LOAD takes to know a program's source; `btf_fd` 0 means nothing."""

    btf_fd: int = 0
    func_info: bytes = b""
    line_info: bytes = b""

    def close(self) -> None:
        """Let go of the BTF; a loaded program keeps it."""
        if self.btf_fd:
            os.close(self.btf_fd)


def load_types(spec: ProgramSpec) -> Types:
    return Types()
