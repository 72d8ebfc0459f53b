"""SQLite: each type, each way to fail, and that nothing is left."""

import enum
import gc
import math
import pickle
import sqlite3
import threading
import time

import pytest
import sqlite_safe
from sqlite_safe import (
    BusyError,
    ClosedError,
    Connection,
    Error,
    IntegrityError,
    OpenFlag,
    SqliteError,
    live_handles,
)

NONE = {"Backup": 0, "Blob": 0, "Connection": 0, "Statement": 0}
COUNT = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT {}) SELECT "
CANTOPEN, BUSY, CORRUPT, CONSTRAINT_UNIQUE, NOTADB = 14, 5, 11, 2067, 26


@pytest.fixture
def db():
    with Connection(":memory:") as db:
        db.run("CREATE TABLE t (id INTEGER PRIMARY KEY, value UNIQUE)")
        yield db


@pytest.mark.parametrize(
    "value",
    [
        None,
        0,
        2**63 - 1,
        -(2**63),
        0.5,
        math.inf,
        "",
        "text",
        "né\N{SNOWMAN}",
        "a\0b",
        b"",
        b"\0\xff" * 1000,
        "x" * 100_000,
    ],
)
def test_every_value_comes_back(db, value):
    [row] = db.query("SELECT ?, typeof(?)", [value, value])
    names = {type(None): "null", int: "integer", float: "real", str: "text", bytes: "blob"}
    assert row == [value, names[type(value)]]
    assert type(row[0]) is type(value)


def test_agrees_with_pythons_own(tmp_path):
    path = tmp_path / "db"
    rows = [[n, n / 3, f"row {n}", bytes([n]), None] for n in range(100)]
    with Connection(path) as db:
        db.run("CREATE TABLE t (a, b, c, d, e)")
        db.run("BEGIN")
        for row in rows:
            assert db.run("INSERT INTO t VALUES (?, ?, ?, ?, ?)", row) == 1
        assert db.last_row == 100
        db.run("COMMIT")
        assert db.query("SELECT * FROM t").columns == ["a", "b", "c", "d", "e"]
        assert list(db.query("SELECT * FROM t ORDER BY a")) == rows
    theirs = sqlite3.connect(path)
    assert [list(row) for row in theirs.execute("SELECT * FROM t ORDER BY a")] == rows
    theirs.close()


def test_a_statement_begins_anew_after_its_last_row(db):
    statement = db.query("SELECT 1 UNION SELECT 2")
    assert list(statement) == list(statement) == [[1], [2]]
    again = db.query("SELECT ?", [1])
    assert next(again) == [1]
    again.bind([2])
    assert list(again) == [[2]]


def test_closed_half_way(db):
    for row in db.query(COUNT.format(1000) + "n FROM c"):
        if row == [10]:
            break
    statement = db.query(COUNT.format(1000) + "n FROM c")
    next(statement)
    assert live_handles()["Statement"] >= 1
    db.close()
    with pytest.raises(ClosedError):
        next(statement)
    assert statement.closed
    assert live_handles() == NONE


# ---- opening


@pytest.mark.parametrize("path", ["/no/such/folder/db", "/"])
def test_handle_of_a_failed_open_is_released(path):
    """SQLite gives a handle also when it fails: it says why, and has to be closed."""
    for _ in range(100):
        with pytest.raises(SqliteError, match="unable to open") as caught:
            Connection(path)
        assert caught.value.code & 0xFF == CANTOPEN
        assert isinstance(caught.value, Error)
    assert live_handles() == NONE


def test_open_without_create_flag_raises_for_a_missing_file(tmp_path):
    path = tmp_path / "db"
    with pytest.raises(SqliteError, match="unable to open"):
        Connection(path, OpenFlag.READWRITE)
    assert not path.exists()
    Connection(path).close()
    Connection(path, OpenFlag.READWRITE).close()


def test_flags_are_pythons_own(tmp_path):
    assert isinstance(OpenFlag.CREATE, enum.IntFlag)
    path = tmp_path / "db"
    with Connection(path) as db:
        db.run("CREATE TABLE t (a)")
    with Connection(path, OpenFlag.READONLY) as db:
        with pytest.raises(SqliteError, match="readonly"):
            db.run("INSERT INTO t VALUES (1)")
    with Connection(f"file:{path}?mode=ro", OpenFlag.READWRITE | OpenFlag.URI) as db:
        assert list(db.query("SELECT * FROM t")) == []
    # A plain number will do.
    Connection(path, 1).close()
    assert pickle.loads(pickle.dumps(OpenFlag.READONLY)) is OpenFlag.READONLY
    assert "sqlite3_open_v2" in OpenFlag.__doc__


@pytest.mark.parametrize("flags", ["rw", 1.0, None, 2**40])
def test_bad_flags(flags):
    with pytest.raises((TypeError, ValueError, OverflowError)):
        Connection(":memory:", flags)
    assert live_handles() == NONE


def test_the_bytes_of_a_file(tmp_path):
    """`sqlite3_serialize` gives memory that is the caller's, with its length through a pointer."""
    path = tmp_path / "db"
    with Connection(":memory:") as db:
        db.run("CREATE TABLE t (a)")
        db.run("INSERT INTO t VALUES (7)")
        path.write_bytes(db.serialize())
    with Connection(path) as db:
        assert list(db.query("SELECT a FROM t")) == [[7]]


@pytest.mark.parametrize(
    ("insert", "constraint"),
    [("(1, 1), (2, 1)", "UNIQUE"), ("(1, 1), (1, 2)", "PRIMARY KEY"), ("('x', 1)", None)],
)
def test_integrity_errors_are_sqlite_errors_with_more(db, insert, constraint):
    with pytest.raises(SqliteError) as caught:
        db.run(f"INSERT INTO t VALUES {insert}")
    error = caught.value
    if constraint is None:
        assert type(error) is SqliteError
    else:
        assert type(error) is IntegrityError
        assert error.constraint == constraint
        assert error.code & 0xFF == 19
        assert str(error) == error.message == error.args[0]
    assert issubclass(IntegrityError, SqliteError) and issubclass(SqliteError, Error)


@pytest.mark.parametrize("path", [None, 1, "a\0b"])
def test_bad_paths(path):
    with pytest.raises((TypeError, ValueError)):
        Connection(path)


def test_no_database(tmp_path):
    path = tmp_path / "db"
    path.write_bytes(b"this is no database at all " * 100)
    with Connection(path) as db:
        with pytest.raises(SqliteError, match="not a database") as caught:
            list(db.query("SELECT * FROM sqlite_master"))
        assert caught.value.code == NOTADB


# ---- statements


def test_settings_of_a_connection(db):
    db.run("CREATE TABLE a (id INTEGER PRIMARY KEY)")
    db.run("CREATE TABLE b (a REFERENCES a)")
    assert db.foreign_keys is False
    db.run("INSERT INTO b VALUES (1)")
    db.foreign_keys = True
    assert db.foreign_keys is True
    assert list(db.query("PRAGMA foreign_keys")) == [[1]]
    with pytest.raises(IntegrityError):
        db.run("INSERT INTO b VALUES (2)")
    assert db.defensive is False
    db.defensive = True
    assert db.defensive is True
    db.run("PRAGMA writable_schema = ON")
    with pytest.raises(SqliteError, match="may not be modified"):
        db.run("DELETE FROM sqlite_master")


def test_bad_sql(db):
    with pytest.raises(SqliteError, match='near "FORM"') as caught:
        db.prepare("SELECT * FORM t")
    assert (caught.value.code, caught.value.offset) == (1, 9)
    with pytest.raises(SqliteError, match="no such table: missing"):
        db.prepare("SELECT * FROM missing")


@pytest.mark.parametrize("sql", ["", "  -- nothing", "SELECT 1\0; SELECT 2"])
def test_no_statement(db, sql):
    with pytest.raises(ValueError):
        db.prepare(sql)


@pytest.mark.parametrize("parameters", [None, [], [1, 2]])
def test_the_number_of_parameters(db, parameters):
    with pytest.raises(ValueError, match="1 parameter"):
        db.query("SELECT ?", parameters)


@pytest.mark.parametrize(
    ("value", "error"), [(2**63, OverflowError), ([], TypeError), (object(), TypeError), ("\ud800", ValueError)]
)
def test_values_that_sqlite_has_not(db, value, error):
    with pytest.raises(error):
        db.query("SELECT ?", [value])
    assert live_handles()["Statement"] == 0


def test_extended_codes(db):
    db.run("INSERT INTO t (value) VALUES (1)")
    with pytest.raises(SqliteError, match="UNIQUE constraint failed: t.value") as caught:
        db.run("INSERT INTO t (value) VALUES (1)")
    assert caught.value.code == CONSTRAINT_UNIQUE
    assert db.run("INSERT INTO t (value) VALUES (2)") == 1


def test_a_statement_that_fails_half_way(db):
    statement = db.query(
        "SELECT abs(CASE n WHEN 3 THEN -9223372036854775808 ELSE n END) FROM "
        "(SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3)"
    )
    assert next(statement) == [1]
    assert next(statement) == [2]
    with pytest.raises(SqliteError, match="integer overflow"):
        next(statement)


def test_another_connection_writes(tmp_path):
    with Connection(tmp_path / "db") as one, Connection(tmp_path / "db") as two:
        one.run("CREATE TABLE t (a)")
        one.run("BEGIN IMMEDIATE")
        with pytest.raises(SqliteError, match="locked") as caught:
            two.run("BEGIN IMMEDIATE")
        assert caught.value.code == BUSY
        one.run("COMMIT")
        two.run("BEGIN IMMEDIATE")
        two.run("ROLLBACK")


# ---- closing


def test_closing_the_target_ends_the_copy():
    with Connection(":memory:") as source:
        source.run("CREATE TABLE t (a)")
        target = Connection(":memory:")
        backup = target.copy_from(source)
        target.close()
        assert backup.closed
    assert live_handles() == NONE


def test_a_database_into_itself():
    with Connection(":memory:") as db:
        with pytest.raises(BusyError):
            db.copy_from(db)


def test_destination_of_a_copy_is_busy_until_the_copy_is_closed():
    with Connection(":memory:") as source, Connection(":memory:") as target:
        source.run("CREATE TABLE t (a)")
        source.run("INSERT INTO t VALUES (zeroblob(20000))")
        before = target.query("SELECT 1")
        copy = target.copy_from(source)
        assert copy.step(1)
        for use in (
            lambda: target.run("CREATE TABLE u (a)"),
            lambda: target.query("SELECT * FROM t"),
            lambda: next(before),
            before.close,
            lambda: target.copy_from(source),
            lambda: source.copy_from(target),
        ):
            with pytest.raises(
                BusyError, match="Connection cannot be used while a Backup uses it: close the Backup first"
            ):
                use()
        # The source is only read.
        assert next(source.query("SELECT length(a) FROM t")) == [20000]
        del before
        assert not copy.step()
        copy.close()
        assert next(target.query("SELECT length(a) FROM t")) == [20000]
        target.run("CREATE TABLE u (a)")
    assert live_handles() == NONE


def test_dropped_unclosed():
    with pytest.warns(ResourceWarning, match="unclosed Connection"):
        db = Connection(":memory:")
        statement = db.query("SELECT 1")
        del db
        gc.collect()
        assert next(statement) == [1]
        del statement
        gc.collect()
    assert live_handles() == NONE


def test_closed_while_another_thread_asks(db):
    statement = db.query(COUNT.format(100_000_000) + "count(*) FROM c")
    ended = []

    def ask():
        try:
            ended.append(next(statement))
        except ClosedError:
            ended.append("closed")

    thread = threading.Thread(target=ask)
    rows = db.query(COUNT.format(200_000) + "count(*) FROM c")
    other = threading.Thread(target=lambda: ended.append(next(rows)))
    other.start()
    db.close()
    other.join()
    thread.start()
    thread.join()
    assert ended in ([[200_000], "closed"],)


def test_threads_share_a_connection(db):
    def write(start):
        for n in range(start, start + 200):
            db.run("INSERT INTO t VALUES (?, ?)", [n, str(n)])

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 1000, 2000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(db.query("SELECT count(*), count(DISTINCT value) FROM t")) == [[600, 600]]


def test_errors_by_the_thousand(db):
    for _ in range(2000):
        for sql in ("SELECT", "SELECT abs(-9223372036854775808)", "INSERT INTO t VALUES (1, 1), (1, 2)"):
            with pytest.raises(SqliteError):
                db.run(sql)
    assert live_handles() == NONE | {"Connection": 1}


def test_the_module():
    assert BusyError.__mro__[1] is Error
    assert sqlite_safe.__doc__


def test_method_without_doc_comment_has_the_comment_of_the_header():
    """From the comment of `sqlite3_last_insert_rowid` in sqlite3.h."""
    assert "Last Insert Rowid" in Connection.last_row.__doc__
    assert "``" not in Connection.last_row.__doc__


# ---- memory that is lent


def test_a_blob_without_a_copy(db):
    statement = db.query("SELECT ?, ?, ?", [b"blob" * 1000, b"", "text"])
    with pytest.raises(ValueError, match="no blob in column 0"):
        statement.view(0)
    row = next(statement)
    view = statement.view(0)
    assert isinstance(view, memoryview) and view.readonly and view.nbytes == 4000
    assert view == row[0] and bytes(view[4:8]) == b"blob"
    assert statement.view(1) is None
    for column in (2, 3, -1):
        with pytest.raises(ValueError):
            statement.view(column)
    with pytest.raises(TypeError):
        view[0] = 1


def test_statement_with_a_memoryview_cannot_be_closed_or_changed():
    db = Connection(":memory:")
    statement = db.query("SELECT ?", [b"blob"])
    next(statement)
    view = statement.view(0)
    part = view[1:3]
    for change in (statement.close, db.close, statement.__next__, lambda: statement.bind([b"x"])):
        with pytest.raises(BufferError, match="in use by a memoryview: release that first"):
            change()
        assert not statement.closed and not db.closed
    # Others may look on.
    assert statement.columns == ["?"] and statement.view(0) == b"blob"
    view.release()
    with pytest.raises(BufferError, match="Statement"):
        statement.close()
    assert part == b"lo"
    del part
    assert list(statement) == []
    db.close()
    assert statement.closed and live_handles() == NONE


def test_a_view_holds_the_handle_that_lends_it():
    view = None

    def lend():
        with pytest.raises(BufferError):
            with Connection(":memory:") as db:
                statement = db.query("SELECT ?", [b"blob"])
                next(statement)
                return_view.append(statement.view(0))

    return_view = []
    lend()
    gc.collect()
    view = return_view.pop()
    assert view == b"blob"
    assert live_handles() == NONE | {"Connection": 1, "Statement": 1}
    view.release()
    del view
    gc.collect()
    assert live_handles() == NONE


def test_exception_of_a_with_body_wins_over_a_refused_close():
    held = []
    with pytest.raises(KeyError):
        with Connection(":memory:") as db:
            statement = db.query("SELECT ?", [b"blob"])
            next(statement)
            held.append(statement.view(0))
            raise KeyError
    assert not db.closed
    held.clear()
    db.close()


def test_close_on_another_thread_raises_at_once_while_a_memoryview_exists(db):
    statement = db.query("SELECT ?", [b"blob"])
    next(statement)
    view = statement.view(0)
    raised = []

    def close():
        try:
            db.close()
        except BufferError as error:
            raised.append(error)

    thread = threading.Thread(target=close)
    thread.start()
    thread.join(10)
    assert not thread.is_alive() and len(raised) == 1 and view == b"blob"


# ---- blobs in parts


@pytest.fixture
def blob_db(db):
    db.run("CREATE TABLE b (id INTEGER PRIMARY KEY, data)")
    db.run("INSERT INTO b VALUES (1, ?), (2, ?), (3, 7)", [bytes(range(100)), b"second"])
    return db


def test_a_blob_is_read_and_written_in_parts(blob_db):
    with blob_db.blob("b", "data", 1, writable=True) as blob:
        assert len(blob) == 100
        assert blob.read() == bytes(range(100))
        assert blob.read(10, 3) == b"\n\x0b\x0c" and blob.read(98) == b"bc" and blob.read(100) == b""
        blob.write(b"new")
        blob.write(bytearray(b"end"), 97)
        blob.write(memoryview(b"xxmidxx")[2:5], 50)
        blob.reopen(2)
        assert len(blob) == 6 and blob.read() == b"second"
    [[data]] = blob_db.query("SELECT data FROM b WHERE id = 1")
    assert data[:3] == b"new" and data[50:53] == b"mid" and data[-3:] == b"end"


@pytest.mark.parametrize(
    ("offset", "count"), [(101, 0), (0, 101), (99, 2), (2**62, 2**62), (2**63, 2**63), (1, 2**64 - 1)]
)
def test_read_outside_of_the_blob_raises(blob_db, offset, count):
    with blob_db.blob("b", "data", 1) as blob, pytest.raises(ValueError, match="not within the 100 of the blob"):
        blob.read(offset, count)


def test_invalid_uses_of_a_blob_raise(blob_db):
    for table, column, row in (("nope", "data", 1), ("b", "nope", 1), ("b", "data", 9), ("b", "data", 3)):
        with pytest.raises(SqliteError, match="no such|cannot open"):
            blob_db.blob(table, column, row)
    with blob_db.blob("b", "data", 1) as blob:
        with pytest.raises(SqliteError, match="readonly") as caught:
            blob.write(b"x")
        assert caught.value.code & 0xFF == 8
        with pytest.raises(ValueError, match="101 bytes at 0"):
            blob.write(bytes(101))
        with pytest.raises((ValueError, OverflowError, TypeError)):
            blob.read(-1)
        # The row is changed below it: sqlite3_blob_read says SQLITE_ABORT from then on.
        blob_db.run("UPDATE b SET data = ? WHERE id = 1", [b"other"])
        with pytest.raises(SqliteError, match="abort") as caught:
            blob.read(0, 1)
        assert caught.value.code & 0xFF == 4
    assert live_handles()["Blob"] == 0


def test_a_blob_ends_with_its_connection(blob_db):
    blob = blob_db.blob("b", "data", 1)
    blob_db.close()
    assert blob.closed
    with pytest.raises(ClosedError):
        blob.read()


# ---- what takes long


def test_long_statement_is_interrupted():
    db = Connection(":memory:")
    endless = db.query("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c")
    raised = []

    def run():
        try:
            next(endless)
        except SqliteError as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.1)
    assert thread.is_alive()
    db.interrupt()
    thread.join(10)
    assert not thread.is_alive()
    assert raised[0].code == 9 and "interrupted" in str(raised[0])
    assert not db.closed
    db.close()
    assert live_handles() == NONE


def test_exceptions_cross_processes_with_their_fields(db):
    db.run("CREATE TABLE once(x UNIQUE)")
    db.run("INSERT INTO once VALUES (1)")
    with pytest.raises(IntegrityError) as caught:
        db.run("INSERT INTO once VALUES (1)")
    error = caught.value
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is IntegrityError and again.args == error.args
    fields = ("message", "code", "offset", "constraint")
    assert [getattr(again, name) for name in fields] == [getattr(error, name) for name in fields]
    made = IntegrityError("made by a test", code=CONSTRAINT_UNIQUE, constraint="UNIQUE")
    assert (str(made), made.code, made.constraint) == ("made by a test", CONSTRAINT_UNIQUE, "UNIQUE")
