"""Records: classes whose annotations are field types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from skep.authoring.annotations import evaluate_annotation, own_annotations
from skep.errors import InternalError
from skep.fields import Column, Field, Member


class Record:
    """Base of record classes: `class Open(Record): pid: Pid; path: Text`.

    In kernel-side code the class makes a record on the stack, for keys of maps; a
    `Stream` of it sends records to user space, where instances have the values.
    """

    members: ClassVar[Sequence[Member]] = ()

    def __init_subclass__(cls) -> None:
        members = {member.name: member for member in cls.members}
        for name, annotation in own_annotations(cls).items():
            if "ClassVar" in str(annotation):
                continue
            field = evaluate_annotation(cls, annotation)
            if not (isinstance(field, type) and issubclass(field, Field)):
                raise InternalError(f"{cls.__name__}.{name} has no field type")
            declared = cls.__dict__.get(name, Column())
            members[name] = Member(name, field, declared)
        cls.members = tuple(members.values())

    @classmethod
    def of(cls, name: str, members: Sequence[Member]) -> type[Record]:
        """A record class with these members behind those of this one."""
        made: type[Record] = type(name, (cls,), {})
        made.members = (*cls.members, *members)
        return made

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({shown})"
