"""Fuzzing: cases made by chance, checked, made smaller where they fail, and kept.

Standard library only, and Python 3.9: it runs in guests, too.
"""
