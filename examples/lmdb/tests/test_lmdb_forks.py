"""LMDB: a forked child neither uses nor releases what the parent process opened."""

import gc
import os
import warnings

from lmdb_safe import (
    Environment,
    live_handles,
)

NONE = {"Cursor": 0, "Environment": 0, "Transaction": 0}


def in_child(function):
    """Run `function` in a forked child; return its result or the name of its exception."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            try:
                outcome = repr(function())
            except BaseException as error:
                outcome = type(error).__name__
            os.write(writing, outcome.encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        outcome = pipe.read()
    _, status = os.waitpid(child, 0)
    assert status == 0
    return outcome


def test_a_forked_child_must_not_use_it(env, db):
    reader = env.begin()
    cursor = reader.cursor(db)
    view = reader.view(db, b"k1")
    for use in [env.begin, lambda: reader.get(db, b"k1"), lambda: next(cursor), lambda: env.readers(), reader.commit]:
        assert in_child(use) == "AffinityError"
    view.release()
    # Nothing happened to the parent's.
    assert reader.get(db, b"k1") == b"v1"
    assert len(env.readers()) == 2


def test_a_forked_child_does_not_release_it(tmp_path, env, db):
    reader = env.begin()
    writer = env.begin(write=True)
    writer.put(db, b"new", b"value")

    def close():
        writer.close()
        env.close()
        return [it.closed for it in (env, reader, writer, db)], live_handles()

    assert in_child(close) == repr(([True] * 4, NONE))

    def drop():
        nonlocal env, db, reader, writer
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            del env, db, reader, writer
            gc.collect()
        return "done"

    assert in_child(drop) == "'done'"
    assert reader.get(db, b"k1") == b"v1"
    writer.commit()
    reader.close()
    with env.begin() as txn:
        assert txn.get(db, b"new") == b"value"
    assert len(env.readers()) == 1


def test_forked_child_opens_an_environment_of_its_own(tmp_path, env, db):
    def use():
        with Environment(tmp_path, max_databases=4) as own:
            database = own.database("d")
            with own.begin() as txn:
                return txn.get(database, b"k1")

    assert in_child(use) == repr(b"v1")
    with env.begin() as txn:
        assert txn.get(db, b"k1") == b"v1"
