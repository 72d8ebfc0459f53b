"""A model of lmdb_safe for random operations: committed items are a dict, and each transaction has its own dict."""

import gc
import shutil
import tempfile
import warnings

from handle_model import Worker
from lmdb_safe import (
    AffinityError,
    AlreadyOpenError,
    BusyError,
    ClosedError,
    Environment,
    LmdbError,
    live_handles,
)

SLOTS = 6


class Transaction:
    """A transaction, the items it sees, and whether it is open."""

    def __init__(self, value, items, write):
        self.value = value
        self.items = items
        self.write = write
        self.open = True
        self.views = 0


class World:
    def __init__(self):
        self.folder = tempfile.mkdtemp()
        self.worker = Worker()
        self.elsewhere = False
        self.committed = {}
        self.env = self.db = None
        self.slots = [None] * SLOTS
        self.cursors = [None] * SLOTS
        self.views = [None] * SLOTS
        self.was_enabled = gc.isenabled()
        gc.disable()
        warnings.simplefilter("ignore", ResourceWarning)
        self.open_it()

    def close(self):
        self.drop_all()
        self.env = self.db = None
        gc.collect()
        assert not any(live_handles().values()), live_handles()
        self.worker.end()
        shutil.rmtree(self.folder)
        if self.was_enabled:
            gc.enable()

    def drop_all(self):
        self.elsewhere = False
        self.views = [None] * SLOTS
        self.cursors = [None] * SLOTS
        for index in range(SLOTS):
            self.end(index)
        gc.collect()
        if not self.env.closed:
            # What was dropped elsewhere is released by this thread's next call.
            self.env.sync()
        live = live_handles()
        assert live["Transaction"] == live["Cursor"] == 0, live

    def apply(self, name, choice, elsewhere=False):
        self.elsewhere = elsewhere
        getattr(self, name)(choice)
        self.check()

    def check(self):
        self.worker.settle()
        for kept in self.slots:
            if kept is not None:
                assert kept.value.closed == (not kept.open)
        for kept in self.cursors:
            if kept is not None:
                cursor, transaction = kept
                assert cursor.closed or transaction.open

    def run(self, call):
        return self.worker.run(call) if self.elsewhere else call()

    def expect(self, outcome, call):
        try:
            got = self.run(call)
        except Exception as error:
            assert isinstance(outcome, (type, tuple)) and isinstance(error, outcome), f"{error!r} instead of {outcome}"
        else:
            assert got == outcome, f"{got!r} instead of {outcome}"

    def open_it(self):
        self.env = Environment(self.folder, map_size=1 << 22, max_databases=2)
        self.db = self.env.database("d", create=True)

    def end(self, index):
        self.slots[index] = None

    def writer(self):
        return next((kept for kept in self.slots if kept and kept.open and kept.write), None)

    def transaction(self, choice):
        for kept in (*self.slots[choice.a :], *self.slots[: choice.a]):
            if kept is not None:
                return kept
        return None

    def viewed(self, transaction=None):
        return any(view and (transaction is None or view[1] is transaction) for view in self.views)

    # ---- operations

    def begin(self, choice):
        write = choice.n % 2 == 0
        self.elsewhere = False
        if self.env.closed:
            return self.expect(ClosedError, lambda: self.env.begin(write=write))
        kept = self.slots[choice.a]
        if kept is not None and (self.viewed(kept) or any(it and it[1] is kept for it in self.cursors)):
            return
        self.end(choice.a)
        del kept
        if write and self.writer():
            return self.expect(BusyError, lambda: self.env.begin(write=True))
        value = self.env.begin(write=write)
        self.slots[choice.a] = Transaction(value, dict(self.committed), write)

    def finish(self, choice):
        kept = self.transaction(choice)
        if kept is None:
            return
        how = choice.of(["commit", "abort", "close"])
        call = getattr(kept.value, how)
        if not kept.open:
            return self.expect(None if how == "close" else ClosedError, call)
        if self.elsewhere:
            return self.expect(AffinityError, call)
        if self.viewed(kept):
            return self.expect(BufferError, call)
        call()
        kept.open = False
        if how == "commit" and kept.write:
            self.committed = kept.items

    def drop(self, choice):
        kept = self.slots[choice.a]
        if kept is None or self.viewed(kept) or any(it and it[1] is kept for it in self.cursors):
            return
        del kept
        self.run(lambda: self.end(choice.a))
        # The writer's place is free again after the owner's next call.
        if not self.env.closed:
            self.env.sync()

    def read(self, choice):
        kept = self.transaction(choice)
        if kept is None:
            return
        key = b"k%d" % (choice.n % 50)
        call = lambda: kept.value.get(self.db, key)
        if not kept.open:
            return self.expect(ClosedError, call)
        self.expect(AffinityError if self.elsewhere else kept.items.get(key), call)

    def write(self, choice):
        kept = self.transaction(choice)
        if kept is None:
            return
        key, value = b"k%d" % (choice.n % 50), b"v%d" % choice.n * (choice.n % 40)
        delete = choice.n % 5 == 0
        call = (lambda: kept.value.delete(self.db, key)) if delete else (lambda: kept.value.put(self.db, key, value))
        if not kept.open:
            return self.expect(ClosedError, call)
        if self.elsewhere:
            return self.expect(AffinityError, call)
        if self.viewed(kept):
            return self.expect(BufferError, call)
        if not kept.write:
            return self.expect(LmdbError, call)
        if delete:
            return self.expect(kept.items.pop(key, None) is not None, call)
        self.expect(None, call)
        kept.items[key] = value

    def view(self, choice):
        kept = self.transaction(choice)
        if kept is None or not kept.open:
            return
        key = b"k%d" % (choice.n % 50)
        if self.elsewhere:
            return self.expect(AffinityError, lambda: kept.value.view(self.db, key))
        view = kept.value.view(self.db, key)
        assert (None if view is None else bytes(view)) == kept.items.get(key)
        if view is not None:
            self.views[choice.b] = (view, kept)

    def end_view(self, choice):
        self.views[choice.a] = None

    def cursor(self, choice):
        kept = self.transaction(choice)
        if kept is None:
            return
        if not kept.open:
            return self.expect(ClosedError, lambda: kept.value.cursor(self.db))
        if self.elsewhere:
            return self.expect(AffinityError, lambda: kept.value.cursor(self.db))
        if self.viewed(kept):
            return self.expect(BufferError, lambda: kept.value.cursor(self.db))
        cursor = kept.value.cursor(self.db)
        assert dict(cursor) == kept.items
        self.cursors[choice.b] = (cursor, kept)

    def seek(self, choice):
        kept = self.cursors[choice.a]
        if kept is None:
            return
        cursor, transaction = kept
        key = b"k%d" % (choice.n % 50)
        if cursor.closed:
            return self.expect(ClosedError, lambda: cursor.seek(key))
        if self.elsewhere:
            return self.expect(AffinityError, lambda: cursor.seek(key))
        if self.viewed(transaction):
            return
        found = min((item for item in transaction.items.items() if item[0] >= key), default=None)
        self.expect(found, lambda: cursor.seek(key))

    def end_cursor(self, choice):
        kept = self.cursors[choice.a]
        if kept is not None and choice.n % 2 and not self.elsewhere:
            kept[0].close()
        del kept
        self.cursors[choice.a] = None

    def close_database(self, choice):
        """Close this handle of the database; LMDB's number of the database stays valid, so its cursors stay open."""
        if self.env.closed or self.elsewhere or self.writer() or self.viewed():
            return
        self.db.close()
        assert all(kept is None or kept[0].closed != kept[1].open for kept in self.cursors)
        self.db = self.env.database("d")

    def twice(self, _):
        if not self.env.closed:
            self.expect(AlreadyOpenError, lambda: Environment(self.folder))

    def reopen(self, choice):
        """Close the environment, and open it again."""
        if choice.n % 4:
            return
        mine = [kept for kept in self.slots if kept and kept.open]
        if self.viewed():
            return self.expect((BufferError, AffinityError) if self.elsewhere else BufferError, self.env.close)
        if self.elsewhere and mine:
            return self.expect((AffinityError, BusyError), self.env.close)
        self.run(self.env.close)
        for kept in mine:
            kept.open = False
        assert self.db.closed
        self.open_it()

    def collect(self, _):
        self.run(gc.collect)


OPERATIONS = {
    "begin": 10,
    "finish": 6,
    "drop": 4,
    "read": 15,
    "write": 20,
    "view": 4,
    "end_view": 8,
    "cursor": 4,
    "seek": 8,
    "end_cursor": 6,
    "close_database": 1,
    "twice": 1,
    "reopen": 1,
    "collect": 0.1,
}
