"""Portable helpers in the authoring language, one file per kernel subsystem.

The only home of differences between kernels: where a structure or a function changed,
the test for what is present is here, with the release that changed it.
"""
