"""From a syntax tree to BPF instructions.

Pure: no system calls, no clock, no files.  What the compiler knows of a kernel it asks
of the `Target` it is given.
"""
