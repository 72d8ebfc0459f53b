"""Views that end with the next change of their owner, and memory that C lends."""

import gc
import threading

import pytest
from standin_safe import (
    ClosedError,
    Journal,
    List,
    Store,
    live_handles,
    open_gate,
    take_log,
)

NONE = dict.fromkeys(live_handles(), 0)


# ---- views that end with the next change


def numbers(*them):
    made = List()
    for number in them:
        made.push(number)
    return made


def test_a_view_ends_when_its_owner_is_used_alone():
    them = numbers(1, 2)
    first = them.first
    second, place = first.next, first.place
    assert (first.number, second.number, place.number) == (1, 2, 1)
    assert first == them.first and not first.closed
    them.push(3)
    for view in (first, second, place):
        assert view.closed and repr(view).endswith("(closed)>")
        with pytest.raises(ClosedError, match=f"{type(view).__name__} is no longer valid: its owner was modified"):
            view.number
    assert hash(first) == hash(first) and first == first
    assert [node.number for node in them] == [1, 2, 3]
    # What is made afterwards is there, and is not the old one.
    assert them.first.number == 1 and them.first.place.number == 1
    with pytest.raises(ClosedError):
        first.next


def test_looking_on_ends_no_view():
    them = numbers(1, 2)
    first = them.first
    for _ in them:
        assert them.first.number == first.number == 1


def test_iterating_ends_with_the_change():
    them = numbers(1, 2, 3)
    walk = iter(them)
    assert next(walk).number == 1
    them.push(4)
    with pytest.raises(ClosedError, match="Node is no longer valid"):
        next(walk)
    with pytest.raises(ClosedError, match="Node is no longer valid"):
        next(walk)


def test_closing_the_owner_ends_its_views_as_ever():
    them = numbers(1)
    first = them.first
    them.close()
    with pytest.raises(ClosedError, match="Node is closed"):
        first.number
    assert first.closed


# ---- memory that is lent


def refused(*calls):
    """Each is refused at once, also to another thread."""
    for call in calls:
        with pytest.raises(BufferError, match="is in use by a memoryview"):
            call()
        raised = []

        def run(call=call, raised=raised):
            try:
                call()
            except BufferError as error:
                raised.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join(10)
        assert not thread.is_alive() and len(raised) == 1


def test_memory_holds_its_handle_and_the_ancestors():
    store = Store()
    item = store.item()
    view = item.memory
    assert view == b"item" and view.readonly
    refused(item.close, store.close, item.work, store.work)
    # Beside it is allowed.
    item.work_beside()
    store.work_beside()
    other = store.item()
    other.work()
    other.close()
    again = item.memory
    del item
    gc.collect()
    assert view == b"item"
    view.release()
    refused(store.close)
    again.release()
    store.work()
    store.close()
    assert live_handles() == NONE


def test_after_the_view_there_is_waiting_again(at_the_gate):
    store = Store()
    item = store.item()
    for _ in range(3):
        item.memory.release()
    with at_the_gate(store.work_beside, item.work_beside):
        closing = [threading.Thread(target=handle.close) for handle in (item, store)]
        for thread in closing:
            thread.start()
            thread.join(0.05)
        assert all(thread.is_alive() for thread in closing)
        open_gate()
        for thread in closing:
            thread.join(10)
    assert item.closed and store.closed and live_handles() == NONE


def test_memory_ends_with_the_last_part_of_it():
    with Store() as store:
        with store.item() as item:
            part = memoryview(item.memory)[1:3].cast("B")
            refused(item.close)
            assert part.tobytes() == b"te"
            del part
            item.work()


def test_memoryview_of_a_handle_that_another_thread_closes_raises_closed(at_the_gate):
    """Who waits to close it is not held up for ever."""
    store = Store()
    item = store.item()
    with at_the_gate(item.work_beside):
        closing = threading.Thread(target=item.close)
        closing.start()
        with pytest.raises(ClosedError):
            while True:
                item.memory.release()
        open_gate()
    closing.join()
    store.close()


def test_unclosed_handle_with_warn_unclosed_warns():
    with pytest.warns(ResourceWarning, match="unclosed Journal"):
        Journal(0)
        gc.collect()
    assert live_handles() == NONE


def test_methods_may_stand_in_several_blocks():
    take_log()
    with Store() as store:
        store.work_twice()
        assert take_log() == ["store_new", "worked", "worked"]
    take_log()
