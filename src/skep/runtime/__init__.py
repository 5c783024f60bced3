"""Specs to kernel objects: load, attach, read, and take everything down again.

Nothing is ever pinned, so the kernel frees every object of a process that dies.
"""
