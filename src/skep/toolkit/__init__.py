"""From a tool's module to a run; and the few functions that tools call themselves."""

from skep.toolkit.checks import (
    check_drawn,
    check_stacks,
    choose_csv,
    contains,
    cpu,
    limit_of_time,
    matches,
    not_negative,
    one_of,
    own_pid,
    pages,
    positive,
)
from skep.toolkit.tool import Declared, Listing

__all__ = [
    "Declared",
    "Listing",
    "check_drawn",
    "check_stacks",
    "choose_csv",
    "contains",
    "cpu",
    "limit_of_time",
    "matches",
    "not_negative",
    "one_of",
    "own_pid",
    "pages",
    "positive",
]
