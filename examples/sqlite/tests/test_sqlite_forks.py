"""SQLite in forked children: a connection belongs to the process that opened it."""

import os
import sqlite3
import subprocess
import sys
import textwrap
import warnings

import pytest
from sqlite_safe import Connection, live_handles

NONE = {"Backup": 0, "Blob": 0, "Connection": 0, "Statement": 0}

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "db"


@pytest.fixture
def db(path):
    with Connection(path) as db:
        db.run("CREATE TABLE t (id INTEGER PRIMARY KEY, x)")
        db.run("CREATE INDEX i ON t (x)")
        db.run(
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 2000) "
            "INSERT INTO t SELECT n, hex(randomblob(50)) FROM c"
        )
        yield db


def in_child(function):
    """Run `function` in a forked child; return its result or its exception."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            try:
                outcome = repr(function())
            except BaseException as error:
                outcome = f"{type(error).__name__}: {error}"
            os.write(writing, outcome.encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        outcome = pipe.read()
    _, status = os.waitpid(child, 0)
    assert status == 0
    return outcome


def test_no_handle_can_be_used_in_a_child(db, path):
    rows = db.query("SELECT id FROM t ORDER BY id")
    assert next(rows) == [1]
    db.run("CREATE TABLE b (data)")
    db.run("INSERT INTO b VALUES (x'0102')")
    blob = db.blob("b", "data", 1)
    with Connection(":memory:") as copy:
        backup = copy.copy_from(db)
        uses = {
            "Connection": lambda: db.run("DELETE FROM t"),
            "Statement": lambda: next(rows),
            "Blob": lambda: blob.read(),
            "Backup": lambda: backup.step(),
        }
        for name, use in uses.items():
            expected = f"{name} belongs to the process that this one was forked from: open a new one in this process"
            assert in_child(use) == f"AffinityError: {expected}"
        backup.close()
    assert next(rows) == [2]
    assert blob.read() == b"\1\2"


def test_a_child_that_closes_or_drops_leaves_the_parents_transaction(db, path):
    db.run("PRAGMA cache_size = 5")
    db.run("BEGIN IMMEDIATE")
    db.run("UPDATE t SET x = hex(randomblob(60)) WHERE id % 2")  # more than the cache holds: pages are written
    rows = db.query("SELECT id FROM t ORDER BY id")
    assert next(rows) == [1]

    def close():
        db.close()
        return db.closed, rows.closed, live_handles()

    assert in_child(close) == repr((True, True, NONE))
    db.run("DELETE FROM t WHERE id % 7 = 0")
    rows.close()
    db.run("COMMIT")
    theirs = sqlite3.connect(path)
    assert theirs.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert theirs.execute("SELECT count(*) FROM t").fetchone() == (2000 - 2000 // 7,)
    theirs.close()


def test_a_child_that_only_ends_leaves_the_parents_transaction(path):
    program = """
        import os, sys, warnings
        warnings.simplefilter("ignore")
        from sqlite_safe import Connection
        db = Connection(sys.argv[1])
        db.run("CREATE TABLE t (id INTEGER PRIMARY KEY, x)")
        db.run("INSERT INTO t VALUES (1, 'before')")
        db.run("BEGIN IMMEDIATE")
        db.run("UPDATE t SET x = 'after'")
        if os.fork() == 0:
            sys.exit(0)
        _, status = os.wait()
        assert status == 0
        db.run("COMMIT")
        assert list(db.query("SELECT x FROM t")) == [["after"]]
        db.close()
    """
    code = f"import sys; sys.path[:0] = {sys.path!r}\n" + textwrap.dedent(program)
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_child_opens_a_connection_of_its_own(db, path):
    def use():
        with Connection(path) as own:
            [[count]] = own.query("SELECT count(*) FROM t")
            own.run("INSERT INTO t VALUES (9999, 'child')")
        return count, own.closed, live_handles()["Connection"]

    assert in_child(use) == repr((2000, True, 1))
    assert list(db.query("SELECT x FROM t WHERE id = 9999")) == [["child"]]
