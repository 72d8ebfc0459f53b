"""What the walk goes along: every function of sqlite_safe, succeeding and failing."""

import sqlite_safe as MODULE
from pytest_leakproof.walk import Operation


def memory():
    db = MODULE.Connection(":memory:")
    db.run("CREATE TABLE t (a UNIQUE)")
    return db


def pair():
    return memory(), MODULE.Connection(":memory:")


def closed():
    db = memory()
    db.close()
    return db


def copy(pair):
    source, target = pair
    backup = target.copy_from(source)
    assert backup.step() is False
    return backup.remaining


def close_what_is_copied(pair):
    source, target = pair
    with target.copy_from(source):
        source.close()


class Sum:
    def __init__(self):
        self.sum = 0

    def step(self, value):
        self.sum += value

    def finalize(self):
        return self.sum


def functions():
    db = memory()
    db.create_function("echo", -1, lambda *values: values[0])
    db.create_function("fail", 0, lambda: 1 / 0)
    db.create_aggregate("total", 1, Sum)
    return db


def progress(db, handler):
    db.set_progress_handler(handler, 1)
    try:
        db.run("SELECT 1")
    finally:
        db.set_progress_handler(None)


def blobs():
    db = memory()
    db.run("CREATE TABLE b (a)")
    db.run("INSERT INTO b VALUES (?)", [b"blob"])
    return db


def blob(db):
    it = db.blob("b", "a", 1, writable=True)
    it.write(b"x", 1)
    it.reopen(1)
    return len(it), it.read()


def view(db, value):
    statement = db.query("SELECT ?", [value])
    next(statement)
    return bytes(statement.view(0))


def close_what_is_viewed(db):
    statement = db.query("SELECT ?", [b"blob"])
    next(statement)
    with statement.view(0):
        db.close()


def twice(db):
    try:
        db.run("INSERT INTO t VALUES (7)")
        db.run("INSERT INTO t VALUES (7)")
    finally:
        db.run("DELETE FROM t")


VALUES = [None, 1, 0.5, "text", b"blob"]
OPERATIONS = [
    Operation("open", lambda: MODULE.Connection(":memory:").close()),
    Operation("open what is missing", lambda: MODULE.Connection("/no/such/db"), fails=MODULE.SqliteError),
    Operation("prepare", lambda db: db.prepare("SELECT 1").columns, prepare=memory),
    Operation("prepare nothing", lambda db: db.prepare(""), prepare=memory, fails=ValueError),
    Operation("prepare what is bad", lambda db: db.prepare("SELECT"), prepare=memory, fails=MODULE.SqliteError),
    Operation("query", lambda db: list(db.query("SELECT ?, ?, ?, ?, ?", VALUES)), prepare=memory),
    Operation("query too little", lambda db: db.query("SELECT ?"), prepare=memory, fails=ValueError),
    Operation("bind", lambda db: next(db.query("SELECT ?", [1])), prepare=memory),
    Operation("bind again", lambda db: db.query("SELECT ?", [1]).bind([2]), prepare=memory),
    Operation("run", lambda db: db.run("SELECT 1"), prepare=memory),
    Operation("run what fails", lambda db: db.run("INSERT INTO t VALUES (1), (1)"), prepare=memory, fails=MODULE.SqliteError),
    Operation("run what is closed", lambda db: db.run("SELECT 1"), prepare=closed, fails=MODULE.ClosedError),
    Operation("run what breaks a constraint", twice, prepare=memory, fails=MODULE.IntegrityError),
    Operation("run for long", lambda db: db.run("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 200) SELECT max(n) FROM c"), prepare=memory),
    Operation("run two", lambda db: db.run("SELECT 1; SELECT 2"), prepare=memory, fails=ValueError),
    Operation("run a script", lambda db: db.run_script("INSERT OR REPLACE INTO t VALUES (1); SELECT a FROM t;"), prepare=memory),
    Operation("run a script that fails", lambda db: db.run_script("SELECT 1; SELECT"), prepare=memory, fails=MODULE.SqliteError),
    Operation("text that is not UTF-8", lambda db: list(db.query("SELECT CAST(x'ff' AS TEXT)")), prepare=memory, fails=ValueError),
    Operation("serialize", lambda db: db.serialize(), prepare=memory),
    Operation("close", lambda db: db.close(), prepare=memory),
    Operation("open with flags", lambda: MODULE.Connection(":memory:", MODULE.OpenFlag.READWRITE)),
    Operation("view", lambda db: view(db, b"blob"), prepare=memory),
    Operation("view of no blob", lambda db: view(db, 7), prepare=memory, fails=ValueError),
    Operation("close what is viewed", close_what_is_viewed, prepare=memory, fails=BufferError),
    Operation("blob", blob, prepare=blobs),
    Operation("blob that is missing", lambda db: db.blob("b", "a", 9), prepare=blobs, fails=MODULE.SqliteError),
    Operation("blob of less", lambda db: db.blob("b", "a", 1).read(9), prepare=blobs, fails=ValueError),
    Operation("blob for reading", lambda db: db.blob("b", "a", 1).write(b"x"), prepare=blobs, fails=MODULE.SqliteError),
    Operation("interrupt", lambda db: db.interrupt(), prepare=memory),
    Operation("last row", lambda db: db.last_row, prepare=memory),
    Operation("copy", copy, prepare=pair),
    Operation("copy to itself", lambda db: db.copy_from(db), prepare=memory, fails=MODULE.BusyError),
    Operation("close while copied", close_what_is_copied, prepare=pair),
    Operation("create function", lambda db: db.create_function("f", 0, print), prepare=memory),
    Operation("create function badly", lambda db: db.create_function("f" * 256, 0, print), prepare=memory, fails=MODULE.SqliteError),
    Operation("create aggregate", lambda db: db.create_aggregate("f", 1, Sum), prepare=memory),
    Operation("remove functions", lambda db: (db.create_function("echo", -1, None), db.create_aggregate("total", 1, None)), prepare=functions),
    Operation("call function", lambda db: list(db.query("SELECT echo(1), echo(0.5), echo('a'), echo(x'00'), echo(NULL)")), prepare=functions),
    Operation("call what fails", lambda db: db.run("SELECT fail()"), prepare=functions, fails=ZeroDivisionError),
    Operation("aggregate", lambda db: list(db.query("SELECT total(1) UNION ALL SELECT total(1) WHERE 0")), prepare=functions),
    Operation("progress", lambda db: progress(db, lambda: False), prepare=memory),
    Operation("progress that stops", lambda db: progress(db, lambda: True), prepare=memory, fails=MODULE.SqliteError),
    Operation("progress that fails", lambda db: progress(db, lambda: 1 / 0), prepare=memory, fails=ZeroDivisionError),
]
