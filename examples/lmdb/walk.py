"""What the walk goes along: every function of lmdb_safe, succeeding and failing."""

import tempfile

import lmdb_safe as MODULE
from pytest_leakproof.walk import Operation


class Folder:
    """An environment in a folder that goes with it."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.env = MODULE.Environment(self.folder.name, max_databases=2)
        self.db = self.env.database("d", create=True)
        with self.env.begin(write=True) as txn:
            for key in [b"a", b"b", b"c"]:
                txn.put(self.db, key, b"value")
            txn.commit()

    def __del__(self):
        self.env.close()


def write(it):
    with it.env.begin(write=True) as txn:
        txn.put(it.db, b"k", b"v")
        assert txn.delete(it.db, b"k")
        assert not txn.delete(it.db, b"k")
        with txn.cursor(it.db) as cursor:
            cursor.put(b"z", b"v")
            cursor.delete()
        txn.commit()


def read(it):
    with it.env.begin() as txn:
        with txn.view(it.db, b"a") as view:
            value = bytes(view)
        return value, txn.get(it.db, b"a"), txn.get(it.db, b"x"), txn.stat(it.db)


def cursor(it):
    with it.env.begin() as txn:
        cursor = txn.cursor(it.db)
        return list(cursor), cursor.seek(b"b"), cursor.seek(b"x"), cursor.last()


def commit_what_is_viewed(it):
    with it.env.begin() as txn, txn.view(it.db, b"a"):
        txn.commit()


def write_twice(it):
    with it.env.begin(write=True):
        it.env.begin(write=True)


def write_while_reading(it):
    with it.env.begin() as txn:
        txn.put(it.db, b"k", b"v")


def closed():
    it = Folder()
    it.env.close()
    return it


def copy(it):
    with tempfile.TemporaryDirectory() as folder:
        it.env.copy_to(folder)


OPERATIONS = [
    Operation("open", lambda: Folder()),
    Operation("open nothing", lambda: MODULE.Environment("/no/such"), fails=OSError),
    Operation("open what is no folder", lambda: MODULE.Environment("/dev/null"), fails=MODULE.LmdbError),
    Operation("open twice", lambda it: MODULE.Environment(it.folder.name), prepare=Folder, fails=MODULE.AlreadyOpenError),
    Operation("close", lambda it: it.env.close(), prepare=Folder),
    Operation("database", lambda it: it.env.database("d"), prepare=Folder),
    Operation("no database", lambda it: it.env.database("x"), prepare=Folder, fails=MODULE.LmdbError),
    Operation("write", write, prepare=Folder),
    Operation("abort", lambda it: it.env.begin(write=True).abort(), prepare=Folder),
    Operation("write twice", write_twice, prepare=Folder, fails=MODULE.BusyError),
    Operation("write while reading", write_while_reading, prepare=Folder, fails=MODULE.LmdbError),
    Operation("read", read, prepare=Folder),
    Operation("cursor", cursor, prepare=Folder),
    Operation("commit what is viewed", commit_what_is_viewed, prepare=Folder, fails=BufferError),
    Operation("readers", lambda it: it.env.readers(), prepare=Folder),
    Operation("sync", lambda it: it.env.sync(), prepare=Folder),
    Operation("copy", copy, prepare=Folder),
    Operation("begin after the close", lambda it: it.env.begin(), prepare=closed, fails=MODULE.ClosedError),
]
