"""From a tool's module to a run; and the few functions that tools call themselves."""

from skep.toolkit.checks import contains, matches, not_negative, pages, positive

__all__ = ["contains", "matches", "not_negative", "pages", "positive"]
