"""Scripts of shells that complete command lines: one module for each shell."""
