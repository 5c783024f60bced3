"""User programs and libraries: their files, functions and USDT probes, and where the
processes of this machine have them."""
