from __future__ import annotations

import random

import pytest

from skep.errors import UsageError
from skep.toolkit.arguments import parse
from skep.toolkit.parser import parser_of
from skep.toolkit.plain_words import plain_words
from skep.toolkit.tool import load, tool_names

WORDS = ("7", "c:malloc", "", "a b", "-1", "--", "-", "-x y", "--no", "=", "1=2")


@pytest.mark.parametrize("option", ["--columns=A", "--sort=A", "--limit=1"])
def test_options_about_rows_need_rows(option: str) -> None:
    with pytest.raises(UsageError, match="biolatency shows histograms"):
        parse(load("biolatency"), [option])
    parse(load("opensnoop"), [option])


@pytest.mark.parametrize("name", tool_names())
def test_plain_words_mean_what_argparse_says(name: str) -> None:
    tool = load(name)
    declared = [o for o in tool.options.options.values() if o.name not in tool.preset]
    flags = sorted({flag for option in declared for flag in option.flags})
    letters = [flag[1:] for flag in flags if not flag.startswith("--")]
    chance = random.Random(name)
    plain = 0
    for _ in range(151):
        words: list[str] = []
        for _ in range(chance.choice((0, 1, 1, 2, 3))):
            flag = chance.choice(flags)
            value = chance.choice(WORDS[:2] if chance.random() < 0.8 else WORDS)
            forms = [[flag], [flag, value], [flag, value], [value], [f"{flag}={value}"]]
            if letters:
                some = "".join(chance.choices(letters, k=chance.randint(1, 3)))
                forms += [[f"-{some}"], [f"-{some}", value], [f"-{some}{value}"]]
            words += chance.choice(forms)
        found = plain_words(declared, words)
        if found is not None:
            assert found == vars(parser_of(tool).parse_args(words)), words
            plain += 1
    assert plain > 30


def test_command_lines_of_every_day_are_plain() -> None:
    declared = load("funcslower").options.options.values()
    words = ["-TUKm", "10", "-p", "181", "--min-us=5", "c:open", "c:read"]
    assert plain_words(declared, words) == {
        "time": True,
        "user_stack": True,
        "kernel_stack": True,
        "min_ms": "10",
        "pid": "181",
        "min_us": "5",
        "functions": ["c:open", "c:read"],
    }
