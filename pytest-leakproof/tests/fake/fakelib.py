"""A fake leakproof module with fault injection, and with bugs that tests switch on.

`bugs` holds the bugs that are on. Each call of `fail_here` is a fail point.
"""

import os
import time
import traceback

bugs = set()
blocks = 0


class Error(Exception):
    pass


class BusyError(Error):
    pass


class ClosedError(Error, ValueError):
    pass


class PanicException(BaseException):
    pass


class Ledger:
    """The counts of live handles, and the traced handles."""

    counts = {"Document": 0, "Context": 0}
    tracing = False
    traced = {}

    @classmethod
    def add(cls, handle):
        cls.counts[type(handle).__name__] += 1
        if cls.tracing:
            # As leakproof formats stacks: without source lines.
            frames = traceback.extract_stack()[:-2]
            stack = "".join(f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n' for frame in frames)
            cls.traced[id(handle)] = (type(handle).__name__, time.monotonic(), stack)

    @classmethod
    def remove(cls, handle):
        cls.counts[type(handle).__name__] -= 1
        cls.traced.pop(id(handle), None)


class Faults:
    armed = None
    fired = None
    reached = {
        ("Document.open", "fake_open"): False,
        ("Document.open", ""): False,
        ("Document.name", "fake_name"): False,
        ("Document.never", "fake_never"): False,
        ("PartIterator.__next__", ""): False,
    }


class __leakproof__:
    @staticmethod
    def package():
        return "fakelib"

    @staticmethod
    def version():
        return "0"

    @staticmethod
    def live_handles():
        return dict(Ledger.counts)

    @staticmethod
    def tracing():
        return Ledger.tracing

    @staticmethod
    def trace(on):
        Ledger.tracing = on

    @staticmethod
    def live_report():
        now = time.monotonic()
        return [(name, now - when, stack) for name, when, stack in Ledger.traced.values()]

    @staticmethod
    def call_sites():
        return [(*site, reached) for site, reached in Faults.reached.items()]

    @staticmethod
    def arm_fault(n):
        Faults.armed, Faults.fired = n, None

    @staticmethod
    def disarm_fault():
        Faults.armed, fired = None, Faults.fired
        return fired


RIGHT = {
    "argument": TypeError,
    "enter": BusyError,
    "not called": Error,
    "failed": Error,
    "result": MemoryError,
    "object": MemoryError,
    "panic": PanicException,
}


def fail_here(method, function, step):
    Faults.reached[method, function] = True
    if Faults.armed is None:
        return
    Faults.armed -= 1
    if Faults.armed == 0:
        Faults.armed = None
        Faults.fired = (method, function, step)
        raise ArithmeticError if f"wrong {step}" in bugs else RIGHT[step]


class Handle:
    """A handle that tests close, drop or leak."""

    closed = True

    def __init__(self):
        self.closed = False
        Ledger.add(self)

    def close(self):
        if not self.closed:
            self.closed = True
            Ledger.remove(self)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def __del__(self):
        self.close()


class Context(Handle):
    pass


class Document(Handle):
    def __init__(self, path="a"):
        fail_here("Document.open", "", "argument")
        if not isinstance(path, str):
            raise TypeError("path")
        fail_here("Document.open", "fake_open", "not called")
        super().__init__()
        try:
            fail_here("Document.open", "fake_open", "failed")
            fail_here("Document.open", "", "object")
        except BaseException:
            self.misbehave()
            self.close()
            raise

    def misbehave(self):
        global blocks
        if "leaks handles" in bugs:
            Ledger.counts["Document"] += 1
        if "releases twice" in bugs:
            Ledger.counts["Document"] -= 1
        if "leaks blocks" in bugs:
            blocks += 1
        if "keeps blocks" in bugs:
            blocks = 7
        if "leaks files" in bugs:
            os.dup(1)
        if "crashes" in bugs:
            os.abort()
        if "exits" in bugs:
            os._exit(3)
        if "hangs" in bugs:
            time.sleep(1000)

    @property
    def name(self):
        if self.closed:
            raise ClosedError
        if "stays busy" in bugs and getattr(self, "busy", False):
            raise BusyError
        try:
            fail_here("Document.name", "fake_name", "enter")
            fail_here("Document.name", "fake_name", "panic")
            fail_here("Document.name", "fake_name", "result")
        except BaseException:
            self.busy = True
            if "swallows" in bugs:
                return ""
            raise
        return "name"
