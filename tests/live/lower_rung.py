#!/usr/bin/python3 -IS
"""Runs skep as if the first choices for each probe did not work.

It takes skep's arguments, and from the environment variables RUNG and PLAN how many
choices, and how many plans of the tool, to leave out.  Nothing of skep knows of this;
its receipt (-v) says what is attached.
"""

from __future__ import annotations

import os
import sys
from typing import Any

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))


def main() -> int:
    """Returns the exit status of the tool."""
    sys.path.insert(0, os.path.join(TREE, "src"))
    from skep import cli
    from skep.toolkit import session

    left_out = int(os.environ["RUNG"])
    whole_ladder = session.ladder_of

    def rest_of_ladder(*arguments: Any) -> list[session.Rung]:
        ladder = list(whole_ladder(*arguments))
        return ladder[min(left_out, len(ladder) - 1) :]

    plans_left_out = int(os.environ.get("PLAN") or 0)
    all_schemes = session.schemes_of

    def rest_of_plans(*arguments: Any) -> list[session.Scheme]:
        always, *plans = all_schemes(*arguments)
        return [always, *plans[plans_left_out:]]

    session.ladder_of = rest_of_ladder  # type: ignore[assignment]
    session.schemes_of = rest_of_plans  # type: ignore[assignment]
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
