"""Random kernel-side programs: the model, the interpreter and the kernel must agree.

It takes the same programs each time; `./test --fuzz` takes others, for as long as one
likes.
"""

from __future__ import annotations

import os
import unittest

from tests.fuzz.choices import Choices
from tests.fuzz.programs import Programs

EXAMPLES = int(os.environ.get("SKEP_EXAMPLES", "200"))


class RandomPrograms(unittest.TestCase):
    def test_three_ways_agree(self) -> None:
        subject = Programs()
        for number in range(EXAMPLES):
            case = subject.case(Choices(number))
            with self.subTest(number, program=case.text):
                case.check()
