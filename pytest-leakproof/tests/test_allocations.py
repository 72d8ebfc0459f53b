"""Sweeps in which allocations fail."""

import ctypes
import itertools
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from pytest_leakproof.faults import AllocationFaults, build_shim, excused_places, faults_of, place_of, with_shim
from pytest_leakproof.plan import Operation, Plan
from pytest_leakproof.runner import Outcome, SweepRunner, lost_by_python, shape

testcapi = pytest.importorskip("_testcapi")


class Numbers(AllocationFaults):
    """Notes which allocation is to fail."""

    def start(self, n, persistent):
        self.asked = n, persistent

    def stop(self):
        return True


def numbers(density, count):
    faults = Numbers("python", density)
    for point in range(1, count + 1):
        faults.arm(point)
        yield faults.asked


def test_each_allocation_fails_alone_and_with_all_later_ones():
    assert list(numbers(0, 6)) == [(1, False), (1, True), (2, False), (2, True), (3, False), (3, True)]


def test_density_leaves_out_later_allocations():
    asked = [n for n, persistent in numbers(10, 200) if not persistent]
    assert asked[:20] == list(range(1, 21))
    assert asked[-1] > 5_000
    assert all(later - n <= max(1, n // 10) for n, later in itertools.pairwise(asked))


class Fake:
    __name__ = "fake"
    Error = ValueError

    class __leakproof__:
        arm_fault = disarm_fault = None
        live_handles = staticmethod(dict)
        call_sites = staticmethod(list)


class Listener:
    """Keeps what a sweep reports."""

    def __init__(self):
        self.injected = 0
        self.problems = []

    def on_fault_injected(self, kind):
        assert kind == "allocation: python"
        self.injected += 1

    def on_problem(self, kind, text):
        self.problems.append(f"{kind}: {text}")

    def __getattr__(self, name):
        return lambda *arguments: None


def swept(call):
    plan = Plan(Fake, [Operation("work", call)], blocks=lambda: 0)
    listener = Listener()
    SweepRunner(plan, listener, faults_of(plan, "python")).run()
    return listener


def make_objects():
    return [object() for _ in range(3)]


def test_operation_that_raises_memory_error_is_right():
    listener = swept(make_objects)
    assert listener.problems == []
    # At least the objects and the list, each alone and with all later ones.
    assert listener.injected >= 8


def test_operation_that_hides_a_failed_allocation_is_wrong():
    def hides():
        try:
            return len(make_objects())
        except MemoryError:
            return 0

    assert any("nothing was raised" in problem for problem in swept(hides).problems)


def test_operation_that_raises_another_exception_is_wrong():
    def confuses():
        try:
            return make_objects()
        except MemoryError:
            raise KeyError("memory") from None

    assert any("KeyError" in problem for problem in swept(confuses).problems)


def test_python_itself_loses_exceptions():
    """The reason for an excuse: a Python function's exception is lost where there is no memory for the traceback."""

    class Raises:
        def __iter__(self):
            return self

        def __next__(self):
            raise OSError("text")

    def call():
        next(Raises())

    lost = 0
    for n in range(1, 30):
        raised = None
        testcapi.set_nomemory(n - 1, n)
        try:
            call()
        except BaseException as error:
            raised = error
        testcapi.remove_mem_hooks()
        outcome = Outcome(type(raised), str(raised))
        assert isinstance(raised, (OSError, MemoryError)) or lost_by_python(outcome), outcome
        lost += lost_by_python(outcome)
    if sys.version_info[:2] == (3, 11):
        assert lost > 0


def test_shape_of_a_result_does_not_name_objects():
    assert shape([1, "é", (b"x", None), {"a": object()}]) == (
        f"list(1, str 2 {zlib.crc32('é'.encode())}, tuple(bytes 1 {zlib.crc32(b'x')}, None), dict('a': object))"
    )


# ---- allocations of a C library

C_PROGRAM = r"""
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    void (*arm)(long, int);
    long (*disarm)(void);
    int (*watch)(unsigned long, unsigned long);
    *(void **)&arm = dlsym(RTLD_DEFAULT, "failing_malloc_arm");
    *(void **)&disarm = dlsym(RTLD_DEFAULT, "failing_malloc_disarm");
    *(void **)&watch = dlsym(RTLD_DEFAULT, "failing_malloc_watch");
    watch((unsigned long)main, (unsigned long)main + 4096);
    arm(2, 0);
    volatile void *first = malloc(1), *second = calloc(1, 1), *third = realloc(NULL, 1);
    printf("%d%d%d %ld\n", !!first, !!second, !!third, disarm());
    arm(2, 1);
    first = malloc(1), second = calloc(1, 1), third = realloc(NULL, 1);
    printf("%d%d%d %ld\n", !!first, !!second, !!third, disarm());
    first = malloc(1);
    printf("%d %ld\n", !!first, disarm());
    return 0;
}
"""


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shim")
    build_shim(folder)
    return folder


@pytest.fixture(scope="session")
def program(shim):
    source, built = shim / "program.c", shim / "program"
    source.write_text(C_PROGRAM)
    subprocess.run([os.environ.get("CC", "cc"), "-O1", "-o", built, source, "-ldl"], check=True)
    return built


def test_chosen_call_of_malloc_fails(shim, program):
    ended = subprocess.run([program], env=with_shim(os.environ, shim), capture_output=True, text=True, check=True)
    assert ended.stdout == "101 1\n100 2\n1 0\n"


def test_place_of_the_failure_is_written(shim, program):
    subprocess.run([program], env=with_shim(os.environ, shim), stdout=subprocess.DEVNULL, check=True)
    place = place_of(shim / "failed-at", 2)
    assert place.startswith("all program+0x")
    assert place_of(shim / "failed-at", 1) == place.replace("all", "one")


def test_places_that_a_program_prints_are_excused(shim, tmp_path):
    script = tmp_path / "program"
    script.write_text("#!/bin/sh\necho 'one here+0x1   '\necho 'all there+0x2'\n")
    script.chmod(0o755)
    assert excused_places(str(script), with_shim(os.environ, shim)) == {"one here+0x1", "all there+0x2"}


def test_code_that_is_not_watched_never_fails(shim):
    program = """
import ctypes, os
shim = ctypes.CDLL(os.environ["LEAKPROOF_FAILING_MALLOC"])
shim.failing_malloc_arm(1, 1)
bytes(10_000_000)
assert shim.failing_malloc_disarm() == 0
"""
    subprocess.run([sys.executable, "-c", program], env=with_shim(os.environ, shim), check=True)


def test_shim_is_part_of_the_package():
    import pytest_leakproof

    assert (Path(pytest_leakproof.__file__).parent / "failing_malloc.c").is_file()
    assert ctypes.sizeof(ctypes.c_size_t) == ctypes.sizeof(ctypes.c_void_p)
