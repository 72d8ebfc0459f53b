"""SQLite: what `run` says and refuses, scripts, and TEXT that is not UTF-8."""

import pytest
from sqlite_safe import Connection, SqliteError, live_handles

NONE = {"Backup": 0, "Blob": 0, "Connection": 0, "Statement": 0}
NOT_UTF8 = "CAST(x'61c328ff' AS TEXT)"


@pytest.fixture
def db():
    with Connection(":memory:") as db:
        db.run("CREATE TABLE t (x)")
        yield db
    assert live_handles() == NONE


def rows(db, sql="SELECT x FROM t ORDER BY x"):
    return [row[0] for row in db.query(sql)]


# ---- one statement, and several


@pytest.mark.parametrize(
    "behind", ["", ";", " ; ", ";;\n", "; -- that was it", "; /* and a comment */ ;", " /* not ended", "\n-- no"]
)
def test_behind_a_statement_there_may_be_comments(db, behind):
    assert db.run("INSERT INTO t VALUES (1)" + behind) == 1
    assert rows(db) == [1]


@pytest.mark.parametrize(
    "behind",
    ["; INSERT INTO t VALUES (2)", ";/**/SELECT 1;", "; this is no SQL", "; INSERT INTO later VALUES (1)", ";'"],
)
@pytest.mark.parametrize("method", ["run", "query", "prepare"])
def test_a_second_statement_is_refused_before_the_first_one_runs(db, method, behind):
    with pytest.raises(ValueError, match="more than one statement in this text: `run_script`"):
        getattr(db, method)("INSERT INTO t VALUES (1)" + behind)
    assert rows(db) == []
    assert live_handles()["Statement"] == 0


def test_a_statement_behind_semicolons_and_comments(db):
    assert db.run("; -- first\n; INSERT INTO t VALUES (1)") == 1
    for nothing in ("", ";;", "-- nothing", "/**/ ;"):
        with pytest.raises(ValueError, match="no statement"):
            db.run(nothing)


def test_a_script_runs_all_statements(db):
    assert db.run_script("INSERT INTO t VALUES (1); SELECT x FROM t; INSERT INTO t VALUES ('né'); -- done") is None
    assert rows(db) == [1, "né"]
    db.run_script("")


def test_a_script_ends_where_a_statement_fails(db):
    with pytest.raises(SqliteError, match="no such table: missing"):
        db.run_script("INSERT INTO t VALUES (1); INSERT INTO missing VALUES (2); INSERT INTO t VALUES (3)")
    assert rows(db) == [1]
    with pytest.raises(ValueError, match="NUL"):
        db.run_script("SELECT 1; \0")


# ---- how many rows changed


def test_only_statements_that_change_rows_return_a_count(db):
    assert db.run("INSERT INTO t VALUES (1), (2), (3)") == 3
    for sql in (
        "SELECT 1",
        "CREATE TABLE u (y)",
        "PRAGMA user_version",
        "PRAGMA user_version = 3",
        "BEGIN",
        "COMMIT",
        "DROP TABLE u",
    ):
        assert db.run(sql) == 0, sql
    assert db.run("UPDATE t SET x = x + 1 WHERE x > ?", [1]) == 2
    assert db.run("UPDATE t SET x = 9 WHERE x > 100") == 0
    assert db.run("INSERT INTO t VALUES (7), (8) RETURNING x") == 2
    assert db.run("DELETE FROM t WHERE x = 7") == 1


def test_a_function_that_changes_rows_leaves_the_count_of_its_caller(db):
    def insert():
        db.run("INSERT INTO t VALUES (1), (2)")

    db.create_function("insert_two", 0, insert)
    assert db.run("SELECT insert_two()") == 0
    assert rows(db) == [1, 2]


# ---- text


def test_text_that_is_not_utf8_is_an_error(db):
    db.run(f"INSERT INTO t VALUES ('good'), ({NOT_UTF8}), ('more')")
    with db.query("SELECT x FROM t ORDER BY rowid") as found:
        assert next(found) == ["good"]
        with pytest.raises(UnicodeDecodeError, match="text of sqlite3_column_text is not UTF-8") as caught:
            next(found)
        error = caught.value
        assert (error.encoding, error.object, error.start, error.end) == ("utf-8", b"a\xc3(\xff", 1, 2)
        assert next(found) == ["more"]
        assert next(found, None) is None
    assert rows(db, "SELECT CAST(x AS BLOB) FROM t WHERE x NOT IN ('good', 'more')") == [b"a\xc3(\xff"]


def test_text_with_a_nul_comes_whole(db):
    assert rows(db, "SELECT CAST(x'610062' AS TEXT)") == ["a\0b"]


def test_an_argument_that_is_not_utf8_ends_the_statement(db):
    seen = []
    db.create_function("f", 1, seen.append)
    with pytest.raises(UnicodeDecodeError, match="sqlite3_value_text"):
        db.run(f"SELECT f({NOT_UTF8})")
    assert seen == []
    db.run("SELECT f('né')")
    assert seen == ["né"]


def test_an_argument_of_an_aggregate_that_is_not_utf8_ends_the_statement(db):
    class Longest:
        def __init__(self):
            self.values = []

        def step(self, value):
            self.values.append(value)

        def finalize(self):
            return max(self.values)

    db.create_aggregate("longest", 1, Longest)
    db.run(f"INSERT INTO t VALUES ('good'), ({NOT_UTF8})")
    with pytest.raises(UnicodeDecodeError, match="sqlite3_value_text"):
        rows(db, "SELECT longest(x) FROM t")
    db.run("DELETE FROM t WHERE x <> 'good'")
    assert rows(db, "SELECT longest(x) FROM t") == ["good"]


def test_a_column_name_that_is_not_utf8_is_an_error(db):
    assert db.query('SELECT 1 AS "né"').columns == ["né"]
