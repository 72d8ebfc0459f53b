"""Methods that CPython calls directly: they behave as those that go through PyO3's wrapper."""

import inspect
import os
import subprocess
import sys
import threading

import pytest
from standin_safe import (
    AffinityError,
    BusyError,
    ClosedError,
    Error,
    Keepsake,
    Letter,
    Measure,
    Parcel,
    Rod,
    Session,
    Store,
    StoreError,
    Tally,
)


class Indexed:
    def __index__(self):
        return 5


@pytest.mark.parametrize(("argument", "total"), [(5, 15), (-3, 7), (-1, 9), (True, 11), (Indexed(), 15)])
def test_argument_by_position_or_keyword(argument, total):
    assert Tally(10).add(argument) == total
    assert Tally(10).add(n=argument) == total


@pytest.mark.parametrize(
    ("arguments", "keywords", "error"),
    [
        ((), {}, TypeError),
        ((1, 2), {}, TypeError),
        ((1,), {"n": 1}, TypeError),
        ((1,), {"m": 1}, TypeError),
        (("1",), {}, TypeError),
        ((1.0,), {}, TypeError),
        ((None,), {}, TypeError),
        ((1 << 31,), {}, OverflowError),
        (((-1 << 31) - 1,), {}, OverflowError),
        ((1 << 70,), {}, OverflowError),
    ],
)
def test_argument_that_does_not_fit_is_refused_before_the_call(arguments, keywords, error):
    tally = Tally(10)
    with pytest.raises(error):
        tally.add(*arguments, **keywords)
    assert tally.add(0) == 10


@pytest.mark.parametrize(
    ("call", "result"),
    [
        (lambda: Letter.nowhere(), "nowhere"),
        (lambda: Letter.nowhere(0), "nowhere"),
        (lambda: Letter.nowhere(1), None),
        (lambda: Letter.nowhere(which=1), None),
        (lambda: Letter.nowhere(Indexed()), None),
        (lambda: Letter(b"").nowhere(1), None),
        (lambda: Letter.places(), 6),
        (lambda: Letter.places(7), 42),
        (lambda: Letter.places(7, 3), 21),
        (lambda: Letter.places(7, rows=3), 21),
        (lambda: Letter.places(rows=3), 3),
        (lambda: Letter(b"").places(7, True), 7),
        (lambda: vars(Letter)["places"].__func__(7, 3), 21),
    ],
)
def test_static_method_takes_the_arguments_of_its_signature(call, result):
    for _ in range(2):
        assert call() == result


@pytest.mark.parametrize(
    ("arguments", "keywords", "error"),
    [
        ((1, 2, 3), {}, TypeError),
        ((1,), {"columns": 1}, TypeError),
        (("1", 2), {}, TypeError),
        ((1, None), {}, TypeError),
        ((1 << 31, 1), {}, OverflowError),
    ],
)
def test_static_method_refuses_other_arguments(arguments, keywords, error):
    for _ in range(2):
        with pytest.raises(error):
            Letter.places(*arguments, **keywords)


def test_argument_by_name_only_is_not_taken_by_position():
    for _ in range(2):
        assert Letter.places_by_name(7, rows=3) == 21
        with pytest.raises(TypeError):
            Letter.places_by_name(7, 3)


@pytest.mark.parametrize(
    ("call", "total"),
    [
        (lambda tally: tally.add_one(5), 15),
        (lambda tally: tally.add_one(-1), 9),
        (lambda tally: tally.add_one(Indexed()), 15),
        (lambda tally: tally.add_two(5, 7), 22),
        (lambda tally: tally.add_two(Indexed(), True), 16),
        (lambda tally: tally.add_some(), 11),
        (lambda tally: tally.add_some(None), 11),
        (lambda tally: tally.add_some(5), 15),
        (lambda tally: tally.add_first(5, 7), 22),
        (lambda tally: tally.add_first(5, second=7), 22),
        (lambda tally: Tally.add_one(tally, 5), 15),
        (lambda tally: tally.add_one(*[5]), 15),
    ],
)
def test_arguments_by_position_only(call, total):
    for _ in range(20):
        assert call(Tally(10)) == total


@pytest.mark.parametrize(
    ("name", "arguments", "keywords", "error"),
    [
        ("add_one", (), {}, TypeError),
        ("add_one", (1, 2), {}, TypeError),
        ("add_one", (), {"n": 1}, TypeError),
        ("add_one", ("1",), {}, TypeError),
        ("add_one", (1 << 31,), {}, OverflowError),
        ("add_one", ((-1 << 31) - 1,), {}, OverflowError),
        ("add_one", (1 << 70,), {}, OverflowError),
        ("add_one", (-1 << 70,), {}, OverflowError),
        ("add_two", (1,), {}, TypeError),
        ("add_two", (1, 2, 3), {}, TypeError),
        ("add_two", (1,), {"second": 2}, TypeError),
        ("add_two", (1, "2"), {}, TypeError),
        ("add_some", (1, 2), {}, TypeError),
        ("add_some", (), {"n": 1}, TypeError),
        ("add_first", (), {"first": 1, "second": 2}, TypeError),
    ],
)
def test_method_refuses_keywords_of_arguments_by_position_only(name, arguments, keywords, error):
    tally = Tally(10)
    for _ in range(2):
        with pytest.raises(error, match="argument|int|Python"):
            getattr(tally, name)(*arguments, **keywords)
    assert tally.add(0) == 10


def test_method_with_one_argument_by_position_only_is_called_as_one_in_c():
    with pytest.raises(TypeError, match=r"Tally.add_one\(\) takes exactly one argument \(2 given\)"):
        Tally(10).add_one(1, 2)
    with pytest.raises(TypeError, match=r"Tally.add_two\(\) takes no keyword arguments"):
        Tally(10).add_two(first=1, second=2)


def test_methods_with_arguments_by_position_only_keep_what_they_are():
    assert str(inspect.signature(Tally.add_one)) == "(self, n, /)"
    assert str(inspect.signature(Tally.add_two)) == "(self, first, second, /)"
    assert str(inspect.signature(Tally.add_some)) == "(self, n=None, /)"
    assert inspect.getdoc(Tally.add_one) == "Adds a number, which is passed by position only. Returns the sum."
    assert type(Tally.add_one) is type(Tally.add)
    assert Tally.add_one.__objclass__ is Tally
    assert Tally.add_one.__qualname__ == "Tally.add_one"
    with pytest.raises(TypeError):
        Tally.add_one(Store(), 1)


def test_methods_keep_their_signatures():
    assert inspect.signature(Letter.places) == inspect.signature(lambda columns=1, rows=6: None)
    assert inspect.getdoc(Letter.places) == "The number of places for stamps."
    assert type(vars(Letter)["places"]) is staticmethod
    assert str(inspect.signature(Store.work)) == "(self, /, milliseconds=0)"


class Text(str):
    pass


@pytest.mark.parametrize("text", ["no", "", "ü", "€" * 30, "x" * 63, "x" * 64, "x" * 1000, Text("no")])
def test_text_reaches_the_library_as_it_is(text):
    for fail in [Store().fail, Store().fail_by_copy]:
        with pytest.raises(StoreError) as raised:
            fail(text)
        assert text in raised.value.message


@pytest.mark.parametrize(
    ("text", "error"),
    [("a\0b", ValueError), ("\0", ValueError), ("\ud800", UnicodeEncodeError), (b"no", TypeError), (None, TypeError)],
)
def test_text_that_c_cannot_have_is_refused(text, error):
    for fail in [Store().fail, Store().fail_by_copy]:
        with pytest.raises(error):
            fail(text)


def test_descriptor_of_another_class_is_refused():
    with pytest.raises(TypeError):
        Tally.add(Store(), 1)
    with pytest.raises(TypeError):
        Session.busy.__get__(Tally(1), Tally)


def test_closed_handle_is_refused():
    tally, session = Tally(1), Session()
    tally.close()
    session.close()
    with pytest.raises(ClosedError):
        tally.add(1)
    with pytest.raises(ClosedError):
        _ = session.busy


def test_closed_view_is_refused_and_its_owner_is_not():
    parcel = Parcel(7)
    label = parcel.label
    assert label.weight == 7
    label.close()
    with pytest.raises(ClosedError):
        _ = label.weight
    assert parcel.label.weight == 7


def test_view_of_a_closed_owner_is_refused():
    parcel = Parcel(7)
    label = parcel.label
    parcel.close()
    with pytest.raises(ClosedError):
        _ = label.weight


def test_view_keeps_its_owner():
    label = Parcel(7).label
    assert label.weight == 7


def test_handle_that_the_running_call_uses_exclusively_is_busy():
    store = Store()
    with pytest.raises(BusyError):
        store.tell_alone(lambda: store.hooked)
    assert store.tell(lambda: store.hooked) is False
    assert store.hooked is False


def test_exclusive_use_inside_of_a_shared_one_is_busy():
    store = Store()
    with pytest.raises(BusyError):
        store.tell(store.work)
    store.work()


def test_handle_that_another_thread_uses_exclusively_is_waited_for():
    store = Store()
    working = threading.Thread(target=store.work, args=(50,))
    working.start()
    assert store.hooked is False
    working.join()
    assert store.hooked is False


def test_other_thread_is_refused():
    keepsake = Keepsake(3)
    outcomes = []

    def look():
        # With fault injection, the first call of a direct entry is PyO3's.
        for _ in range(2):
            try:
                outcomes.append(keepsake.weight)
            except AffinityError:
                outcomes.append(AffinityError)

    other = threading.Thread(target=look)
    other.start()
    other.join()
    look()
    assert outcomes == [AffinityError, AffinityError, 3, 3]


def test_forked_child_is_refused():
    session = Session()
    child = os.fork()
    if child == 0:
        try:
            _ = session.busy
        except AffinityError:
            os._exit(7)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert session.busy == 0


def test_keywords_that_are_left_out_have_their_defaults():
    measure = Measure(3)
    for _ in range(2):
        assert measure.times(2) == 13
        assert measure.times(2, rest=1) == measure.times(times=2, rest=1) == 7
        with pytest.raises(TypeError):
            measure.times(2, 1)
        with pytest.raises(TypeError):
            measure.times()


SLOTS = {
    "__len__": len,
    "__bool__": bool,
    "__contains__": lambda rod, mark: mark in rod,
    "__getitem__": lambda rod, mark: rod[mark],
    "__repr__": repr,
    "__str__": str,
}


@pytest.mark.parametrize("length", [-1, 0, 3])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        *((name, ()) for name in ("__len__", "__bool__", "__repr__", "__str__")),
        *(
            (name, (n,))
            for name in ("__contains__", "__getitem__")
            for n in (0, 2, 3, -1, 1 << 40, Indexed(), "x", None)
        ),
    ],
)
def test_special_methods_do_what_they_do_by_name(length, name, arguments):
    """CPython calls the slot for the operation, and PyO3's function, which the slot had before, for the name."""

    def outcome(call, *arguments):
        try:
            return call(*arguments)
        except Exception as error:
            return type(error)

    rod = Rod(length)
    for _ in range(2):
        by_slot = outcome(SLOTS[name], rod, *arguments)
        assert by_slot == outcome(getattr(rod, name), *arguments)
        assert type(by_slot) is type(outcome(getattr(rod, name), *arguments))


def test_special_methods():
    for _ in range(2):
        rod = Rod(3)
        assert len(rod) == 3 and bool(rod) is True and bool(Rod(0)) is False
        assert (2 in rod) is True and (3 in rod) is False
        assert rod[2] == 20 and repr(rod) == str(rod) == "short"
        with pytest.raises(OverflowError):
            len(Rod(-1))
        with pytest.raises(Error):
            rod[3]


def test_special_methods_of_a_closed_handle():
    rod = Rod(3)
    rod.close()
    for name, call in SLOTS.items():
        for _ in range(2):
            with pytest.raises(ClosedError):
                call(rod, *([1] if name in ("__contains__", "__getitem__") else []))


def test_descriptors_are_those_of_the_class():
    assert Tally.add.__doc__ == "Adds a number. Returns the sum."
    assert Tally.add.__text_signature__ == "($self, n)"
    assert type(Session.busy).__name__ == "getset_descriptor"
    session = Session()
    session.busy = 3
    assert session.busy == 3
    session.busy = 0


IMPORTED_ANEW = """
import sys
import standin_safe

tally = standin_safe.Tally(1)
assert tally.add(1) == 2
for name in [name for name in sys.modules if name.split(".")[0] == "standin_safe"]:
    del sys.modules[name]
import standin_safe as again

for one in [tally, again.Tally(2)]:
    assert one.add(1) == 3
    assert one.add(n=1) == 4
"""


def test_module_that_is_imported_anew_calls_the_same_functions():
    subprocess.run([sys.executable, "-c", IMPORTED_ANEW], check=True)


NAMES_OF_CLASSES = """
import ctypes, sys

def import_anew():
    for name in [name for name in sys.modules if name.split(".")[0] == "standin_safe"]:
        del sys.modules[name]
    import standin_safe
    # The first field behind those of each sized object is the address of the name that CPython uses in its messages.
    classes = [standin_safe.Handle, standin_safe.Error]
    place = object.__basicsize__ + ctypes.sizeof(ctypes.c_ssize_t)
    names = [ctypes.c_char_p.from_address(id(cls) + place) for cls in classes]
    assert [name.value for name in names] == [b"standin_safe.Handle", b"standin_safe.Error"]
    return classes, [ctypes.cast(name, ctypes.c_void_p).value for name in names]

assert import_anew() == import_anew()
"""


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="looks into the objects of CPython")
def test_module_that_is_imported_anew_makes_no_names_of_classes_anew():
    """CPython never frees the name of a class that is made for it."""
    subprocess.run([sys.executable, "-c", NAMES_OF_CLASSES], check=True)
