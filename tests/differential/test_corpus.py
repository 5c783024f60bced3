"""What the fuzzer once found wrong does not come again; see CONTRIBUTING.md."""

from __future__ import annotations

import unittest

from tests.fuzz import corpus
from tests.fuzz.subjects import SUBJECTS


class Corpus(unittest.TestCase):
    def test_is_right_now(self) -> None:
        for name, subject in SUBJECTS.items():
            for kept in corpus.cases(name):
                with self.subTest(kept.path.name):
                    subject.kept(kept.text).check()

    def test_says_what_was_wrong(self) -> None:
        for name in SUBJECTS:
            for kept in corpus.cases(name):
                with self.subTest(kept.path.name):
                    self.assertTrue(kept.wrong.startswith("# "))
                    self.assertNotIn("TODO", kept.wrong)
