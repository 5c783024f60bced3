"""Types in C spelling: "struct task_struct *", "u32", "char[16]".

Parsing needs no BTF, and neither do the integer types that `base_type` knows.
"""

from __future__ import annotations

import re

from skep.btf.types import Int
from skep.errors import UsageError
from skep.named_tuple import NamedTuple

# Size, signedness, names.  On the 64-bit machines that Linux runs on, long has 8 bytes
# (LP64).  The typedefs are those of include/linux/types.h that no architecture changes,
# and of include/asm-generic/compat.h, which kernels without 32-bit tasks lack in BTF.
_INTEGERS = (
    (1, True, "signed char,s8,__s8,int8_t"),
    (1, False, "unsigned char,u8,__u8,uint8_t,u_char"),
    (2, True, "short,s16,__s16,int16_t"),
    (2, False, "unsigned short,u16,__u16,uint16_t,__be16,__le16,umode_t,u_short"),
    (4, True, "int,s32,__s32,int32_t,pid_t,key_t,clockid_t,timer_t"),
    (4, False, "unsigned int,u32,__u32,uint32_t,__be32,__le32,uid_t,gid_t,dev_t,u_int"),
    (4, False, "fmode_t,gfp_t,blk_opf_t,qid_t"),
    (4, False, "compat_uptr_t,compat_size_t,compat_uint_t,compat_ulong_t"),
    (4, True, "compat_ssize_t,compat_int_t,compat_long_t,compat_pid_t,compat_off_t"),
    (8, True, "long,long long,s64,__s64,int64_t,ssize_t,loff_t,off_t,ptrdiff_t"),
    (8, True, "time64_t,ktime_t"),
    (8, False, "unsigned long,unsigned long long,u64,__u64,uint64_t,__be64,__le64"),
    (8, False, "size_t,uintptr_t,sector_t,blkcnt_t,aio_context_t,u_long"),
)

_TAGS = ("struct", "union", "enum")
_QUALIFIERS = ("const", "volatile", "restrict", "__restrict", "__user", "__rcu")
_INTEGER_WORDS = ("signed", "unsigned", "char", "short", "int", "long")
_TOKEN = r"\s*(?:(\w+)|(\*)|\[\s*(\d+)\s*\])"  # a word, a star, a length

_base_types: dict[str, Int] = {}


class TypeName(NamedTuple):
    """A parsed type: an array of `array` of pointers of depth `pointers` to a base.

    `kind` is "struct", "union", "enum", "void", "int" (`base_type` knows `name`) or
    "typedef" (any other name); `array` has a length per dimension and is empty for
    anything that is no array; `user` tells that the pointer leads to user memory.
    """

    kind: str
    name: str
    pointers: int = 0
    array: tuple[int, ...] = ()
    user: bool = False

    def __str__(self) -> str:
        tag = f"{self.kind} " if self.kind in _TAGS else ""
        user = " __user" if self.user else ""
        stars = f" {'*' * self.pointers}" if self.pointers else ""
        return f"{tag}{self.name}{user}{stars}{''.join(f'[{n}]' for n in self.array)}"


def base_type(name: str) -> Int | None:
    """An integer type that needs no BTF, by its canonical name (see `TypeName.name`).

    Plain char is unsigned, as in kernels since 6.2 (-funsigned-char) and on arm64.
    """
    if not _base_types:
        for size, signed, names in _INTEGERS:
            for known in names.split(","):
                _base_types[known] = Int(known, size, size * 8, signed)
        _base_types["char"] = Int("char", 1, 8, is_char=True)
        for known in ("bool", "_Bool"):
            _base_types[known] = Int(known, 1, 8, is_bool=True)
    return _base_types.get(name)


def parse_c_type(text: str) -> TypeName:
    """Parse a type in C spelling.

    const and the like are accepted and dropped.  Raises `UsageError` for text that is
    no type, and for function pointers and pointers to arrays, which have no short form.
    """
    words: list[str] = []
    array: list[int] = []
    pointers, user = 0, False
    for word, star, length in _tokens(text):
        if word in _QUALIFIERS:
            user = user or word == "__user"
        elif (array and not length) or (pointers and word):
            raise _not_a_type(text)
        elif word:
            words.append(word)
        elif star:
            pointers += 1
        else:
            if len(length) > 18:  # Python refuses to read thousands of digits
                raise _not_a_type(text)
            array.append(int(length))
    kind, name = _base(words, text)
    return TypeName(kind, name, pointers, tuple(array), user)


def _tokens(text: str) -> list[tuple[str, str, str]]:
    """Words, stars and array lengths, one of the three set in each token."""
    if not re.fullmatch(f"(?:{_TOKEN})*\\s*", text):
        raise _not_a_type(text)
    return re.findall(_TOKEN, text)


def _base(words: list[str], text: str) -> tuple[str, str]:
    """Kind and canonical name of the type without pointers and arrays."""
    if len(words) == 2 and words[0] in _TAGS and words[1] not in _INTEGER_WORDS:
        return words[0], words[1]
    if words and all(word in _INTEGER_WORDS for word in words):
        name = _canonical(words)
        if base_type(name):
            return "int", name
    elif len(words) == 1 and words[0] == "void":
        return "void", "void"
    elif len(words) == 1 and words[0] not in _TAGS and words[0].isidentifier():
        return ("int" if base_type(words[0]) else "typedef"), words[0]
    raise _not_a_type(text)


def _canonical(words: list[str]) -> str:
    """The shortest spelling of an integer type, for instance of "long unsigned int"."""
    rest = sorted(word for word in words if word not in ("signed", "unsigned", "int"))
    if ("unsigned" in words and "signed" in words) or words.count("int") > 1:
        return ""
    core = " ".join(rest) or "int"
    if "unsigned" in words:
        return f"unsigned {core}"
    return f"signed {core}" if "signed" in words and core == "char" else core


def spell_as_gcc(name: str) -> str:
    """An integer type's canonical name as gcc writes it: "long unsigned int"."""
    core = name.replace("unsigned ", "")
    if core not in ("short", "long", "long long"):
        return name
    return f"{core} unsigned int" if core != name else f"{core} int"


def _not_a_type(text: str) -> UsageError:
    return UsageError(
        f'"{text}" is not a C type',
        hint='types look like "struct task_struct *", "unsigned long" or "char[16]"',
    )
