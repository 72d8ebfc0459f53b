"""What every test stands on. pytest-leakproof adds an error to each test that leaks a native handle."""

import ctypes
import faulthandler
import gc
import os
import re
import subprocess
import sys
import textwrap

import pytest
import xml_safe
from programs import HANG, PRELUDE, QUIET, TESTS

try:
    from hypothesis import settings
except ImportError:
    pass
else:
    settings.register_profile("leakproof", database=None, deadline=None, derandomize=True)
    settings.load_profile("leakproof")

SLOW = os.environ.get("LEAKPROOF_SLOW") == "1"
VALGRIND = os.environ.get("LEAKPROOF_VALGRIND") == "1"


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes minutes or gigabytes; runs with LEAKPROOF_SLOW=1")
    config.addinivalue_line("markers", "valgrind: runs under valgrind; runs with LEAKPROOF_VALGRIND=1")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("slow") and not SLOW:
            item.add_marker(pytest.mark.skip(reason="slow: set LEAKPROOF_SLOW=1"))
        if item.get_closest_marker("valgrind") and not VALGRIND:
            item.add_marker(pytest.mark.skip(reason="set LEAKPROOF_VALGRIND=1"))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """Skip a test that moves nodes with their objects to another document, on Python without a GIL."""
    try:
        return (yield)
    except ValueError as error:
        if "free-threaded Python adopts no objects" not in str(error):
            raise
    pytest.skip("objects do not move without a GIL")


def pytest_collection_finish():
    # Every test collects; what is there already needn't be looked at a thousand times.
    gc.collect()
    gc.freeze()


class MallInfo2(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
    ]


@pytest.fixture(scope="session")
def native_bytes():
    """A function that returns the bytes the C library's allocator has given out."""
    try:
        mallinfo2 = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        pytest.skip("needs glibc 2.33 or newer")
    mallinfo2.restype = MallInfo2

    def native_bytes():
        gc.collect()
        info = mallinfo2()
        return info.uordblks + info.hblkhd

    return native_bytes


@pytest.fixture
def nothing_is_left():
    """Fails a test after which other handles live than before."""
    gc.collect()
    before = xml_safe.live_handles()
    yield
    gc.collect()
    assert xml_safe.live_handles() == before


@pytest.fixture
def run_python():
    """A function that runs a Python program to its end in a process of its own."""

    def run_python(*args, **options):
        options = {"capture_output": True, "text": True, "timeout": 300, **options}
        return subprocess.run([sys.executable, *map(os.fspath, args)], **options)

    return run_python


@pytest.fixture
def run(run_python):
    """A function that runs a program after the prelude."""

    def run(program, *options, **environment):
        code = PRELUDE + textwrap.dedent(program)
        options = ("-X", "faulthandler", "-W", "ignore::DeprecationWarning", *options)
        return run_python(*options, "-c", code, timeout=HANG, env=QUIET | {"PYTHONPATH": TESTS} | environment)

    return run


@pytest.fixture
def ends_well(run):
    """A function that runs a program, which has to end with status 0 and print nothing."""

    def ends_well(program, *options, **environment):
        ended = run(program, *options, **environment)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")

    return ends_well


@pytest.fixture
def watchdog(capfd):
    """End the process with every thread's stack, should the test hang."""
    with capfd.disabled():
        stderr = os.dup(2)
    faulthandler.dump_traceback_later(300, exit=True, file=stderr)
    yield
    faulthandler.cancel_dump_traceback_later()
    os.close(stderr)


@pytest.fixture
def doc():
    with xml_safe.parse('<r a="1"><b k="v">one</b><b>two</b><c/></r>') as doc:
        yield doc


def loaded_libxml2():
    with open("/proc/self/maps") as maps:
        for line in maps:
            if found := re.search(r"(/\S*/libxml2\.so\S*)", line):
                return found[1]
    return None


@pytest.fixture(scope="session")
def lib():
    """The very libxml2 that the package uses."""
    path = loaded_libxml2()
    if path is None:
        pytest.skip("libxml2 is not a shared library here")
    return ctypes.CDLL(path)
