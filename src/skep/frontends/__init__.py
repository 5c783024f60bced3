"""Front ends: text or Python functions to the syntax tree of `skep.compiler.tree`."""
