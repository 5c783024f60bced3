"""The kernel's error numbers in words, as errors for the user."""

from __future__ import annotations

import errno

from skep.errors import NotSupported, SkepError
from skep.runtime import privileges
from skep.runtime.syscall.libc import ENOTSUPP, describe

_NOT_PERMITTED = (errno.EPERM, errno.EACCES)
_NOT_SUPPORTED = (
    errno.E2BIG,  # members of bpf_attr that this kernel does not know
    errno.EINVAL,
    errno.ENODEV,
    errno.ENOSYS,
    errno.EOPNOTSUPP,
    ENOTSUPP,
)


def refusal(
    error: OSError, action: str, otherwise: type[SkepError] = SkepError
) -> SkepError:
    """What to raise when `action` ("create the map events") failed with `error`.

    `otherwise` is the class for causes that are neither lack of privilege nor of
    support.
    """
    number = error.errno or 0
    answer = describe(number)
    if number in _NOT_PERMITTED:
        return privileges.denial(action, answer, privileges.current())
    if number in _NOT_SUPPORTED:
        return NotSupported(f"this kernel cannot {action} ({answer})")
    if number == errno.EMFILE:
        return otherwise(
            f"cannot {action}: too many open files", hint="raise `ulimit -n`"
        )
    return otherwise(f"cannot {action}: {answer}")
