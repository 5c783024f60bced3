"""What the annotations in the body of a class mean."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Mapping
from typing import Any

from skep.errors import InternalError


def own_annotations(cls: type) -> Mapping[str, Any]:
    """The annotations of the class itself, without those of its bases.

    Before 3.10 the attribute may be that of a base; since 3.14 the dictionary need not
    have it, as annotations are evaluated on demand (PEP 649).
    """
    if sys.version_info < (3, 10):
        own: Mapping[str, Any] = cls.__dict__.get("__annotations__", {})
        return own
    return cls.__annotations__


def evaluate_annotation(cls: type, annotation: object) -> Any:
    """The type that an annotation names, in the class's module or among Python's own.

    Annotations are texts in modules with `from __future__ import annotations`.  Raises
    InternalError for a name that is not known.
    """
    if not isinstance(annotation, str):
        return annotation
    name = annotation.strip("'\"")
    module = sys.modules[cls.__module__]
    found = getattr(module, name, None) or getattr(builtins, name, None)
    if found is None:
        raise InternalError(f"{cls.__name__}: unknown type {annotation}")
    return found
