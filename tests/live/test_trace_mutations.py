"""Every program that a text makes loads: the verifier refuses none."""

from __future__ import annotations

import random

from skep.errors import (
    InternalError,
    NotPermitted,
    NotSupported,
    SkepError,
    VerifierRejection,
)
from skep.runtime.collection import Collection
from skep.target import Target
from tests.live.probe_programs import binding_of, candidates, collection
from tests.live.probe_texts import GOOD, mutants
from tests.live.support import ARM64, KERNEL, SLOW, LiveTest, only_on

SEED = 65537
COUNT = 3001 if SLOW == 1 else 101 if KERNEL == ARM64 else 251

# Once refused by a verifier.
REFUSED = (
    't:sched:sched_switch (*args->prev_comm) ""',
    't:sched:sched_switch "%c", args->prev_comm[$cpu]',
    't:sched:sched_switch "%s", args->prev_comm + $cpu',
    't:sched:sched_switch (STRCMP("tty", args->prev_comm + 1)) "x"',
    't:sched:sched_process_exec "%s", args->filename + 1',
    't:sched:sched_process_exec "%c%c", args->filename[0], args->filename[$cpu]',
)


# Texts that are no probes.
WRONG = ("vfs_read\udcff", "t:sched:../sched/sched_switch", "t:..:sched", "c:\udcff")


class Mutations(LiveTest):
    target: Target

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.target = Target.from_host()

    def loaded(self, text: str, binary: bool = False) -> int:
        """How many programs of the text's candidates the kernel has loaded.

        Raises SkepError for a text that is no probe.
        """
        binding = binding_of("trace", self.target, probes=[text], binary=binary)
        loaded = 0
        for _, rung in candidates(binding, self.target):
            spec = collection(rung, binding, self.target)
            with Collection() as objects:
                try:
                    objects.add(spec, attached=False)
                    loaded += len(spec.programs)
                except (NotPermitted, NotSupported):
                    pass  # as to which kinds of programs there are
        return loaded

    def test_what_was_refused_once(self) -> None:
        for text in REFUSED:
            with self.subTest(text=text):
                self.assertGreater(self.loaded(text), 0)

    @only_on("6.1")
    def test_odd_characters(self) -> None:
        self.assertGreater(self.loaded('c:malloc "\udcff %s", "é\udcff"'), 0)
        for text in WRONG:
            with self.subTest(text=text), self.assertRaises(SkepError) as caught:
                self.loaded(text)
            self.assert_refused(text, caught.exception)

    @only_on("5.10")
    def test_what_is_right(self) -> None:
        loaded = 0
        for text in GOOD:
            with self.subTest(text=text):
                try:
                    loaded += self.loaded(text)
                except SkepError as error:
                    self.assert_refused(text, error)
        # Kernels differ in members, libraries in probes.
        self.assertGreater(loaded, len(GOOD) // 2)

    @only_on("6.12", ARM64)
    def test_mutants(self) -> None:
        chance = random.Random(SEED)
        texts = mutants(chance)
        loaded = 0
        for _ in range(COUNT):
            text, binary = next(texts), chance.random() < 0.1
            try:
                loaded += self.loaded(text, binary)
            except SkepError as error:
                self.assert_refused(text, error)
            except Exception as error:
                raise AssertionError(text) from error
        self.assertGreater(loaded, COUNT // 10)

    def assert_refused(self, text: str, error: SkepError) -> None:
        """The error is one of the text, not one of ours."""
        self.assertNotIsInstance(error, (InternalError, VerifierRejection), text)
        if text.strip():
            self.assertIsNotNone(error.diagnostic.span, f"{text!r}: {error}")
