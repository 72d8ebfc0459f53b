"""Threads on one connection: each hears of its own failures and counts its own rows."""

import threading

import pytest
from sqlite_safe import Connection, SqliteError, live_handles

NONE = {"Backup": 0, "Blob": 0, "Connection": 0, "Statement": 0}
TIMES = 400


@pytest.fixture
def db():
    with Connection(":memory:") as db:
        db.run("CREATE TABLE t (k, x)")
        for k in range(8):
            for _ in range(k + 1):
                db.run("INSERT INTO t VALUES (?, 0)", [k])
        yield db
    assert live_handles() == NONE


def all_at_once(*works):
    """Run each function `TIMES` times, each on a thread of its own."""
    start, wrong = threading.Barrier(len(works)), []

    def run(work):
        start.wait(10)
        try:
            for _ in range(TIMES):
                work()
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def failing(db, number):
    name = f"column_{number}_" + "x" * (number * 40)

    def work():
        with pytest.raises(SqliteError) as caught:
            db.run(f"SELECT {name}")
        assert (caught.value.message, caught.value.offset) == (f"no such column: {name}", 7)

    return work


def failing_late(db, number):
    def work():
        with pytest.raises(SqliteError) as caught:
            db.run(f"SELECT abs(-9223372036854775808) + {number}")
        assert caught.value.message == "integer overflow"

    return work


def counting(db, k):
    def work():
        assert db.run("UPDATE t SET x = x + 1 WHERE k = ?", [k]) == k + 1

    return work


def test_each_thread_hears_of_its_own_failures(db):
    all_at_once(*[failing(db, number) for number in range(3)], failing_late(db, 1))


def test_each_thread_counts_its_own_rows(db):
    all_at_once(*[counting(db, k) for k in (0, 3, 7)], lambda: db.run("SELECT 1"))


def test_failures_beside_counts_and_callbacks(db):
    db.create_function("one", 0, lambda: 1)

    def calling():
        assert db.run("UPDATE t SET x = x + one() WHERE k = 4") == 5

    all_at_once(failing(db, 1), failing_late(db, 2), counting(db, 5), calling)
