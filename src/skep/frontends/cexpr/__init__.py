"""C expressions in the text of one-liners: to syntax trees, and the names in them.

A front end finds the expressions in its text (`split_list`, `balanced_end`), has each
made a tree (`parse_expression`), and puts the trees into a function of its own:

    words = Words(names={"$pid": lambda span: tree.CCall(...)})
    key = parse_expression("file->f_mode & FMODE_WRITE", span, words)
    parameters = [name for name in free_names(key) if the probe has it]
    function = tree.Function("handler", parameters, [], [...], span(0, 0))
    WrittenFunction(function, c_names(target))

Numbers come as C's types, structures and arrays as places in memory, texts as bytes.
"""

import skep.compiler.c_rules  # noqa: F401  (makes the compiler know the nodes)
from skep.frontends.cexpr.names import c_names
from skep.frontends.cexpr.parser import Words, free_names, parse_expression
from skep.frontends.cexpr.split import balanced_end, split_list

__all__ = [
    "Words",
    "balanced_end",
    "c_names",
    "free_names",
    "parse_expression",
    "split_list",
]
