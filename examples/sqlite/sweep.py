"""The operations of the fault-injection sweep: every function of sqlite_safe, succeeding and failing."""

from collections.abc import Callable
from typing import Any

import sqlite_safe as MODULE
from pytest_leakproof.sweep import Operation

Pair = tuple[MODULE.Connection, MODULE.Connection]


def memory() -> MODULE.Connection:
    db = MODULE.Connection(":memory:")
    db.run("CREATE TABLE t (a UNIQUE)")
    return db


def pair() -> Pair:
    return memory(), MODULE.Connection(":memory:")


def closed() -> MODULE.Connection:
    db = memory()
    db.close()
    return db


def copy(pair: Pair) -> object:
    source, target = pair
    backup = target.copy_from(source)
    assert backup.step() is False
    return backup.remaining


def close_what_is_copied(pair: Pair) -> None:
    source, target = pair
    with target.copy_from(source):
        source.close()


class Sum:
    def __init__(self) -> None:
        self.sum = 0

    def step(self, value: int) -> None:
        self.sum += value

    def finalize(self) -> int:
        return self.sum


def functions() -> MODULE.Connection:
    db = memory()
    db.create_function("echo", -1, lambda *values: values[0])
    db.create_function("fail", 0, lambda: 1 / 0)
    db.create_aggregate("total", 1, Sum)
    return db


def progress(db: MODULE.Connection, handler: Callable[[], object]) -> None:
    db.set_progress_handler(handler, 1)
    try:
        db.run("SELECT 1")
    finally:
        db.set_progress_handler(None)


def blobs() -> MODULE.Connection:
    db = memory()
    db.run("CREATE TABLE b (a)")
    db.run("INSERT INTO b VALUES (?)", [b"blob"])
    return db


def blob(db: MODULE.Connection) -> object:
    it = db.blob("b", "a", 1, writable=True)
    it.write(b"x", 1)
    it.reopen(1)
    return len(it), it.read()


def view(db: MODULE.Connection, value: Any) -> bytes:
    statement = db.query("SELECT ?", [value])
    next(statement)
    return bytes(statement.view(0))


def close_what_is_viewed(db: MODULE.Connection) -> None:
    statement = db.query("SELECT ?", [b"blob"])
    next(statement)
    with statement.view(0):
        db.close()


def twice(db: MODULE.Connection) -> None:
    try:
        db.run("INSERT INTO t VALUES (7)")
        db.run("INSERT INTO t VALUES (7)")
    finally:
        db.run("DELETE FROM t")


VALUES = [None, 1, 0.5, "text", b"blob"]
OPERATIONS = [
    Operation("open", lambda: MODULE.Connection(":memory:").close()),
    Operation("open what is missing", lambda: MODULE.Connection("/no/such/db"), raises=MODULE.SqliteError),
    Operation("prepare", lambda db: db.prepare("SELECT 1").columns, setup=memory),
    Operation("prepare nothing", lambda db: db.prepare(""), setup=memory, raises=ValueError),
    Operation("prepare what is bad", lambda db: db.prepare("SELECT"), setup=memory, raises=MODULE.SqliteError),
    Operation("query", lambda db: list(db.query("SELECT ?, ?, ?, ?, ?", VALUES)), setup=memory),
    Operation("query too little", lambda db: db.query("SELECT ?"), setup=memory, raises=ValueError),
    Operation("bind", lambda db: next(db.query("SELECT ?", [1])), setup=memory),
    Operation("bind again", lambda db: db.query("SELECT ?", [1]).bind([2]), setup=memory),
    Operation("run", lambda db: db.run("SELECT 1"), setup=memory),
    Operation(
        "run what fails", lambda db: db.run("INSERT INTO t VALUES (1), (1)"), setup=memory, raises=MODULE.SqliteError
    ),
    Operation("run what is closed", lambda db: db.run("SELECT 1"), setup=closed, raises=MODULE.ClosedError),
    Operation("run what breaks a constraint", twice, setup=memory, raises=MODULE.IntegrityError),
    Operation(
        "run for long",
        lambda db: db.run(
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 200) SELECT max(n) FROM c"
        ),
        setup=memory,
    ),
    Operation("run two", lambda db: db.run("SELECT 1; SELECT 2"), setup=memory, raises=ValueError),
    Operation(
        "run a script", lambda db: db.run_script("INSERT OR REPLACE INTO t VALUES (1); SELECT a FROM t;"), setup=memory
    ),
    Operation(
        "run a script that fails", lambda db: db.run_script("SELECT 1; SELECT"), setup=memory, raises=MODULE.SqliteError
    ),
    Operation(
        "text that is not UTF-8",
        lambda db: list(db.query("SELECT CAST(x'ff' AS TEXT)")),
        setup=memory,
        raises=ValueError,
    ),
    Operation("serialize", lambda db: db.serialize(), setup=memory),
    Operation("close", lambda db: db.close(), setup=memory),
    Operation("open with flags", lambda: MODULE.Connection(":memory:", MODULE.OpenFlag.READWRITE)),
    Operation("view", lambda db: view(db, b"blob"), setup=memory),
    Operation("view of no blob", lambda db: view(db, 7), setup=memory, raises=ValueError),
    Operation("close what is viewed", close_what_is_viewed, setup=memory, raises=BufferError),
    Operation("blob", blob, setup=blobs),
    Operation("blob that is missing", lambda db: db.blob("b", "a", 9), setup=blobs, raises=MODULE.SqliteError),
    Operation("blob of less", lambda db: db.blob("b", "a", 1).read(9), setup=blobs, raises=ValueError),
    Operation("blob for reading", lambda db: db.blob("b", "a", 1).write(b"x"), setup=blobs, raises=MODULE.SqliteError),
    Operation("interrupt", lambda db: db.interrupt(), setup=memory),
    Operation("foreign keys", lambda db: db.foreign_keys, setup=memory),
    Operation("set foreign keys", lambda db: setattr(db, "foreign_keys", True), setup=memory),
    Operation("defensive", lambda db: db.defensive, setup=memory),
    Operation("set defensive", lambda db: setattr(db, "defensive", True), setup=memory),
    Operation("last row", lambda db: db.last_row, setup=memory),
    Operation("copy", copy, setup=pair),
    Operation("copy to itself", lambda db: db.copy_from(db), setup=memory, raises=MODULE.BusyError),
    Operation("close while copied", close_what_is_copied, setup=pair),
    Operation("create function", lambda db: db.create_function("f", 0, print), setup=memory),
    Operation(
        "create function badly",
        lambda db: db.create_function("f" * 256, 0, print),
        setup=memory,
        raises=MODULE.SqliteError,
    ),
    Operation("create aggregate", lambda db: db.create_aggregate("f", 1, Sum), setup=memory),
    Operation(
        "remove functions",
        lambda db: (db.create_function("echo", -1, None), db.create_aggregate("total", 1, None)),
        setup=functions,
    ),
    Operation(
        "call function",
        lambda db: list(db.query("SELECT echo(1), echo(0.5), echo('a'), echo(x'00'), echo(NULL)")),
        setup=functions,
    ),
    Operation("call what fails", lambda db: db.run("SELECT fail()"), setup=functions, raises=ZeroDivisionError),
    Operation(
        "aggregate", lambda db: list(db.query("SELECT total(1) UNION ALL SELECT total(1) WHERE 0")), setup=functions
    ),
    Operation("progress", lambda db: progress(db, lambda: False), setup=memory),
    Operation("progress that stops", lambda db: progress(db, lambda: True), setup=memory, raises=MODULE.SqliteError),
    Operation("progress that fails", lambda db: progress(db, lambda: 1 / 0), setup=memory, raises=ZeroDivisionError),
]

BY_PYO3 = "PyO3 makes the exception of an argument that it converts by value, and panics without memory"
WITHOUT_MEMORY = {
    "python: query": BY_PYO3,
    "python: bind*": BY_PYO3,
    "python: view*": BY_PYO3,
    "python: close what is viewed": BY_PYO3,
}
