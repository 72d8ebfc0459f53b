"""Exceptions: what user code raises on its way through the library, and the package's own as Python code makes them."""

import concurrent.futures
import copy
import gc
import inspect
import multiprocessing.pool
import pickle
import subprocess
import sys
import weakref

import pytest
from standin_safe import (
    AffinityError,
    BusyError,
    ClosedError,
    Error,
    Feed,
    SessionError,
    ShelfError,
    Store,
    StoreError,
    Tally,
    live_handles,
)

NONE = dict.fromkeys(live_handles(), 0)


@pytest.mark.parametrize("call", ["tell", "callback"])
def test_an_exception_that_passes_through_is_not_printed(call):
    printed = []

    class Loud(Exception):
        def __str__(self):
            printed.append(self)
            return "loud"

    def fail():
        raise Loud

    with Store() as store, Feed(fail) as feed:
        with pytest.raises(Loud):
            store.tell(fail) if call == "tell" else feed.number()
    assert printed == []


@pytest.mark.parametrize("end", [StopIteration, StopAsyncIteration])
def test_a_callback_does_not_end_an_iteration(end):
    """As nothing that a generator calls ends that (PEP 479)."""

    class Ended(end):
        pass

    for raised in (end("of it"), Ended()):
        numbers = [3, 2, 1]

        def source():
            if numbers:
                return numbers.pop()
            raise raised

        got = []
        with Feed(source) as feed:
            with pytest.raises(RuntimeError, match=f"a callback raised {type(raised).__name__}") as caught:
                for number in feed:
                    got.append(number)
            assert caught.value.__cause__ is raised
            with pytest.raises(RuntimeError):
                feed.number()
        assert got == [1, 2, 3]
    assert live_handles() == NONE


def test_an_iterator_does_not_end_by_an_exception():
    with Feed(iter([1, 0, 2, -1]).__next__) as feed:
        assert next(feed) == 1
        with pytest.raises(RuntimeError, match="Feed.__next__ raised StopIteration") as caught:
            next(feed)
        assert isinstance(caught.value.__cause__, StopIteration)
        assert list(feed) == [2]


def test_other_exceptions_come_out_as_they_are():
    error = KeyError("other")

    def source():
        raise error

    with Feed(source) as feed:
        for call in (feed.number, feed.__next__):
            with pytest.raises(KeyError) as caught:
                call()
            assert caught.value is error and error.__cause__ is None


# ---- exceptions as Python code makes them


def raised():
    with Store() as store:
        with pytest.raises(StoreError) as caught:
            store.fail("it")
    return caught.value


def copies(error):
    yield copy.copy(error)
    yield copy.deepcopy(error)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        yield pickle.loads(pickle.dumps(error, protocol))


def test_a_raised_exception_can_be_copied_and_pickled():
    error = raised()
    error.noted = ["by hand"]
    for other in copies(error):
        assert type(other) is StoreError and other is not error
        assert other.args == error.args == ("it before, it behind",)
        assert str(other) == other.message == error.message
        assert other.reports == error.reports == ["it before", "it behind"]
        assert other.noted == ["by hand"]
        assert repr(other) == repr(error)


def test_an_exception_is_made_of_its_fields():
    for error in (
        StoreError("full", ["one", "two"]),
        StoreError("full", reports=["one", "two"]),
        StoreError(message="full", reports=["one", "two"]),
    ):
        assert error.message == str(error) == "full"
        assert error.args == ("full",)
        assert error.reports == ["one", "two"]
        for other in copies(error):
            assert (str(other), other.args, other.reports) == ("full", ("full",), ["one", "two"])


def test_exception_field_left_out_has_the_default_of_its_type():
    assert StoreError("full").reports == []
    error = SessionError("gone")
    assert (error.status, error.busy) == (None, None)
    assert SessionError("gone", 5, busy=6).busy == 6


def test_an_exception_needs_its_message_and_no_more_than_its_fields():
    for wrong in (
        lambda: StoreError(),
        lambda: StoreError("full", [], 1),
        lambda: StoreError("full", other=1),
        lambda: StoreError("full", message="full"),
    ):
        with pytest.raises(TypeError):
            wrong()


def test_fields_are_read_only():
    error = StoreError("full")
    with pytest.raises(AttributeError):
        error.message = "empty"


def test_an_exception_that_extends_another_one_takes_its_fields_too():
    error = ShelfError("full", ["one"], shelf=3)
    assert isinstance(error, StoreError)
    assert (str(error), error.message, error.reports, error.shelf) == ("full", "full", ["one"], 3)
    assert ShelfError("full").shelf == 0
    for other in copies(error):
        assert type(other) is ShelfError
        assert (other.args, other.message, other.reports, other.shelf) == (("full",), "full", ["one"], 3)
    for wrong in (ShelfError, lambda: ShelfError("full", other=1), lambda: ShelfError("full", shelf=1, message="full")):
        with pytest.raises(TypeError):
            wrong()


class Renamed(StoreError):
    def __init__(self, number):
        super().__init__(f"number {number}", reports=[str(number)])
        self.number = number


class Bare(StoreError):
    def __init__(self, *, number):
        self.number = number


class Kept(ClosedError):
    pass


def test_an_exception_can_be_subclassed():
    error = Renamed(3)
    assert (str(error), error.message, error.reports, error.number) == ("number 3", "number 3", ["3"], 3)
    for other in copies(error):
        assert type(other) is Renamed
        assert (str(other), other.reports, other.number) == ("number 3", ["3"], 3)
    with pytest.raises(StoreError, match="number 4"):
        raise Renamed(4)


def test_a_subclass_that_does_not_call_init_has_no_fields():
    error = Bare(number=3)
    assert error.number == 3
    with pytest.raises(AttributeError, match="'Bare' object has no attribute 'reports'"):
        error.reports
    assert not hasattr(error, "message")
    for other in copies(error):
        assert other.number == 3


@pytest.mark.parametrize("kind", [Error, ClosedError, BusyError, AffinityError, Kept])
def test_the_packages_own_exceptions_are_like_others(kind):
    error = kind("why", 3)
    assert error.args == ("why", 3)
    for other in copies(error):
        assert type(other) is kind and other.args == ("why", 3)
    assert kind().args == ()
    with pytest.raises(TypeError):
        kind(why=3)


def test_an_exception_in_a_cycle_is_collected():
    error = raised()
    error.me = error
    gone = weakref.ref(error) if hasattr(error, "__weakref__") else None
    marker = type("Marker", (), {})()
    error.marker = marker
    seen = weakref.ref(marker)
    del error, marker
    gc.collect()
    assert seen() is None and (gone is None or gone() is None)


def test_signatures_say_how_to_make_them():
    assert str(inspect.signature(StoreError)) == "(message, reports=Ellipsis)"
    assert str(inspect.signature(ShelfError)) == "(*args, shelf=Ellipsis, **kwargs)"


def fail_in_a_pool(kind):
    if kind == "raised":
        with Store() as store:
            store.fail("it")
    return Store()


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_exceptions_cross_processes(method):
    context = multiprocessing.get_context(method)
    with context.Pool(1) as pool:
        with pytest.raises(StoreError) as caught:
            pool.map_async(fail_in_a_pool, ["raised"]).get(60)
        assert caught.value.reports == ["it before", "it behind"]
        with pytest.raises(multiprocessing.pool.MaybeEncodingError, match="owns a native resource of this process"):
            pool.map_async(fail_in_a_pool, ["handle"]).get(60)
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as executor:
        for _ in range(2):
            with pytest.raises(StoreError) as caught:
                executor.submit(fail_in_a_pool, "raised").result(60)
            assert caught.value.message == "it before, it behind"


def test_handles_are_neither_copied_nor_pickled():
    with Store() as store:
        for refused in (copy.copy, copy.deepcopy, pickle.dumps, lambda it: pickle.dumps(it, 0)):
            with pytest.raises(
                TypeError, match="cannot pickle or copy a standin_safe.Store: it owns a native resource"
            ):
                refused(store)
        assert live_handles()["Store"] == 1
    assert live_handles() == NONE


def test_a_type_may_say_how_it_is_copied_and_pickled():
    with Tally(3) as tally:
        for duplicate in (copy.copy, copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))):
            with duplicate(tally) as other:
                assert other is not tally
                assert (other.add(1), tally.add(0)) == (4, 3)
    for refused in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(ClosedError):
            refused(tally)
    assert live_handles() == NONE


def test_memory_error_takes_the_place_of_an_exception():
    program = """
import _testcapi
from standin_safe import Folder, List

folder = Folder(1)
clip = folder.clip(2)
one, other = List(), List()
for each in (one, other):
    each.push(1)
for call in [clip.paper, lambda: clip.clip(3), lambda: one.meet(other.first)]:
    kinds = set()
    for n in range(40):
        try:
            try:
                _testcapi.set_nomemory(n, n + 1)
                call()
            finally:
                _testcapi.remove_mem_hooks()
        except BaseException as error:
            kinds.add(type(error))
        else:
            kinds.add(None)
    assert kinds == {MemoryError, ValueError}, kinds
print("done")
"""
    pytest.importorskip("_testcapi")
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")
