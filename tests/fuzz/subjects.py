"""All that is fuzzed."""

from __future__ import annotations

from tests.fuzz.programs import Programs
from tests.fuzz.subject import Subject
from tests.fuzz.texts import TEXTS

SUBJECTS: dict[str, Subject] = {each.name: each for each in (Programs(), *TEXTS)}
