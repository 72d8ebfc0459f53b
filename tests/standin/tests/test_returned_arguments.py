"""Handles that a body takes and returns."""

import gc

import pytest
from standin_safe import (
    ClosedError,
    Parcel,
    Session,
    Shape,
    live_handles,
    take_log,
)

NONE = dict.fromkeys(live_handles(), 0)


@pytest.fixture(autouse=True)
def nothing_leaks():
    yield
    gc.collect()
    assert live_handles() == NONE


def test_returned_handle_is_the_same_object():
    with Session() as session, Parcel(3) as parcel:
        take_log()
        assert session.pass_parcel(parcel, []) == (parcel, 0)
        again, _ = session.pass_parcel(parcel, [])
        assert again is parcel is Session.relay(parcel)
        assert not parcel.closed and parcel.weight() == 3
        assert take_log() == []
        parcel.reweigh(4)
    assert parcel.closed


def test_optional_handle_is_returned():
    with Parcel(3) as parcel:
        assert Session.relay(None) is None
        assert Session.relay(parcel) is parcel


def test_two_handles_are_each_the_same_object():
    with Session() as session, Parcel(3) as first, Parcel(4) as second:
        assert session.swap(first, second) == (second, first)
        assert (first.weight(), second.weight()) == (3, 4)


@pytest.mark.parametrize("steps", [["fail"], ["panic"]])
def test_failing_body_leaves_the_object_open(steps):
    with Session() as session, Parcel(3) as parcel:
        with pytest.raises(BaseException, match="failed|panicked"):
            session.pass_parcel(parcel, steps)
        assert parcel.weight() == 3
        assert session.pass_parcel(parcel, [])[0] is parcel


def test_dropped_handle_is_released():
    with Session() as session:
        parcel = Parcel(3)
        take_log()
        assert session.pass_parcel(parcel, ["drop"]) == (None, 1)
        assert parcel.closed and take_log() == ["parcel_free"]
        with pytest.raises(ClosedError):
            session.pass_parcel(parcel, [])


def test_handle_that_c_has_is_closed():
    with Session() as session:
        parcel = Parcel(3)
        assert session.pass_parcel(parcel, ["send"]) == (None, 1)
        assert parcel.closed
        session.busy = 0


def test_another_handle_is_a_new_object():
    with Session() as session:
        parcel = Parcel(3)
        other, steps = session.pass_parcel(parcel, ["replace"])
        assert other is not parcel and steps == 1
        assert parcel.closed and other.weight() == 9
        other.close()


def test_handles_that_live_in_the_returned_one_are_closed():
    with Session() as session, Parcel(3) as parcel:
        tag, label = parcel.tag(), parcel.label
        assert session.pass_parcel(parcel, [])[0] is parcel
        assert tag.closed and label.weight == 3
        parcel.tag().close()


def test_child_is_returned_and_keeps_its_parent():
    session = Session()
    cursor = session.cursor()
    assert session.pass_cursor(cursor, 0) is cursor
    assert next(cursor) == 1
    session.close()
    assert cursor.closed
    with pytest.raises(ClosedError):
        next(cursor)


def test_child_of_another_parent_stays_in_its_parent():
    one, other = Session(), Session()
    cursor = one.cursor()
    assert other.pass_cursor(cursor, 0) is cursor
    other.close()
    assert not cursor.closed
    one.close()
    assert cursor.closed


def test_counted_handle_is_returned():
    with Session() as session, Shape() as shape:
        assert session.pass_shape(shape, 1) == [shape]
        assert session.pass_shape(shape, 1)[0] is shape and shape.owners == 1
        owners = session.pass_shape(shape, 3)
        assert sum(owner is shape for owner in owners) == 1 and shape.owners == 3
        for owner in owners:
            assert not owner.closed
            owner.close()
        assert shape.closed
    with Session() as session:
        shape = Shape()
        assert session.pass_shape(shape, 0) == []
        assert shape.closed


def test_object_is_open_after_a_result_that_cannot_be_converted():
    with Session() as session, Shape() as shape:
        with pytest.raises(KeyError, match="no Python object"):
            session.pass_in_vain(shape)
        assert not shape.closed and shape.owners == 1


def test_method_that_ends_its_handle_may_return_it():
    session = Session()
    cursor = session.cursor()
    assert session.renew(False) is session
    assert cursor.closed and not session.closed
    other = session.renew(True)
    assert session.closed and other is not session
    other.close()
