"""Allocations of Python's that fail: an exception, never a panic and never the end of the process."""

import subprocess
import sys

import pytest

pytest.importorskip("_testcapi")

PROGRAM = """
import _testcapi
from standin_safe import Folder, Store, live_handles

folder, store = Folder(7), Store()
closed = Folder(1)
closed.close()
before = live_handles()
calls = {{
    "repr": lambda: repr(folder),
    "repr of a closed one": lambda: repr(closed),
    "another type": lambda: folder == 1,
    "counts": live_handles,
    "closed": lambda: closed.number,
    "wrong argument": lambda: store.fail(1),
    "a NUL": lambda: store.fail("a\\0"),
    "a surrogate": lambda: store.fail("\\ud800"),
}}
call = calls["{name}"]


def outcome():
    try:
        return repr(call())
    except Exception as error:
        return type(error).__name__


right = outcome()
# CPython loses an exception where there is no memory for a frame of its traceback.
allowed = {{right, "MemoryError", "SystemError"}}
def failing(n, stop):
    error = result = None
    _testcapi.set_nomemory(n, stop)
    try:
        result = call()
    except BaseException as raised:
        error = raised
    _testcapi.remove_mem_hooks()
    try:
        return repr(result) if error is None else type(error).__name__
    finally:
        # The traceback holds this frame, and there are few exceptions that need no memory.
        del error


for n in range(60):
    for stop in (n + 1, 0):
        seen = failing(n, stop)
        assert seen in allowed, (n, stop, seen)
assert outcome() == right
assert live_handles() == before
print("done")
"""


@pytest.mark.parametrize(
    "name",
    ["repr", "repr of a closed one", "another type", "counts", "closed", "wrong argument", "a NUL", "a surrogate"],
)
def test_failed_allocation_is_a_memory_error(name):
    program = PROGRAM.format(name=name)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, "done\n"), ended.stderr[-2000:]
