"""Sub-interpreters, and the end of the interpreter while threads are anywhere."""

import os
import subprocess
import sys

import pytest

SUBINTERPRETER = """
import subprocess, sys
try:
    import _interpreters as interpreters
    def run(code):
        new = interpreters.create("legacy")
        failed = interpreters.run_string(new, code)
        interpreters.destroy(new)
        return failed.errdisplay.splitlines()[-1] if failed else ""
except ImportError:
    import _xxsubinterpreters as interpreters
    def run(code):
        new = interpreters.create(isolated=False)
        try:
            interpreters.run_string(new, code)
        except interpreters.RunFailedError as error:
            return str(error)
        finally:
            interpreters.destroy(new)
        return ""
"""

AFTERWARDS = """
import standin_safe as s, threading
s.close_gate()
store = s.Store()
thread = threading.Thread(target=store.work)
thread.start()
# This would never end if the other one had kept the GIL.
while not s.at_gate():
    pass
s.open_gate()
thread.join()
store.work_beside()
feed = s.Feed(iter([1, 2, -1]).__next__)
assert list(feed) == [1, 2]
feed.close()
store.close()
assert set(s.live_handles().values()) == {0}
print("fine")
"""


# Makes calls when the interpreter has begun to end.
AT_THE_END = """
import builtins, os, sys
import standin_safe as s

class Last:
    def __init__(self, *calls):
        self.calls = calls

    def __del__(self, write=os.write, is_ending=sys.is_finalizing, type=type, BaseException=BaseException):
        for call in self.calls:
            try:
                result = call()
            except BaseException as error:
                result = type(error).__name__
            write(1, f"{is_ending()} {result}\\n".encode())

feed = s.Feed(iter([7, 8]).__next__)
failing = s.Feed([].pop)
# Up to Python 3.11 PyO3 panics where it is to set the cause of this exception.
stopping = s.Feed(iter([]).__next__)
outline = s.Outline()
calls = s.Config().missing, feed.pull, feed.__next__, failing.pull, outline.during, lambda end=outline.end: end(-1)
builtins.last = Last(*calls, stopping.pull)
"""

# An object of the main module that is in a cycle.
MAIN_MODULE = """
import os
import standin_safe

class Last:
    def __del__(self, write=os.write):
        write(1, b"dropped\\n")

last = Last()
"""


# The end of the interpreter loses the objects that a stopped thread uses: LeakSanitizer is not to report those.
# AddressSanitizer looks on.
STOPPED = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


def run(code, *arguments, **environment):
    command = [sys.executable, "-X", "faulthandler", "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ | environment)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    return done.stdout.split("\n")


def test_calls_at_the_end_of_the_interpreter():
    *calls, stopping, _ = run(AT_THE_END)
    assert calls == ["True Error", "True 7", "True 8", "True IndexError", "True TypeError", "True Error"]
    assert stopping in {"True PanicException", "True RuntimeError"}


def test_a_package_does_not_keep_the_module_that_imports_it():
    assert run(MAIN_MODULE) == ["dropped", ""]


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="these modules are CPython's own")
def test_after_a_subinterpreter_the_main_one_works_as_before():
    assert run(SUBINTERPRETER + "run('pass')\n" + AFTERWARDS)[0] == "fine"


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="these modules are CPython's own")
@pytest.mark.parametrize("first", ["main", "sub"])
def test_a_subinterpreter_cannot_import_it_and_the_main_one_can(first):
    code = SUBINTERPRETER + ("import standin_safe\n" if first == "main" else "")
    code += "print(run('import standin_safe'))\n" + AFTERWARDS
    lines = run(code)
    assert "ImportError" in lines[0]
    assert "cannot be imported in a sub-interpreter" in lines[0]
    assert "fine" in lines


# Threads that are in the way of the end. What `sys` has is dropped late, and releases the GIL once more then.
END = """
import gc, os, sys, threading, time
import standin_safe as s

def busy(*_):
    while True:
        entered.set()

class Late:
    def __del__(self, sleep=time.sleep):
        sleep(0.02)

class Cycle:
    def __init__(self):
        self.me = self
    def __del__(self):
        # The main thread, too, may be the one that collects it.
        if threading.get_ident() != main:
            busy()

class Path(os.PathLike):
    def __fspath__(self):
        return busy()

def callback():
    s.Feed(busy).number()

def iterated():
    next(s.Feed(busy))

def body():
    s.Store().tell(busy)

def body_alone():
    s.Store().tell_alone(busy)

def finalizer():
    store = s.Store()
    gc.set_threshold(50, 1, 1)
    items = []
    while True:
        Cycle()
        items.append(store.item())

def path():
    s.exists(Path())

def detached():
    store = s.Store()
    while True:
        store.work_beside()
        entered.set()

def contended():
    while True:
        shared.work()
        shared.work_beside()
        entered.set()

def gate():
    s.close_gate()
    threading.Thread(target=shared.work, daemon=True).start()
    while not s.at_gate():
        pass
    entered.set()
    shared.work()

sys.late = Late()
main = threading.get_ident()
shared = s.Store()
entered = threading.Event()
target = globals()[sys.argv[1]]
for _ in range(int(sys.argv[2])):
    threading.Thread(target=target, daemon=True).start()
entered.wait()
print("end")
"""

PLACES = ["callback", "iterated", "body", "body_alone", "finalizer", "path", "detached", "contended", "gate"]


@pytest.mark.parametrize("place", PLACES)
def test_the_interpreter_ends_while_daemon_threads_are_anywhere(place):
    for count in (1, 3):
        assert run(END, place, "1" if place == "gate" else str(count), **STOPPED)[0] == "end"


LATE = """
import sys, threading, standin_safe as s

class Late:
    def __init__(self, store):
        self.store = store
    def __del__(self, BusyError=s.BusyError, write=sys.__stdout__.write, flush=sys.__stdout__.flush):
        for call in (self.store.work, self.store.close, lambda: self.store.hooked):
            try:
                call()
                write("done ")
            except BusyError:
                write("busy ")
        flush()

def busy():
    while True:
        entered.set()

entered = threading.Event()
store = s.Store()
sys.late = Late(store)
threading.Thread(target=getattr(store, sys.argv[1]), args=(busy,), daemon=True).start()
entered.wait()
"""


@pytest.mark.parametrize("use, outcome", [("tell", "busy busy done"), ("tell_alone", "busy busy busy")])
def test_nothing_waits_for_a_thread_that_the_end_has_stopped(use, outcome):
    assert run(LATE, use, **STOPPED)[0].strip() == outcome
