"""Signals that come while SQLite works: their handlers run, and what they raise ends the call."""

import signal
import threading

import pytest
from sqlite_safe import Connection, SqliteError, live_handles

NONE = {"Backup": 0, "Blob": 0, "Connection": 0, "Statement": 0}
ENDLESS = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c"

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no timer")


class Interrupted(Exception):
    pass


@pytest.fixture
def alarm():
    """Start a timer whose signal calls the given handler soon."""
    before = signal.getsignal(signal.SIGALRM)

    def start(handler):
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.1)

    yield start
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def db():
    with Connection(":memory:") as db:
        yield db
    assert live_handles() == NONE


def interrupt(*_):
    raise Interrupted


@pytest.mark.parametrize(
    "call",
    [
        lambda db: db.run(ENDLESS),
        lambda db: next(db.query(ENDLESS)),
        lambda db: db.run_script("SELECT 1; " + ENDLESS),
    ],
    ids=["run", "next", "run_script"],
)
def test_exception_of_a_handler_ends_a_statement(db, alarm, call):
    alarm(interrupt)
    with pytest.raises(Interrupted):
        call(db)
    # The connection is as good as before.
    assert list(db.query("SELECT 1")) == [[1]]


def test_a_handler_that_raises_nothing_ends_nothing(db, alarm):
    seen = []
    alarm(lambda *_: seen.append(1))

    def done():
        return bool(seen)

    db.create_function("done", 0, done)
    db.run("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE NOT done()) SELECT max(n) FROM c")
    assert seen == [1]


def test_beside_a_progress_handler(db, alarm):
    calls = []
    db.set_progress_handler(lambda: calls.append(1))
    alarm(interrupt)
    with pytest.raises(Interrupted):
        db.run(ENDLESS)
    assert calls
    db.set_progress_handler(lambda: True)
    with pytest.raises(SqliteError, match="interrupted"):
        db.run(ENDLESS)


@pytest.mark.parametrize("every", [1000, 0])
def test_after_a_progress_handler_was_removed(db, alarm, every):
    db.set_progress_handler(lambda: True)
    db.set_progress_handler(None if every else print, every)
    alarm(interrupt)
    with pytest.raises(Interrupted):
        db.run(ENDLESS)


def test_a_copy_of_many_pages_is_ended(db, alarm):
    """The signal has come before the copy begins, which is long enough for a look at signals."""
    db.run("CREATE TABLE t (x)")
    db.run(
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 3000) INSERT INTO t SELECT zeroblob(8000) FROM c"
    )
    with Connection(":memory:") as target, target.copy_from(db) as copy:
        assert copy.step(1) is True
        assert copy.step(2000) is True
        assert copy.step() is False
        assert copy.remaining == 0
    with Connection(":memory:") as target:
        with target.copy_from(db) as copy:
            copy.step()
        assert list(target.query("SELECT count(*), sum(length(x)) FROM t")) == [[3000, 24000000]]


def test_other_threads_leave_signals_to_the_main_thread(db):
    ended = []

    def work():
        try:
            db.run(ENDLESS)
        except SqliteError as error:
            ended.append(str(error))

    seen, go_on = [], threading.Event()
    before = signal.signal(signal.SIGALRM, lambda *_: (seen.append(threading.current_thread()), go_on.set()))
    thread = threading.Thread(target=work)
    thread.start()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        # Python 3.13 without a GIL looks for signals only between waits.
        assert any(go_on.wait(0.1) for _ in range(300))
        assert seen == [threading.main_thread()]
    finally:
        while thread.is_alive():
            db.interrupt()
            thread.join(0.01)
        signal.signal(signal.SIGALRM, before)
    assert ended == ["interrupted"]
