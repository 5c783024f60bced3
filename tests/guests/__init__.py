"""Boots distribution kernels under QEMU and runs the live tests inside."""
