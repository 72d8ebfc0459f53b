"""Counts the memory that the process has allocated, on systems with glibc."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

__all__ = ["malloc_counter"]


class MallocInfo(ctypes.Structure):
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


def malloc_counter() -> Callable[[], int] | None:
    """Returns a function that counts the bytes which `malloc` returned and nobody freed, or `None` without glibc."""
    try:
        mallinfo2 = ctypes.CDLL(None).mallinfo2
    except (OSError, AttributeError):
        return None
    mallinfo2.restype = MallocInfo

    def count() -> int:
        info = mallinfo2()
        # Blocks on the heaps, and blocks with a mapping of their own.
        return int(info.uordblks) + int(info.hblkhd)

    return count
