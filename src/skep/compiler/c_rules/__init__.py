"""C's rules for the expressions that front ends take from the user as C.

They differ from those of the language of `docs/language.md`: integers are promoted to
int, signed numbers become unsigned beside unsigned ones, pointers may be added to and
need no test for null.  A read through a pointer that leads nowhere yields zero, as
everywhere.  Importing this package makes the compiler know C's nodes.
"""

from skep.compiler.c_rules import calls, conditions, conversions, memory, numbers
from skep.compiler.conditions import BRANCHES
from skep.compiler.expressions import EXPRESSIONS

EXPRESSIONS.update(
    {
        **numbers.EXPRESSIONS,
        **conditions.EXPRESSIONS,
        **conversions.EXPRESSIONS,
        **memory.EXPRESSIONS,
        **calls.EXPRESSIONS,
    }
)
BRANCHES.update({**conditions.TESTS, **calls.TESTS})
