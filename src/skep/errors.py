"""Where something is, what is wrong with it, and what to do about it.

Every message to a user passes through `Diagnostic.render`; it is the only code
that draws carets, and escapes what messages quote: names and texts from files and
programs of others.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence

from skep.escape import escape
from skep.named_tuple import NamedTuple


class Span(NamedTuple):
    """A range of source text.

    Lines count from 1 and columns from 0, as in Python's own `ast`; the end is
    exclusive.  `text` is the source line that `line` names, kept so that a message
    can quote it after the file has changed or when there never was a file.
    """

    file: str
    line: int
    column: int
    end_column: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column + 1}"

    def excerpt(self) -> str:
        """The source line with carets under the range, indented by two spaces."""
        text = self.text.rstrip()
        first = len(text) - len(text.lstrip())
        start = max(first, self.column)
        end = max(start + 1, min(self.end_column, len(text)))
        before, marked = escape(text[first:start]), escape(text[start:end])
        carets = "^" * max(1, len(marked))
        return f"  {escape(text[first:])}\n  {' ' * len(before)}{carets}"


class Diagnostic(NamedTuple):
    """One message: what is wrong, where, more facts, and what to do."""

    message: str
    span: Span | None = None
    notes: Sequence[str] = ()
    hint: str = ""

    def render(self) -> str:
        """The message as shown to a user, without a trailing newline."""
        lines = [f"{self.span}: {self.message}" if self.span else self.message]
        lines += [f"  note: {note}" for note in self.notes]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        # Line feeds, too: a name is not to look like a line of its own.
        lines = [escape(line) for line in lines]
        if self.span:
            lines.insert(1, self.span.excerpt())
        return "\n".join(lines)


class SkepError(Exception):
    """An error with a `Diagnostic`; the base of all errors that skep raises."""

    exit_status = 1

    def __init__(
        self,
        message: str,
        span: Span | None = None,
        notes: Sequence[str] = (),
        hint: str = "",
    ) -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic(message, span, tuple(notes), hint)

    def __str__(self) -> str:
        return self.diagnostic.render()


class UsageError(SkepError):
    """The command line, or a call from Python, asks for something impossible."""

    exit_status = 2


class NoSuchProcess(UsageError):
    """There is no process with the number that the command line names."""


class CompileError(SkepError):
    """Kernel-side code that cannot be compiled, with the place in its source."""


class InternalError(SkepError):
    """Something skep itself got wrong."""


class TargetError(SkepError):
    """A fact about the kernel is missing or malformed (BTF, tracepoint formats)."""


class ProbeNotFound(SkepError):
    """The kernel has no such function, tracepoint or system call."""


class NotLoaded(SkepError):
    """A module of the kernel is needed and not there."""


class NotPermitted(SkepError):
    """The kernel refused for lack of privilege; the message names what is missing."""


class NotSupported(SkepError):
    """The kernel lacks the facility."""


class VerifierRejection(SkepError):
    """The verifier refused a program that skep generated: a bug in skep.

    `log` is all that the verifier said.
    """

    log = ""


class TooComplex(VerifierRejection):
    """The verifier gave up on a program: too many paths, or too long loops."""


class AttachError(SkepError):
    """A loaded program could not be attached."""


class Incomplete(SkepError):
    """Something was lost, in a run that was to be complete."""

    exit_status = 3


class TooExpensive(SkepError):
    """The programs of a run took more of a CPU than they were allowed."""

    exit_status = 4


MACHINE_ERRORS = (OSError, MemoryError, ImportError)
_FULL = (errno.EMFILE, errno.ENFILE)


def refusal(error: OSError | MemoryError | ImportError) -> SkepError:
    """What the machine refused, as an error, where nobody has said what it was for."""
    if isinstance(error, ImportError):
        if not isinstance(error.__cause__, OSError):
            return SkepError(
                f"this Python lacks what skep needs: {error}",
                hint="is its standard library whole? On Debian it is in 'python3'",
            )
        error = error.__cause__
    if isinstance(error, MemoryError) or error.errno == errno.ENOMEM:
        return SkepError(
            "there is not enough memory",
            hint="is there a limit, by `ulimit -v` or of a cgroup?",
        )
    reason = error.strerror or str(error)
    hint = "is there a limit, by `ulimit -n`?" if error.errno in _FULL else ""
    if error.filename is None:
        return SkepError(f"the system refuses what skep needs: {reason}", hint=hint)
    name = os.fsdecode(error.filename) if error.filename else ""
    if name.startswith("/proc/") and not os.path.isdir("/proc/self"):
        return SkepError("/proc is not mounted", hint="mount -t proc proc /proc")
    if not hint and name.startswith(("/proc/", "/sys/")):
        hint = "is it mounted?"
    return SkepError(f"cannot open {name}: {reason}", hint=hint)


_NEAR = 0.6


def near_matches(name: str, candidates: Sequence[str], limit: int = 3) -> list[str]:
    """The candidates most like `name`, best first, for "did you mean" notes.

    Of those that are equally near the first come first; difflib's own function takes
    the last in the alphabet.
    """
    import difflib  # only ever needed on the way out

    matcher = difflib.SequenceMatcher(b=name)
    found = []
    for candidate in candidates:
        matcher.set_seq1(candidate)
        # Dear ones come last, and an upper bound of each is cheap.
        bounds = (matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio)
        if all(bound() >= _NEAR for bound in bounds):
            found.append((matcher.ratio(), candidate))
    found.sort(key=lambda each: each[0], reverse=True)  # stable
    return [candidate for _, candidate in found[:limit]]


def did_you_mean(name: str, candidates: Sequence[str], limit: int = 3) -> str:
    """A hint at the candidates most like `name`, empty if none is."""
    near = near_matches(name, candidates, limit)
    return f"did you mean {' or '.join(near)}?" if near else ""
