"""Counts the memory that the process has allocated, where the system's C library tells."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

__all__ = ["allocated"]


class Info(ctypes.Structure):
    """`struct mallinfo2` of glibc."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    ]


def allocated() -> Callable[[], int] | None:
    """A function that returns how many bytes `malloc` has given out and `free` has not got back; none without glibc."""
    try:
        mallinfo2 = ctypes.CDLL(None).mallinfo2
    except (OSError, AttributeError):
        return None
    mallinfo2.restype = Info

    def count() -> int:
        info = mallinfo2()
        # What is on the heaps, and what has a mapping of its own.
        return int(info.uordblks) + int(info.hblkhd)

    return count
