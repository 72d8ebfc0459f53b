"""The operations of the fault-injection sweep: every function of lmdb_safe, succeeding and failing."""

import tempfile

import lmdb_safe as MODULE
from pytest_leakproof.sweep import Operation


class Folder:
    """An environment and its temporary folder."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.env = MODULE.Environment(self.folder.name, max_databases=2)
        self.db = self.env.database("d", create=True)
        with self.env.begin(write=True) as txn:
            for key in [b"a", b"b", b"c"]:
                txn.put(self.db, key, b"value")
            txn.commit()

    def __del__(self) -> None:
        self.env.close()


def write(it: Folder) -> None:
    with it.env.begin(write=True) as txn:
        txn.put(it.db, b"k", b"v")
        assert txn.delete(it.db, b"k")
        assert not txn.delete(it.db, b"k")
        with txn.cursor(it.db) as cursor:
            cursor.put(b"z", b"v")
            cursor.delete()
        txn.commit()


def read(it: Folder) -> object:
    with it.env.begin() as txn:
        with txn.view(it.db, b"a") as view:
            value = bytes(view)
        return value, txn.get(it.db, b"a"), txn.get(it.db, b"x"), txn.stat(it.db)


def cursor(it: Folder) -> object:
    with it.env.begin() as txn:
        cursor = txn.cursor(it.db)
        return list(cursor), cursor.seek(b"b"), cursor.seek(b"x"), cursor.last()


def commit_what_is_viewed(it: Folder) -> None:
    with it.env.begin() as txn, txn.view(it.db, b"a"):
        txn.commit()


def write_twice(it: Folder) -> None:
    with it.env.begin(write=True):
        it.env.begin(write=True)


def write_while_reading(it: Folder) -> None:
    with it.env.begin() as txn:
        txn.put(it.db, b"k", b"v")


def closed() -> Folder:
    it = Folder()
    it.env.close()
    return it


def copy(it: Folder) -> None:
    with tempfile.TemporaryDirectory() as folder:
        it.env.copy_to(folder)


OPERATIONS = [
    Operation("open", lambda: Folder()),
    Operation("open nothing", lambda: MODULE.Environment("/no/such"), raises=OSError),
    Operation("open what is no folder", lambda: MODULE.Environment("/dev/null"), raises=MODULE.LmdbError),
    Operation(
        "open twice", lambda it: MODULE.Environment(it.folder.name), setup=Folder, raises=MODULE.AlreadyOpenError
    ),
    Operation("close", lambda it: it.env.close(), setup=Folder),
    Operation("database", lambda it: it.env.database("d"), setup=Folder),
    Operation("no database", lambda it: it.env.database("x"), setup=Folder, raises=MODULE.LmdbError),
    Operation("write", write, setup=Folder),
    Operation("abort", lambda it: it.env.begin(write=True).abort(), setup=Folder),
    Operation("write twice", write_twice, setup=Folder, raises=MODULE.BusyError),
    Operation("write while reading", write_while_reading, setup=Folder, raises=MODULE.LmdbError),
    Operation("read", read, setup=Folder),
    Operation("cursor", cursor, setup=Folder),
    Operation("commit what is viewed", commit_what_is_viewed, setup=Folder, raises=BufferError),
    Operation("readers", lambda it: it.env.readers(), setup=Folder),
    Operation("sync", lambda it: it.env.sync(), setup=Folder),
    Operation("copy", copy, setup=Folder),
    Operation("begin after the close", lambda it: it.env.begin(), setup=closed, raises=MODULE.ClosedError),
]
