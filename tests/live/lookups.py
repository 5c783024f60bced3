#!/usr/bin/python3
"""As workloads/lookups_musl.c, by the C library that Python uses: glibc's.

`HOW` may be "threads", too: 7 threads that each look up all names by getaddrinfo.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time

THREADS = 7

LIBRARY = ctypes.CDLL(None)
LIBRARY.gethostbyname.restype = ctypes.c_void_p
LIBRARY.gethostbyname2.restype = ctypes.c_void_p
AF_INET = 2


def look_up(how: str, name: bytes) -> int:
    """0 if the name was found."""
    if how == "host":
        return int(not LIBRARY.gethostbyname(name))
    if how == "host2":
        return int(not LIBRARY.gethostbyname2(name, AF_INET))
    found = ctypes.c_void_p()
    node = None if how == "null" else name
    return int(LIBRARY.getaddrinfo(node, b"80", None, ctypes.byref(found)))


def run(how: str, count: int, domain: str) -> None:
    """Look the names up."""
    for i in range(count):
        name = f"n{i}.{domain}"
        start = time.perf_counter_ns()
        result = look_up(how, name.encode())
        print(f"{name} {result} {time.perf_counter_ns() - start}\n", end="")


def main() -> None:
    """Wait for the end of standard input, and start."""
    how, count, domain = sys.argv[1:]
    sys.stdin.read()
    if how != "threads":
        run(how, int(count), domain)
        return
    arguments = ("addr", int(count), domain)
    threads = [threading.Thread(target=run, args=arguments) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
