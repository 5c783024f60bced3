"""All that is fuzzed."""

from __future__ import annotations

from tests.fuzz.programs import Programs
from tests.fuzz.subject import Subject

SUBJECTS: dict[str, Subject] = {each.name: each for each in (Programs(),)}
