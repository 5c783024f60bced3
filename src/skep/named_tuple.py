"""Named tuples that are made quickly.

`typing.NamedTuple` compiles a constructor for each class, and each annotation: with
more than a hundred such classes on the way to an attached tool, that is a good part of
all the time it takes.  Here, classes with the same number of fields share one compiled
constructor, and nobody compiles annotations.  Type checkers see the original.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    from _collections import _tuplegetter  # what collections.namedtuple uses

    _new = tuple.__new__
    _constructors = {}  # by the number of fields

    def _constructor(fields, defaults):
        """A `__new__` with these parameters, of which the last have defaults."""
        template = _constructors.get(len(fields))
        if template is None:
            places = "".join(f"_{index}, " for index in range(len(fields)))
            made = {}
            source = f"def __new__(_cls, {places}): return _new(_cls, ({places}))"
            exec(source, globals(), made)
            template = _constructors[len(fields)] = made["__new__"]
        code = template.__code__.replace(co_varnames=("_cls", *fields))
        return type(template)(code, globals(), "__new__", defaults)

    class _Methods(tuple):
        """What collections.namedtuple gives to each class."""

        __slots__ = ()

        @classmethod
        def _make(cls, iterable):
            return cls(*iterable)

        def _replace(self, /, **changes):
            return type(self)(**{**self._asdict(), **changes})

        def _asdict(self):
            return dict(zip(self._fields, self))

        def __repr__(self):
            values = ", ".join(f"{k}={v!r}" for k, v in self._asdict().items())
            return f"{type(self).__name__}({values})"

        def __getnewargs__(self):
            return tuple(self)

    class _Maker(type):
        """Makes a tuple of a class whose annotations are the fields."""

        def __new__(cls, name, bases, namespace):
            if not bases:
                return type.__new__(cls, name, bases, namespace)
            fields = tuple(namespace.get("__annotations__", ()))
            defaults = tuple(namespace.pop(f) for f in fields if f in namespace)
            namespace.update(
                (field, _tuplegetter(index, "")) for index, field in enumerate(fields)
            )
            namespace.setdefault("__new__", _constructor(fields, defaults))
            return type(
                name,
                (_Methods,),
                {
                    "__slots__": (),
                    "_fields": fields,
                    "__match_args__": fields,
                    **namespace,
                },
            )

    class NamedTuple(metaclass=_Maker):
        """The base of classes whose annotated names are the fields of a tuple."""
