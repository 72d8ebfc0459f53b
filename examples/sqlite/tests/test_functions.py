"""Functions of SQL in Python: what they get and give, how they fail, who owns them."""

import gc
import os
import subprocess
import sys
import threading
import weakref

import pytest
from sqlite_safe import (
    BusyError,
    ClosedError,
    Connection,
    SqliteError,
    live_handles,
)


@pytest.fixture
def db():
    with Connection(":memory:") as db:
        yield db


def one(db, sql, parameters=()):
    (row,) = db.query(sql, list(parameters))
    return row[0]


COUNT = "WITH RECURSIVE c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < {}) SELECT "


class Sum:
    def __init__(self):
        self.sum = 0

    def step(self, value):
        self.sum += value

    def finalize(self):
        return self.sum


def test_values_both_ways(db):
    seen = []

    def echo(*values):
        seen.append(values)
        return values[0]

    db.create_function("echo", -1, echo)
    for value in [None, 0, -(2**63), 1.5, "", "täxt\0more", b"", b"\0\xff"]:
        assert one(db, "SELECT echo(?, 1)", [value]) == value
        assert seen[-1] == (value, 1)


def test_results_that_sqlite_has_no_type_for(db):
    db.create_function("odd", 0, list)
    with pytest.raises(TypeError, match="None, int, float, str or bytes expected"):
        one(db, "SELECT odd()")
    db.create_function("big", 0, lambda: 2**64)
    with pytest.raises(OverflowError):
        one(db, "SELECT big()")


def test_argument_that_is_no_callable_raises(db):
    with pytest.raises(TypeError, match="a callable is expected, not int"):
        db.create_function("f", 0, 7)


def test_an_exception_comes_out_as_it_is(db):
    error = KeyError("mine")

    def fail():
        raise error

    db.create_function("fail", 0, fail)
    with pytest.raises(KeyError) as caught:
        db.run("SELECT fail()")
    assert caught.value is error
    assert caught.traceback[-1].name == "fail"
    # The connection is as good as before.
    assert one(db, "SELECT 7") == 7


def test_nothing_more_is_called_after_an_exception(db):
    calls = []

    def fail(n):
        calls.append(n)
        raise ValueError

    db.create_function("fail", 1, fail)
    with pytest.raises(ValueError):
        list(db.query(COUNT.format(100) + "fail(n) FROM c"))
    assert len(calls) == 1


def test_keyboard_interrupt_and_exit_pass(db):
    for kind in [KeyboardInterrupt, SystemExit]:

        def fail(kind=kind):
            raise kind

        db.create_function("fail", 0, fail)
        with pytest.raises(kind):
            db.run("SELECT fail()")


def test_a_function_may_use_the_connection(db):
    db.run("CREATE TABLE t AS SELECT 42 AS a")
    db.create_function("lookup", 0, lambda: one(db, "SELECT a FROM t"))
    assert one(db, "SELECT lookup()") == 42


def test_a_function_cannot_close_the_database_that_runs_it(db):
    db.create_function("f", 0, lambda: 1)
    statement = db.prepare("SELECT f()")
    caught = []

    def use(action):
        try:
            action()
        except BusyError as error:
            caught.append(str(error))

    def f():
        use(db.close)
        use(statement.close)
        use(lambda: next(statement))
        use(lambda: db.set_progress_handler(None))
        return 1

    db.create_function("f", 0, f)
    assert next(statement) == [1]
    assert [text.split()[0] for text in caught] == ["Connection", "Statement", "Statement", "Connection"]
    assert not db.closed and not statement.closed


def test_refused_close_leaves_the_children_open(db):
    with Connection(":memory:") as other:
        copies = [db.copy_from(other)]

        def f():
            with pytest.raises(BusyError):
                other.close()
            return 1

        other.create_function("f", 0, f)
        assert one(other, "SELECT f()") == 1
        assert not any(copy.closed for copy in copies)
        statement = other.query("SELECT x'01'")
        next(statement)
        with statement.view(0), pytest.raises(BufferError):
            other.close()
        assert not any(copy.closed for copy in copies)
    assert all(copy.closed for copy in copies)


def test_a_function_may_drop_the_database_that_runs_it():
    db = Connection(":memory:")
    holder = []

    def f():
        holder.clear()
        gc.collect()
        return 1

    db.create_function("f", 0, f)
    holder.append(db.query("SELECT f()"))
    assert next(holder[0]) == [1]
    assert live_handles()["Statement"] == 0
    db.close()


def test_a_function_of_another_connection(db):
    with Connection(":memory:") as other:
        other.create_function("fail", 0, lambda: 1 / 0)
        db.create_function("nested", 0, lambda: one(other, "SELECT fail()"))
        with pytest.raises(ZeroDivisionError):
            db.run("SELECT nested()")

        def handle():
            try:
                return one(other, "SELECT fail()")
            except ZeroDivisionError:
                return "handled"

        db.create_function("nested", 0, handle)
        assert one(db, "SELECT nested()") == "handled"


def test_an_aggregate(db):
    db.create_aggregate("total", 1, Sum)
    assert one(db, COUNT.format(100) + "total(n) FROM c") == 5050
    groups = db.query(COUNT.format(10) + "n % 3, total(n) FROM c GROUP BY n % 3")
    assert list(groups) == [[0, 18], [1, 22], [2, 15]]
    assert one(db, COUNT.format(10) + "total(n) FROM c WHERE n > 99") == 0
    assert one(db, COUNT.format(10) + "total(n) || '/' || total(-n) FROM c") == "55/-55"


def test_an_aggregate_that_fails(db):
    made = []

    class Fails(Sum):
        where = None

        def __init__(self):
            made.append(weakref.ref(self))
            super().__init__()
            if self.where == "init":
                raise KeyError("init")

        def step(self, value):
            if self.where == "step" and value == 3:
                raise KeyError("step")
            super().step(value)

        def finalize(self):
            finalized.append(self.where)
            if self.where == "finalize":
                raise KeyError("finalize")
            return super().finalize()

    db.create_aggregate("total", 1, Fails)
    for where in ["init", "step", "finalize"]:
        Fails.where = where
        finalized = []
        with pytest.raises(KeyError, match=where):
            db.run(COUNT.format(5) + "total(n) FROM c")
        assert finalized == ([where] if where == "finalize" else [])
    assert len(made) == 3
    assert [ref() for ref in made] == [None] * 3
    Fails.where = None
    assert one(db, COUNT.format(5) + "total(n) FROM c") == 15


def test_an_aggregate_that_is_left_half_way(db):
    made = []

    class Kept(Sum):
        def __init__(self):
            made.append(weakref.ref(self))
            super().__init__()

    db.create_aggregate("total", 1, Kept)
    groups = db.query(COUNT.format(10) + "total(n) FROM c GROUP BY n % 3")
    assert next(groups) == [18]
    groups.close()
    assert all(ref() is None for ref in made)


def test_class_without_the_methods_of_an_aggregate_raises(db):
    db.create_aggregate("f", 0, lambda: object())
    with pytest.raises(AttributeError, match="step"):
        db.run("SELECT f()")


def test_a_function_is_let_go():
    class Callable:
        def __call__(self):
            return 1

    def alive():
        return [ref() is not None for ref in refs]

    refs = []

    def fresh():
        callable = Callable()
        refs.append(weakref.ref(callable))
        return callable

    db = Connection(":memory:")
    db.create_function("f", 0, fresh())
    db.create_function("f", 0, fresh())
    assert alive() == [False, True]
    db.create_function("f", 0, None)
    assert alive() == [False, False]
    with pytest.raises(SqliteError, match="no such function"):
        db.run("SELECT f()")
    # A name that SQLite does not accept: it destroys the function when it fails.
    with pytest.raises(SqliteError):
        db.create_function("f" * 256, 0, fresh())
    assert not refs[-1]()
    db.create_function("f", 0, fresh())
    db.create_function("f", 1, fresh())
    db.create_aggregate("g", 1, fresh())
    db.set_progress_handler(fresh())
    assert alive()[-4:] == [True] * 4
    db.set_progress_handler(fresh())
    assert alive()[-5:] == [True, True, True, False, True]
    db.close()
    assert alive()[-5:] == [False] * 5


def test_a_function_in_use_cannot_be_replaced(db):
    db.create_function("f", 1, lambda n: n)
    running = db.query(COUNT.format(10) + "f(n) FROM c")
    next(running)
    with pytest.raises(SqliteError, match="active statements"):
        db.create_function("f", 1, lambda n: -n)
    assert next(running) == [2]
    running.close()
    db.create_function("f", 1, lambda n: -n)
    assert one(db, "SELECT f(1)") == -1


@pytest.mark.parametrize("how", ["function", "aggregate", "progress"])
def test_cycles_are_collected(how):
    class Owner:
        def __init__(self):
            self.db = Connection(":memory:")
            # Through what lives in the connection, too.
            self.statement = self.db.prepare("SELECT 1")
            if how == "function":
                self.db.create_function("f", 0, self.method)
            elif how == "aggregate":
                self.db.create_aggregate("f", 0, self.method)
            else:
                self.db.set_progress_handler(self.method)

        def method(self):
            return self

    gc.collect()
    before = live_handles()["Connection"]
    owner = Owner()
    ref = weakref.ref(owner)
    gc.collect()
    assert ref() is owner
    del owner
    with pytest.warns(ResourceWarning):
        gc.collect()
    assert ref() is None
    assert live_handles()["Connection"] == before
    assert live_handles()["Statement"] == 0


def test_a_cycle_that_only_the_connection_can_break():
    """connection → its own method → connection: a method has nothing to let go"""
    db = Connection(":memory:")
    db.create_function("f", 1, db.prepare)
    ref = weakref.ref(db)
    del db
    with pytest.warns(ResourceWarning):
        gc.collect()
    assert ref() is None


def test_a_cycle_through_a_view(db):
    """connection → function → memoryview → statement → connection"""

    class Owner:
        def __call__(self):
            return 1

    other = Connection(":memory:")
    owner = Owner()
    ref = weakref.ref(owner)
    statement = other.query("SELECT x'0102'")
    next(statement)
    owner.view = statement.view(0)
    other.create_function("f", 0, owner)
    del owner, statement, other
    with pytest.warns(ResourceWarning):
        gc.collect()
    assert ref() is None


def test_a_cycle_through_another_parent():
    """source → function → copy → source, which is the copy's second parent"""

    class Owner:
        def __call__(self):
            return 1

    source, target = Connection(":memory:"), Connection(":memory:")
    owner = Owner()
    ref = weakref.ref(owner)
    owner.copy = target.copy_from(source)
    source.create_function("f", 0, owner)
    del owner, source
    with pytest.warns(ResourceWarning):
        gc.collect()
    assert ref() is None
    assert live_handles()["Backup"] == 0
    target.close()


def test_a_progress_handler(db):
    calls = []
    db.set_progress_handler(lambda: calls.append(1), 100)
    db.run(COUNT.format(1000) + "n FROM c")
    assert len(calls) > 10
    db.set_progress_handler(lambda: True, 100)
    with pytest.raises(SqliteError, match="interrupted"):
        db.run(COUNT.format(1000) + "n FROM c")
    db.set_progress_handler(lambda: 1 / 0, 100)
    with pytest.raises(ZeroDivisionError):
        db.run(COUNT.format(1000) + "n FROM c")
    db.set_progress_handler(None)
    db.run(COUNT.format(1000) + "n FROM c")


def test_a_progress_handler_cannot_use_the_connection(db):
    caught = []

    def handler():
        for use in [lambda: db.prepare("SELECT 1"), lambda: db.last_row, db.close, lambda: list(spare)]:
            try:
                use()
            except BusyError:
                caught.append(use)
        return True

    spare = db.prepare("SELECT 1")
    db.set_progress_handler(handler, 100)
    with pytest.raises(SqliteError, match="interrupted"):
        db.run(COUNT.format(1000) + "n FROM c")
    assert len(caught) == 4
    db.set_progress_handler(None)
    # It was barred for the length of the callback only.
    assert list(spare) == [[1]]


def test_statement_dropped_in_a_progress_handler_is_released(db):
    dropped = [db.prepare("SELECT 1")]

    def handler():
        dropped.clear()
        return False

    db.set_progress_handler(handler, 100)
    db.run(COUNT.format(1000) + "n FROM c")
    assert live_handles()["Statement"] == 0


def test_another_thread_waits_without_the_gil(db):
    """SQLite holds the connection's lock while a function runs: a thread that waits for it must not hold the GIL."""
    inside, go_on = threading.Event(), threading.Event()

    def slow():
        inside.set()
        assert go_on.wait(10)
        return 1

    db.create_function("slow", 0, slow)
    idle = db.query("SELECT 1, 'a', x'00'")
    done = []
    runner = threading.Thread(target=lambda: done.append(one(db, "SELECT slow()")))
    runner.start()
    assert inside.wait(10)
    actions = [
        lambda: list(idle),
        lambda: db.run("SELECT 1"),
        lambda: idle.columns,
        lambda: db.prepare("SELECT 1").close(),
        lambda: db.prepare("SELECT 1") and None,
        lambda: db.create_function("f", 0, None),
    ]
    others = [threading.Thread(target=action) for action in actions]
    for other in others:
        other.start()
    sys.setswitchinterval(1e-5)
    try:
        threading.Event().wait(0.05)
        go_on.set()
        for thread in [runner, *others]:
            thread.join(10)
            assert not thread.is_alive()
    finally:
        sys.setswitchinterval(0.005)
    assert done == [1]


def test_close_on_another_thread_waits_for_the_callback():
    db = Connection(":memory:")
    inside, order = threading.Event(), []

    def slow():
        inside.set()
        threading.Event().wait(0.05)
        order.append("function")
        return 1

    db.create_function("slow", 0, slow)
    statement = db.prepare("SELECT slow()")
    rows = []

    def run():
        try:
            rows.extend(statement)
        except ClosedError:
            rows.append("closed")

    runner = threading.Thread(target=run)
    runner.start()
    assert inside.wait(10)
    db.close()
    order.append("closed")
    runner.join(10)
    assert order[0] == "function"
    assert db.closed and statement.closed
    with pytest.raises(ClosedError):
        next(statement)
    assert rows[0] == [1]


def test_the_copy_ends_with_either_database():
    for first in ["source", "target"]:
        source, target = Connection(":memory:"), Connection(":memory:")
        source.run("CREATE TABLE t AS " + COUNT.format(1000) + "hex(randomblob(1000)) FROM c")
        copy = target.copy_from(source)
        assert copy.step(1)
        {"source": source, "target": target}[first].close()
        assert copy.closed
        with pytest.raises(ClosedError):
            copy.step()
        assert live_handles()["Backup"] == 0
        source.close()
        target.close()


def test_a_copy_keeps_both_databases():
    source, target = Connection(":memory:"), Connection(":memory:")
    source.run("CREATE TABLE t AS SELECT 7 AS a")
    copy = target.copy_from(source)
    del source, target
    gc.collect()
    assert live_handles()["Connection"] >= 2
    assert copy.step() is False
    with pytest.warns(ResourceWarning):
        del copy
    assert live_handles()["Backup"] == 0


@pytest.mark.parametrize("end", [StopIteration, StopAsyncIteration])
def test_a_function_cannot_end_the_rows(db, end):
    names = iter(["one", "two"])

    def name(_):
        try:
            return next(names)
        except StopIteration:
            raise end from None

    db.create_function("name", 1, name)
    got = []
    with pytest.raises(RuntimeError, match=f"a callback raised {end.__name__}") as caught:
        for row in db.query("SELECT name(n) FROM (SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3)"):
            got.append(row[0])
    assert isinstance(caught.value.__cause__, end)
    assert got == ["one", "two"]
    with pytest.raises(RuntimeError):
        db.run("SELECT name(1)")


END = """
import sys, threading
from sqlite_safe import Connection

def busy(*_):
    while True:
        entered.set()

entered = threading.Event()
db = Connection(":memory:")
if sys.argv[1] == "function":
    db.create_function("f", 0, busy)
else:
    db.set_progress_handler(busy, 1)
for _ in range(2):
    threading.Thread(target=db.run, args=["SELECT f()" if sys.argv[1] == "function" else "SELECT 1"], daemon=True).start()
entered.wait()
"""


# The end of the interpreter loses the objects that a stopped thread uses: LeakSanitizer is not to report those.
# AddressSanitizer looks on.
STOPPED = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


@pytest.mark.parametrize("where", ["function", "progress"])
def test_the_interpreter_ends_while_a_daemon_thread_is_in_a_function(where):
    for _ in range(3):
        command = [sys.executable, "-c", END, where]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, env=STOPPED)
        assert (ended.returncode, ended.stderr) == (0, "")
