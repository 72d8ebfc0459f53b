"""Objects whose owners C counts: each handle is one owner, and all of them are borrowed as one."""

import gc
import threading

import pytest
from standin_safe import (
    BusyError,
    ClosedError,
    Shape,
    live_handles,
    open_gate,
    take_log,
)

NONE = dict.fromkeys(live_handles(), 0)


def test_each_handle_owns_one_reference():
    inner = Shape()
    outer = Shape(inner)
    assert inner.owners == 2
    again = outer.child
    assert inner.owners == again.owners == 3
    assert live_handles()["Shape"] == 3
    assert again == inner and hash(again) == hash(inner) and again is not inner
    assert inner != outer and inner.child is None
    inner.close()
    assert again.owners == 2
    assert inner.closed and not again.closed
    with pytest.raises(ClosedError):
        inner.owners
    outer.close()
    assert again.owners == 1
    again.close()
    assert live_handles() == NONE


def test_a_closed_handle_is_in_nobodys_way():
    outer = Shape(Shape())
    closed, open_one = outer.child, outer.child
    closed.close()
    for use in (closed.work, closed.work_beside, closed.meet):
        with pytest.raises((ClosedError, TypeError)):
            use()
    with pytest.raises(ClosedError):
        closed.meet(outer)
    open_one.work()
    open_one.meet(outer)
    open_one.close()
    outer.close()
    assert live_handles() == NONE


def test_the_last_reference_frees():
    outer = Shape(Shape())
    child = outer.child
    del outer
    gc.collect()
    assert child.owners == 1
    take_log()
    del child
    gc.collect()
    assert take_log() == ["shape_unref to 0"]


def test_a_closed_handle_is_not_a_later_object_at_the_same_place():
    closed = []
    for _ in range(50):
        shape = Shape()
        assert shape not in closed
        shape.close()
        closed.append(shape)
        assert shape in closed


def test_all_handles_count_as_one(at_the_gate):
    """Using one alone excludes the others; what is closed meanwhile gives its reference back at the end."""
    inner = Shape()
    outer = Shape(inner)
    again = outer.child
    take_log()
    with at_the_gate(again.work) as results:
        timer = threading.Timer(0.05, open_gate)
        timer.start()
        assert inner.owners == 3
        timer.join()
    assert take_log() == ["worked with 3"] and results == [None]
    with at_the_gate(again.work):
        threading.Timer(0.05, open_gate).start()
        inner.close()
        assert take_log() == ["worked with 3", "shape_unref to 2"]
    with at_the_gate(again.work_beside):
        third = outer.child
        assert again.owners == third.owners == 3
        third.close()
    outer.close()
    again.close()
    assert live_handles() == NONE


def test_a_handle_dropped_while_another_is_used(at_the_gate):
    outer = Shape(Shape())
    first, second = outer.child, outer.child
    take_log()
    with at_the_gate(first.work):
        del second
        gc.collect()
        assert take_log() == []
    assert take_log() == ["worked with 3", "shape_unref to 2"]
    first.close()
    outer.close()


def test_closing_the_handle_in_use_waits(at_the_gate):
    outer = Shape(Shape())
    first, second = outer.child, outer.child
    take_log()
    with at_the_gate(first.work_beside):
        second.close()
        assert take_log() == ["shape_unref to 2"]
        threading.Timer(0.05, open_gate).start()
        first.close()
        assert take_log() == ["worked with 2", "shape_unref to 1"]
    outer.close()


def test_two_handles_of_one_object_in_one_call():
    outer = Shape(Shape())
    first, second = outer.child, outer.child
    first.meet(outer)
    for other in (first, second):
        with pytest.raises(BusyError):
            first.meet(other)
    for shape in (first, second, outer):
        shape.close()
