"""A simple model of sqlite_safe, for random operations: connections, what lives in them, and functions that call back.

The collector is switched off while a world exists: a connection in a cycle with its own function lives until the world
collects.
"""

import gc
import warnings
import weakref

from handle_model import Worker
from sqlite_safe import BusyError, ClosedError, Connection, SqliteError, live_handles

SLOTS = 6


class Kept:
    """A Python object, which connection it lives in (two for a copy), and whether it is open."""

    def __init__(self, kind, value, homes=()):
        self.kind = kind
        self.value = value
        self.homes = homes
        self.open = True
        self.functions = {}
        self.progress = None

    @property
    def is_open(self):
        return self.open and all(home.is_open for home in self.homes)


class Sum:
    def __init__(self):
        self.sum = 0

    def step(self, value):
        if value == 13:
            raise KeyError("step")
        self.sum += value

    def finalize(self):
        return self.sum


class Function:
    """An SQL function, which its connection keeps alive."""

    def __init__(self, what, connection):
        self.what = what
        self.connection = connection if what in ("nested", "close", "cycle") else None

    def __call__(self, *values):
        if self.what == "fail":
            raise KeyError("function")
        if self.what == "nested":
            return next(self.connection.query("SELECT 41"))[0] + 1
        if self.what == "close":
            try:
                self.connection.close()
            except BusyError:
                return "busy"
            return "closed"
        if self.what == "odd":
            return object()
        return len(values)


WHATS = ["plain", "fail", "nested", "close", "odd", "cycle"]
OUTCOMES = {"plain": 2, "cycle": 2, "nested": 42, "close": "busy", "fail": KeyError, "odd": TypeError}


class World:
    def __init__(self):
        self.slots = [None] * SLOTS
        self.others = [None] * SLOTS
        self.refs = []
        self.worker = Worker()
        self.elsewhere = False
        self.was_enabled = gc.isenabled()
        gc.disable()
        warnings.simplefilter("ignore", ResourceWarning)

    def close(self):
        self.drop_all()
        self.check()
        self.worker.end()
        if self.was_enabled:
            gc.enable()

    def drop_all(self):
        self.slots = [None] * SLOTS
        self.others = [None] * SLOTS
        gc.collect()
        assert not any(ref() for ref in self.refs)
        self.refs.clear()
        assert not any(live_handles().values()), live_handles()

    def apply(self, name, choice, elsewhere=False):
        self.elsewhere = elsewhere
        getattr(self, name)(choice)
        self.check()

    def check(self):
        self.worker.settle()
        for kept in (*self.slots, *self.others):
            if kept is not None:
                assert kept.value.closed == (not kept.is_open), f"{kept.value!r}"

    def run(self, call):
        return self.worker.run(call) if self.elsewhere else call()

    def expect(self, outcome, call):
        try:
            got = self.run(call)
        except Exception as error:
            assert isinstance(outcome, type | tuple) and isinstance(error, outcome), f"{error!r} instead of {outcome}"
        else:
            assert got == outcome, f"{got!r} instead of {outcome}"

    def connection(self, choice):
        for kept in (*self.slots[choice.a :], *self.slots[: choice.a]):
            if kept is not None:
                return kept
        return None

    def other(self, choice, *kinds):
        for kept in (*self.others[choice.a :], *self.others[: choice.a]):
            if kept is not None and (not kinds or kept.kind in kinds):
                return kept
        return None

    def is_held(self, home, by=None):
        """Return True if an open copy other than `by` has the connection as its destination."""
        copies = [it for it in self.others if it and it.kind == "copy" and it is not by]
        return any(it.is_open and it.homes[0] is home for it in copies)

    # ---- operations

    def connect(self, choice):
        value = self.run(lambda: Connection(":memory:"))
        value.run("CREATE TABLE t AS SELECT x'00112233' AS a")
        self.slots[choice.a] = Kept("connection", value)
        self.refs.append(weakref.ref(value))

    def close_connection(self, choice):
        kept = self.connection(choice)
        if kept is None:
            return
        viewed = any(it and it.kind == "view" and it.homes[0].homes[0] is kept and it.open for it in self.others)
        if viewed and kept.is_open:
            self.expect(BufferError, kept.value.close)
        elif kept.is_open and self.has_copy_that_cannot_be_closed(kept):
            self.expect(BusyError, kept.value.close)
            # What was closed before that stays closed.
            for other in self.others:
                if other is not None and other.kind == "copy" and kept in other.homes:
                    other.open = not other.value.closed
        else:
            self.expect(None, kept.value.close)
            kept.open = False

    def has_copy_that_cannot_be_closed(self, home):
        """Return True if a copy of the connection has a second connection that another copy holds."""
        copies = [it for it in self.others if it and it.kind == "copy" and it.is_open and home in it.homes]
        elsewhere = lambda it: (other for other in it.homes if other is not home)
        return any(self.is_held(other, by=it) for it in copies for other in elsewhere(it))

    def drop_connection(self, choice):
        self.slots[choice.a] = None

    def drop_other(self, choice):
        self.others[choice.a] = None

    def close_other(self, choice):
        kept = self.other(choice)
        if kept is None or kept.kind == "view":
            return
        if kept.is_open and any(it and it.kind == "view" and it.homes[0] is kept and it.open for it in self.others):
            self.expect(BufferError, kept.value.close)
        elif kept.is_open and any(self.is_held(home, by=kept) for home in kept.homes):
            self.expect(BusyError, kept.value.close)
        else:
            self.expect(None, kept.value.close)
            kept.open = False

    def prepare(self, choice):
        home = self.connection(choice)
        if home is None:
            return
        if not home.is_open:
            return self.expect(ClosedError, lambda: home.value.prepare("SELECT 1"))
        if self.is_held(home):
            return self.expect(BusyError, lambda: home.value.prepare("SELECT 1"))
        value = self.run(lambda: home.value.query("SELECT 1, 'a', x'0102' UNION ALL SELECT 2, 'b', x'03'"))
        self.others[choice.b] = Kept("statement", value, [home])

    def step(self, choice):
        kept = self.other(choice, "statement")
        if kept is None:
            return
        if not kept.is_open:
            return self.expect(ClosedError, lambda: next(kept.value))
        if self.is_held(kept.homes[0]):
            return self.expect(BusyError, lambda: next(kept.value))
        if any(it and it.kind == "view" and it.homes[0] is kept and it.open for it in self.others):
            return self.expect(BufferError, lambda: next(kept.value))
        row = self.run(lambda: next(kept.value, None))
        assert row in ([1, "a", b"\1\2"], [2, "b", b"\3"], None)

    def mistake(self, choice):
        home = self.connection(choice)
        if home is not None:
            outcome = BusyError if self.is_held(home) else SqliteError
            self.expect(outcome if home.is_open else ClosedError, lambda: home.value.prepare("SELECT nonsense("))

    def blob(self, choice):
        home = self.connection(choice)
        if home is None:
            return
        if not home.is_open:
            return self.expect(ClosedError, lambda: home.value.blob("t", "a", 1))
        if self.is_held(home):
            return self.expect(BusyError, lambda: home.value.blob("t", "a", 1))
        value = self.run(lambda: home.value.blob("t", "a", 1))
        assert value.read() == b"\x00\x11\x22\x33"
        self.others[choice.b] = Kept("blob", value, [home])

    def copy(self, choice):
        home = self.connection(choice)
        source = self.slots[choice.b]
        if home is None or source is None:
            return
        if not (home.is_open and source.is_open):
            held = self.is_held(home) or self.is_held(source)
            return self.expect(
                (ClosedError, BusyError) if held else ClosedError, lambda: home.value.copy_from(source.value)
            )
        if home is source or self.is_held(home) or self.is_held(source):
            return self.expect(BusyError, lambda: home.value.copy_from(source.value))
        if any(it and it.kind == "copy" and it.homes[1] is home for it in self.others):
            # A copy from here that was dropped meanwhile would end, and free its destination, only after this one.
            return
        try:
            value = self.run(lambda: home.value.copy_from(source.value))
        except SqliteError as error:
            assert "in use" in str(error) or "locked" in str(error)
            return
        if choice.n % 2:
            self.others[choice.b] = Kept("copy", value, [home, source])
        else:
            del value

    def function(self, choice):
        home = self.connection(choice)
        if home is None:
            return
        what = choice.of(WHATS)
        if not home.is_open:
            return self.expect(ClosedError, lambda: home.value.create_function("f", -1, Function(what, home.value)))
        if self.is_held(home):
            return self.expect(BusyError, lambda: home.value.create_function("f", -1, None))
        try:
            self.run(lambda: home.value.create_function("f", -1, Function(what, home.value)))
        except SqliteError as error:
            assert "active statements" in str(error)
            return
        home.functions["f"] = what

    def no_function(self, choice):
        home = self.connection(choice)
        if home is None or not home.is_open or self.is_held(home):
            return
        try:
            self.run(lambda: home.value.create_function("f", -1, None))
        except SqliteError as error:
            assert "active statements" in str(error)
            return
        home.functions.pop("f", None)

    def call(self, choice):
        home = self.connection(choice)
        if home is None:
            return
        call = lambda: next(home.value.query("SELECT f(1, 2)"))[0]
        if not home.is_open:
            return self.expect(ClosedError, call)
        if self.is_held(home):
            return self.expect(BusyError, call)
        outcome = OUTCOMES[home.functions["f"]] if "f" in home.functions else SqliteError
        if home.progress in (KeyError, SqliteError):
            outcome = (home.progress, *([outcome] if isinstance(outcome, type) else []))
            try:
                self.run(call)
            except outcome:
                pass
            return
        self.expect(outcome, call)

    def aggregate(self, choice):
        home = self.connection(choice)
        if home is None or not home.is_open or home.progress or self.is_held(home):
            return
        try:
            self.run(lambda: home.value.create_aggregate("total", 1, Sum))
        except SqliteError as error:
            assert "active statements" in str(error)
            return
        rows = " UNION ALL ".join(f"SELECT {number} AS n" for number in range(choice.n % 20 + 1))
        outcome = KeyError if choice.n % 20 >= 13 else sum(range(choice.n % 20 + 1))
        self.expect(outcome, lambda: next(home.value.query(f"SELECT total(n) FROM ({rows})"))[0])

    def progress(self, choice):
        home = self.connection(choice)
        if home is None or not home.is_open or self.is_held(home):
            return
        handlers = [(None, None), (lambda: False, None), (lambda: True, SqliteError), (lambda: {}[0], KeyError)]
        handler, outcome = choice.of(handlers)
        try:
            self.run(lambda: home.value.set_progress_handler(handler, 1))
        except BufferError:
            return
        home.progress = outcome
        if outcome:
            # Only for one statement: every other operation expects none.
            try:
                self.expect(outcome, lambda: home.value.run("SELECT 1 UNION SELECT 2"))
            finally:
                home.value.set_progress_handler(None)
                home.progress = None

    def view(self, choice):
        home = self.connection(choice)
        if home is None or not home.is_open or self.is_held(home):
            return
        statement = Kept("statement", home.value.query("SELECT x'0102'"), [home])
        next(statement.value)
        view = self.run(lambda: statement.value.view(0))
        assert bytes(view) == b"\1\2"
        if choice.n % 3 == 0:
            view.release()
        # What a view keeps is closed by nobody; so it does not stay for long.
        del view, statement

    def collect(self, _):
        self.run(gc.collect)


OPERATIONS = {
    "connect": 6,
    "close_connection": 2,
    "drop_connection": 2,
    "drop_other": 5,
    "close_other": 4,
    "prepare": 10,
    "step": 12,
    "mistake": 3,
    "blob": 3,
    "copy": 4,
    "function": 8,
    "no_function": 2,
    "call": 12,
    "aggregate": 5,
    "progress": 4,
    "view": 4,
    "collect": 1,
}
