"""LMDB: reading and writing, opening and closing, transactions and who ends them, cursors, views, the end."""

import gc
import os
import subprocess
import sys
import threading
import weakref

import pytest
from lmdb_safe import (
    AlreadyOpenError,
    BusyError,
    ClosedError,
    Environment,
    LmdbError,
    live_handles,
)

NONE = {"Cursor": 0, "Environment": 0, "Transaction": 0}


# ---- reading and writing


def test_committed_value_is_there(env, db):
    with env.begin() as txn:
        assert txn.get(db, b"k3") == b"v3"
        assert txn.get(db, b"x") is None
        assert txn.stat(db).entries == 10


def test_value_that_was_not_committed_is_not_there(env, db):
    txn = env.begin(write=True)
    txn.put(db, b"new", b"value")
    assert txn.get(db, b"new") == b"value"
    txn.abort()
    with env.begin(write=True) as txn:
        txn.put(db, b"new", b"value")
    with pytest.raises(KeyError), env.begin(write=True) as txn:
        txn.put(db, b"new", b"value")
        raise KeyError
    txn = env.begin(write=True)
    txn.put(db, b"new", b"value")
    del txn
    with env.begin() as txn:
        assert txn.get(db, b"new") is None


def test_delete(env, db):
    with env.begin(write=True) as txn:
        assert txn.delete(db, b"k1") is True
        assert txn.delete(db, b"k1") is False
        txn.commit()
    with env.begin() as txn:
        assert txn.get(db, b"k1") is None


def test_values_of_all_kinds(env, db):
    values = {b"empty": b"", b"zero": b"\0", b"long": b"x" * 100_000}
    with env.begin(write=True) as txn:
        for key, value in values.items():
            txn.put(db, key, value)
        for key, value in values.items():
            assert txn.get(db, key) == value
        for key in [b"", b"x" * 512]:
            with pytest.raises(LmdbError, match="MDB_BAD_VALSIZE"):
                txn.put(db, key, b"")
        with pytest.raises(TypeError, match="bytes expected"):
            txn.put(db, bytearray(b"k"), b"v")


def test_databases(env):
    first, second = env.database("a", create=True), env.database("b", create=True)
    assert first != second and first == env.database("a")
    with env.begin(write=True) as txn:
        txn.put(first, b"k", b"1")
        txn.put(second, b"k", b"2")
        txn.commit()
    with env.begin() as txn:
        assert (txn.get(first, b"k"), txn.get(second, b"k")) == (b"1", b"2")
        assert txn.stat(env.database()).entries == 2
    with pytest.raises(LmdbError, match="MDB_NOTFOUND"):
        env.database("c")
    env.database("c", create=True), env.database("d", create=True)
    with pytest.raises(LmdbError, match="MDB_DBS_FULL"):
        env.database("e", create=True)


def test_a_database_is_a_number_of_its_environment(tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    with Environment(tmp_path / "a") as one, Environment(tmp_path / "b") as two:
        mine, other = one.database(), two.database()
        assert repr(mine).split()[-1] == repr(other).split()[-1] == "1>"
        assert mine != other
        one.close()
        assert mine.closed and not other.closed
        with two.begin() as txn:
            with pytest.raises(ClosedError):
                txn.get(mine, b"k")
    # The number is given out again; what was closed stays closed.
    with Environment(tmp_path / "a") as again:
        assert repr(again.database()).split()[-1] == "1>"
        assert mine.closed


def test_a_map_that_is_full(tmp_path):
    with Environment(tmp_path, map_size=1 << 16) as env:
        db = env.database()
        with env.begin(write=True) as txn:
            with pytest.raises(LmdbError, match="MDB_MAP_FULL") as caught:
                for number in range(100):
                    txn.put(db, b"%d" % number, b"x" * 4000)
            assert caught.value.code == -30792
            # A commit that fails ends the transaction all the same.
            with pytest.raises(LmdbError, match="MDB_BAD_TXN"):
                txn.commit()
            assert txn.closed
        env.begin(write=True).commit()
    assert live_handles() == NONE


def test_readonly(tmp_path, env, db):
    env.close()
    with Environment(tmp_path, max_databases=4, readonly=True) as env:
        db = env.database("d")
        with env.begin() as txn:
            assert txn.get(db, b"k1") == b"v1"
            with pytest.raises(LmdbError, match="Permission denied|Read-only"):
                txn.put(db, b"k", b"v")
        with pytest.raises(LmdbError):
            env.begin(write=True)
        # That was no transaction, so it is not in the way of the next one either.
        with pytest.raises(LmdbError):
            env.begin(write=True)


def test_readers(env, db):
    assert env.readers() == ["(no active readers)"]
    with env.begin():
        title, line = env.readers()
        assert title.split() == ["pid", "thread", "txnid"]
        assert line.split()[0] == str(os.getpid())


def test_copy_and_sync(tmp_path, env, db):
    target = tmp_path / "copy"
    target.mkdir()
    env.sync()
    env.copy_to(target)
    with Environment(target, max_databases=4) as copy:
        with copy.begin() as txn:
            pass
        database = copy.database("d")
        with copy.begin() as txn:
            assert txn.get(database, b"k9") == b"v9"


# ---- opening and closing


def test_an_environment_that_cannot_be_opened(tmp_path):
    (tmp_path / "data.mdb").write_bytes(b"no database" * 1000)
    for _ in range(3):
        with pytest.raises(LmdbError, match="MDB_INVALID"):
            Environment(tmp_path)
    with pytest.raises(FileNotFoundError) as caught:
        Environment(tmp_path / "missing")
    assert caught.value.filename == str(tmp_path / "missing")
    assert live_handles() == NONE


def test_twice_in_one_process(tmp_path, env):
    os.symlink(tmp_path, tmp_path / "link")
    for path in [tmp_path, tmp_path / "link", tmp_path / "." / "link" / ".." / tmp_path.name]:
        with pytest.raises(AlreadyOpenError, match="open already in this process") as caught:
            Environment(path)
        assert isinstance(caught.value, LmdbError) and caught.value.code == 16
    env.close()
    for _ in range(2):
        Environment(tmp_path).close()
    with pytest.warns(ResourceWarning):
        Environment(tmp_path)
    # What failed to open is not open.
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "data.mdb").write_bytes(b"no database" * 1000)
    with pytest.raises(LmdbError, match="MDB_INVALID"):
        Environment(broken)
    (broken / "data.mdb").unlink()
    with Environment(broken):
        pass


def test_closing_closes_all_that_is_open(env, db):
    txn = env.begin(write=True)
    txn.put(db, b"new", b"value")
    cursor = txn.cursor(db)
    next(cursor)
    env.close()
    assert [it.closed for it in (env, db, txn, cursor)] == [True] * 4
    for use in [lambda: next(cursor), lambda: txn.get(db, b"k"), txn.commit, env.begin]:
        with pytest.raises(ClosedError):
            use()
    assert live_handles() == NONE


def test_children_keep_their_environment(tmp_path):
    env = Environment(tmp_path)
    db = env.database()
    cursor = env.begin().cursor(db)
    ref = weakref.ref(env)
    del env, db
    gc.collect()
    assert ref() is not None
    assert list(cursor) == []
    with pytest.warns(ResourceWarning, match="unclosed Environment"):
        del cursor
    assert ref() is None
    assert live_handles() == NONE


# ---- consuming


@pytest.mark.parametrize("how", ["commit", "abort"])
def test_ended_once(env, db, how):
    txn = env.begin(write=True)
    cursor = txn.cursor(db)
    getattr(txn, how)()
    assert txn.closed and cursor.closed
    assert live_handles()["Transaction"] == live_handles()["Cursor"] == 0
    for use in [txn.commit, txn.abort, lambda: txn.get(db, b"k"), lambda: next(cursor)]:
        with pytest.raises(ClosedError):
            use()
    txn.close()
    with env.begin(write=True) as another:
        another.commit()


def test_many_transactions_leave_nothing(env, db):
    for number in range(1000):
        txn = env.begin(write=number % 2 == 0)
        if number % 3:
            txn.commit()
    del txn
    assert live_handles()["Transaction"] == 0


def test_a_second_writer_on_the_same_thread(env, db):
    with env.begin(write=True) as txn:
        with pytest.raises(BusyError, match="Environment"):
            env.begin(write=True)
        with pytest.raises(BusyError):
            env.database("x", create=True)
        # Reading beside it is allowed.
        with env.begin() as reader:
            assert reader.get(db, b"k1") == b"v1"
        txn.commit()
    env.begin(write=True).close()


def test_two_environments_at_once(tmp_path, env, db):
    (tmp_path / "other").mkdir()
    with Environment(tmp_path / "other") as other, env.begin(write=True), other.begin(write=True):
        pass


def test_writers_on_several_threads_take_turns(env, db):
    def add(number):
        for _ in range(50):
            with env.begin(write=True) as txn:
                value = int(txn.get(db, b"sum") or b"0")
                txn.put(db, b"sum", b"%d" % (value + number))
                txn.commit()

    threads = [threading.Thread(target=add, args=[number]) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    with env.begin() as txn:
        assert txn.get(db, b"sum") == b"500"


# ---- cursors


def test_a_cursor(env, db):
    with env.begin() as txn:
        cursor = txn.cursor(db)
        assert [key for key, _ in cursor] == [b"k%d" % number for number in range(10)]
        assert cursor.seek(b"k55") == (b"k6", b"v6")
        assert next(cursor) == (b"k7", b"v7")
        assert cursor.seek(b"z") is None
        assert cursor.last() == (b"k9", b"v9")


def test_a_cursor_writes(env, db):
    with env.begin(write=True) as txn:
        cursor = txn.cursor(db)
        cursor.put(b"new", b"value")
        assert cursor.seek(b"k5") == (b"k5", b"v5")
        cursor.delete()
        assert next(cursor) == (b"k6", b"v6")
        txn.commit()
    with env.begin() as txn:
        assert txn.get(db, b"new") == b"value" and txn.get(db, b"k5") is None


def test_a_cursor_ends_with_its_transaction(env, db):
    with env.begin() as txn:
        cursor = txn.cursor(db)
        db.close()
        next(cursor)
        txn.close()
        assert cursor.closed
        with pytest.raises(ClosedError):
            next(cursor)
    assert live_handles()["Cursor"] == 0


def test_a_cursor_keeps_its_transaction(env):
    db = env.database("d", create=True)
    txn = env.begin()
    refs = [weakref.ref(txn), weakref.ref(env)]
    cursor = txn.cursor(db)
    del txn, db
    gc.collect()
    assert all(ref() for ref in refs)
    assert list(cursor) == []
    del cursor
    assert refs[0]() is None
    assert live_handles()["Transaction"] == 0


def test_many_cursors_leave_nothing_in_their_parents(env, db):
    with env.begin() as txn:
        for _ in range(1000):
            txn.cursor(db)
        for _ in range(1000):
            txn.cursor(db).close()
        assert live_handles()["Cursor"] == 0
    env.close()


# ---- views


def test_a_view_keeps_its_transaction(env, db):
    txn = env.begin(write=True)
    view = txn.view(db, b"k1")
    assert view.readonly and bytes(view) == b"v1"
    for use in [txn.commit, txn.abort, txn.close, lambda: txn.put(db, b"k", b"v"), env.close]:
        with pytest.raises(BufferError, match="memoryview"):
            use()
    assert txn.get(db, b"k2") == b"v2"
    ref = weakref.ref(txn)
    part = view[1:]
    view.release()
    del txn
    assert ref() and bytes(part) == b"1"
    del view, part
    assert not ref()
    assert env.begin(write=True).view(db, b"missing") is None


def test_cursor_that_would_write_under_a_view_is_refused(env, db):
    txn = env.begin(write=True)
    cursor = txn.cursor(db)
    with txn.view(db, b"k1") as view:
        for write in (lambda: cursor.put(b"k1", b"OVER"), cursor.delete):
            with pytest.raises(BufferError, match="Transaction is in use by a memoryview"):
                write()
        # Reading moves the cursor, and leaves the value.
        assert cursor.seek(b"k3") == (b"k3", b"v3")
        assert next(cursor) == (b"k4", b"v4")
        assert view == b"v1"
    cursor.put(b"k1", b"OVER")
    assert txn.get(db, b"k1") == b"OVER"
    txn.abort()


def test_database_of_another_environment_is_refused(tmp_path, env, db):
    (tmp_path / "other").mkdir()
    with Environment(tmp_path / "other", max_databases=4) as other:
        theirs = other.database("d", create=True)
        with env.begin(write=True) as txn:
            for use in (
                lambda: txn.put(theirs, b"k1", b"junk"),
                lambda: txn.get(theirs, b"k1"),
                lambda: txn.view(theirs, b"k1"),
                lambda: txn.delete(theirs, b"k1"),
                lambda: txn.stat(theirs),
                lambda: txn.cursor(theirs),
            ):
                with pytest.raises(
                    ValueError, match="the Database belongs to another Environment than the Transaction"
                ):
                    use()
            txn.commit()
        with env.begin() as txn:
            assert txn.get(db, b"k1") == b"v1"


# ---- the end


@pytest.mark.parametrize("what", ["env", "txn", "cursor", "view", "writer elsewhere"])
def test_at_interpreter_exit(tmp_path, what):
    code = f"""
import sys, threading
sys.path[:0] = {sys.path!r}
from lmdb_safe import Environment
env = Environment({str(tmp_path)!r})
db = env.database()
txn = env.begin(write=True)
txn.put(db, b"k", b"v")
cursor = txn.cursor(db)
view = txn.view(db, b"k")
kept = {{"env": env, "txn": txn, "cursor": cursor, "view": view, "writer elsewhere": txn}}[{what!r}]
if {what!r} != "view":
    view.release()
sys.kept = kept
if {what!r} == "writer elsewhere":
    threading.Thread(target=lambda: None).start()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    # What was not committed is not there, and nobody's lock is left.
    with Environment(tmp_path) as env:
        db = env.database()
        with env.begin(write=True) as txn:
            assert txn.get(db, b"k") is None
