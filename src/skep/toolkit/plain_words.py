"""Plain command lines, read without argparse.

Its import, and a parser with thirty options, are a tenth of the start of a tool.  What
is not as plain as nearly all command lines are, mistakes above all, is left to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from skep.authoring.options import Option


def plain_words(
    declared: Iterable[Option], words: Sequence[str]
) -> dict[str, Any] | None:
    """What argparse would make of the words, by the options' names.

    None if that takes more than is known here.
    """
    reader = _Reader(declared)
    return reader.found if reader.read(words) else None


class _Reader:
    def __init__(self, declared: Iterable[Option]) -> None:
        self.found: dict[str, Any] = {}
        self._by_flag: dict[str, Option] = {}
        self._positional: list[Option] = []
        for option in declared:
            if option.flags:
                # One that is declared later takes the letters of those before.
                self._by_flag.update(dict.fromkeys(option.flags, option))
            else:
                self._positional.append(option)

    def read(self, words: Sequence[str]) -> bool:
        """Whether all words were plain."""
        rest = list(reversed(words))
        texts: list[str] = []
        is_over = False  # argparse wants the words without a flag in one piece
        while rest:
            word = rest.pop()
            if not word.startswith("-"):
                if is_over:
                    return False
                texts.append(word)
            elif self._flags(word, rest):
                is_over = bool(texts)
            else:
                return False
        return self._assign(texts)

    def _flags(self, word: str, rest: list[str]) -> bool:
        """An option with its value, or several letters of which the last may have one;
        `rest` is what follows, the next word last."""
        if word.startswith("--"):
            flag, equals, value = word.partition("=")
            option = self._by_flag.get(flag)
            if option is None or (equals and option.type is bool):
                return False
            return self._take(option, [value] if equals else rest)
        letters = [self._by_flag.get(f"-{letter}") for letter in word[1:]]
        if not letters or None in letters:
            return False
        options = [option for option in letters if option is not None]
        if any(option.type is not bool for option in options[:-1]):
            return False
        return all(self._take(option, rest) for option in options)

    def _take(self, option: Option, rest: list[str]) -> bool:
        """One occurrence of an option; its value is the last of `rest`."""
        name = option.name
        if option.type is bool:
            self.found[name] = self.found.get(name, 0) + 1 if option.repeat else True
            return True
        if option.rest or not rest or rest[-1].startswith("-"):
            return False
        text = rest.pop()
        if option.repeat:
            self.found.setdefault(name, []).append(text)
        else:
            self.found[name] = text
        return True

    def _assign(self, texts: list[str]) -> bool:
        """Give the words without a flag to the options that have none, in order."""
        for option in self._positional:
            if option.rest:
                return False
            if option.repeat and texts:
                self.found[option.name], texts = texts, []
            elif texts:
                self.found[option.name] = texts.pop(0)
        return not texts
