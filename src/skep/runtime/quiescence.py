"""Waiting until no program that runs now is still running."""

from __future__ import annotations

import os
import struct

from skep.runtime.maps import KINDS
from skep.runtime.refusals import refusal
from skep.runtime.syscall import bpf


class Quiescence:
    """Waits for the programs that run when `wait` is called.

    A reader that switches programs from one map to another calls it before it reads the
    first: programs that saw the old switch may still be adding to it.

    The kernel promises this wait, one RCU grace period, to who updates a map of maps
    (maybe_wait_bpf_programs, kernel/bpf/syscall.c, since 5.0), so one is kept for the
    purpose.  It takes about 8 ms.
    """

    def __init__(self) -> None:
        try:
            self._inner = bpf.map_create(KINDS["array"], 4, 4, 1, 0, b"wait_inner")
            try:
                self._outer = bpf.map_create(
                    KINDS["array_of_maps"],
                    4,
                    4,
                    1,
                    0,
                    b"wait",
                    inner_map_fd=self._inner,
                )
            except OSError:
                os.close(self._inner)
                raise
        except OSError as error:
            raise refusal(error, "create a map of maps") from error

    def wait(self) -> None:
        """Return when every program that was running has ended."""
        bpf.map_update(self._outer, bytes(4), struct.pack("=I", self._inner))

    def close(self) -> None:
        """Free the maps."""
        os.close(self._outer)
        os.close(self._inner)
