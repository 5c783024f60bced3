"""Tests of what skep shows on a real kernel.

They use only the standard library's unittest, because they also run inside guests
that have nothing but their distribution's Python.
"""
