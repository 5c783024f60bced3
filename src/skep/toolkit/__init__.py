"""From a tool's module to a run; and the few functions that tools call themselves."""

from skep.toolkit.checks import contains, matches, pages, positive

__all__ = ["contains", "matches", "pages", "positive"]
