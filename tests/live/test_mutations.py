"""Specifiers of argdist, and patterns of funccount and its kin, with mistakes in them:
an error message, or programs that the kernel loads.

Environment:
    SKEP_MUTATIONS   how many of each (503, in guests 53)
    SKEP_SEED        which (1)
"""

from __future__ import annotations

import os
import random
import re
import unittest
from typing import Any

from skep.errors import (
    AttachError,
    InternalError,
    NotPermitted,
    NotSupported,
    SkepError,
    VerifierRejection,
)
from skep.runtime.collection import Collection
from skep.spec import LEDGER, CollectionSpec
from skep.target import Target
from skep.toolkit.arguments import bind
from skep.toolkit.binding import Binding
from skep.toolkit.session import compile_programs, ladder_of, schemes_of
from skep.toolkit.tool import load
from tests.live import support

NUMBER = int(os.environ.get("SKEP_MUTATIONS", "53" if support.KERNEL else "503"))
SEED = int(os.environ.get("SKEP_SEED", "1"))

FORMS = [
    "p:c:strtol(const char *s, char **end, int base):char*,int:s,base:s[0] == '1'",
    "r:c:strtol(char *s):char*,long,u64:$entry(s),$retval,$latency:$retval/3 > 2#l",
    "p:c:write(int fd, void *buf, size_t count):u32,char *:$PID,$COMM:count>>2 & fd",
    "p:c:read(int fd, char *buf):u8:*(buf + fd)",
    "t:sched:sched_switch():int,char *:args->prev_pid,args->next_comm:!args->prev_prio",
    "t:syscalls:sys_enter_openat():char *,int:args->filename,args->dfd",
    "p::__x64_sys_openat(int dfd, char __user *name):char *:name:dfd > -3 || !name",
    "p:c:free():char*,u64:((struct task_struct *)arg1)->comm,sizeof(struct file)",
]

PIECES: list[str] = [
    *"()[]:#,.$*&<>=!+-/%~^|\"'0a ",
    *("->", "$retval", "struct ", "args->", "u64", "(u8)", "(char *)", "&s", "*s"),
    *("arg1", "arg2->", "[arg1]", "? 1 : 2", " && s", 'STRCMP("a",', "- 1", "<< 3"),
]


NAMES = ["s", "fd", "buf", "count", "base", "name", "arg1", "$PID", "$COMM", "$retval"]
OPERATORS = ["+", "-", "*", "/", "%", "&", "|", "<<", ">>", "==", "<", "&&", "||"]
TYPES = ["int", "u8", "u64", "char*", "void *", "size_t", "struct file *", "bool"]
SWAPS = [
    (r"(?<=[,:])(?:int|u8|u32|u64|long|char ?\*)(?=[,:])", TYPES),
    (r" (?:\+|>|/|&|\|\|) ", OPERATORS),
    (r"\$?\b(?:s|fd|buf|count|base|name|arg1)\b(?![^(]*\))", NAMES),
    (r"\b\d\b", ["0", "7", "-1", "1UL", "'a'", "(1 << 31)", "~0", "sizeof(long)"]),
]


def mutated(generator: random.Random) -> str:
    """A specifier with one mistake anywhere, or with some parts exchanged for others of
    their kind, which may be none."""
    text = generator.choice(FORMS)
    if generator.random() < 0.3:
        position = generator.randrange(5, len(text) + 1)
        cut = position + generator.choice((0, 0, 0, 1, 2, 5))
        return text[:position] + generator.choice(PIECES) + text[cut:]
    for _ in range(generator.randint(1, 4)):
        pattern, others = generator.choice(SWAPS)
        found = list(re.finditer(pattern, text))
        if found:
            start, end = generator.choice(found).span()
            text = text[:start] + f" {generator.choice(others)} " + text[end:]
    return text


PATTERNS: list[str] = [
    *("vfs_rename", "p::vfs_tr*", "p::__x64_sys_getppid", "vfs_(rename|truncate)$"),
    *("c:malloc", "p:c:str*", "/bin/sh:main", "c:^(labs|atoi)$", "c:mem[a-z]+"),
    *("t:sched:sched_process_*", "t:syscalls:sys_enter_get*id", "t:task:(task_.*)"),
    *("u:c:setjmp", "u:c:libc:memory_*", "u:c:(set|long)jmp"),
]
PATTERN_PIECES: list[str] = [
    *"()[]:.*+?|^$\\/ \t-~!{}@,;%#'\"0aé\udcff\0",
    *("::", "p:", "t:", "u:", "r:", "c:", "sched:", ".*", "[a-", "(?:", "{9}", "/bin/"),
]
TOOLS = ("funccount", "stackcount", "funclatency", "funcslower")


def mutated_pattern(generator: random.Random) -> str:
    """A pattern with up to two mistakes, of which some make no difference."""
    text = generator.choice(PATTERNS)
    for _ in range(generator.choice((0, 1, 1, 2))):
        position = generator.randrange(len(text) + 1)
        cut = position + generator.choice((0, 0, 1, 1, 3, len(text)))
        other = generator.choice(PATTERNS)
        piece = generator.choice((*PATTERN_PIECES, "", other[position:]))
        text = text[:position] + piece + text[cut:]
    return text


@support.only_on("6.1")
class Mutations(support.LiveTest):
    target: Target

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.target = Target.from_host()

    def test_specifiers(self) -> None:
        generator = random.Random(SEED)
        loaded = 0
        for _ in range(NUMBER):
            text, kind = mutated(generator), "counts"
            if generator.random() < 0.2:
                kind = "histograms"
            with self.subTest(text, kind=kind):
                loaded += self.load("argdist", {kind: [text]})
        self.assertGreater(loaded, NUMBER // 10)

    def test_patterns(self) -> None:
        generator = random.Random(SEED)
        loaded = 0
        for number in range(NUMBER):
            name, text = TOOLS[number % len(TOOLS)], mutated_pattern(generator)
            options: dict[str, Any] = {"pattern": text}
            if name == "funcslower":
                options = {"functions": [text, "c:labs"]}
            elif generator.random() < 0.3:
                options["regexp"] = True
            with self.subTest(name, **options):
                loaded += self.load(name, options)
        # Kernels differ in whose functions can be traced, libraries in USDT probes.
        self.assertGreater(loaded, NUMBER // 50)

    def load(self, name: str, values: dict[str, Any]) -> bool:
        """Whether the programs are loaded; False for an error in the text."""
        target = self.target
        try:
            options: Any = bind(load(name), values)
            tool = load(name).declared(options, target)
            binding = Binding(tool, options)
            specs = [
                compiled
                for scheme in schemes_of(binding)
                for group in scheme.groups
                for rung in ladder_of(group, binding, target)
                for _, compiled in compile_programs(rung, binding, target)
            ]
        except SkepError as error:
            self.assertNotIsInstance(error, InternalError)
            self.assertTrue(str(error))
            return False
        for each in specs:
            if each.program is None:
                continue
            maps = {**each.maps, LEDGER.name: LEDGER}
            spec = CollectionSpec(list(maps.values()), [each.program])
            with Collection() as collection:
                try:
                    collection.add(spec, attached=False)
                except VerifierRejection:
                    raise
                except (AttachError, NotPermitted, NotSupported):
                    return False
        return True


if __name__ == "__main__":
    unittest.main()
