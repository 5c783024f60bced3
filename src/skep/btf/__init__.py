"""BPF Type Format: the kernel's own description of its types."""

from skep.btf.reader import Btf, Place, TypeUse
from skep.btf.typename import TypeName, base_type, parse_c_type

__all__ = ["Btf", "Place", "TypeName", "TypeUse", "base_type", "parse_c_type"]
