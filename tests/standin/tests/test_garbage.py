"""What the garbage collector sees of the values that handles keep."""

import functools
import gc
import sys
import sysconfig

import pytest
from standin_safe import Board, Feed, Folder, List, Outline, Parcel, Store, dropped_locked, live_handles, meddled

NONE = dict.fromkeys(live_handles(), 0)


def feed():
    return Feed(iter([1]).__next__)


def test_callable_that_two_handles_share_stays_while_it_is_used():
    def make():
        feeds = [feed(), feed()]

        def call():
            return len(feeds)

        feeds[0].share(feeds[1], call)
        return call, feeds

    call, feeds = make()
    # Only this function refers to `call` from outside of the cycle.
    del feeds
    gc.collect()
    assert call() == 2
    call.__closure__[0].cell_contents.clear()
    assert live_handles() == NONE


def test_collector_sees_the_class_of_each_object_and_its_owner():
    for _ in range(2):
        outline = Outline()
        outline.root.append(1)
        folder = Folder(1)
        board = Board()
        assert gc.get_referents(outline.root) == [type(outline.root), outline]
        assert gc.get_referents(outline) == [Outline]
        assert gc.get_referents(folder) == [Folder]
        assert gc.get_referents(board) == [Board]


def test_value_cannot_run_python_code_while_garbage_is_collected():
    meddling = feed()
    meddling.meddle()
    asked, _ = meddled()
    gc.collect()
    more, ran = meddled()
    assert more > asked
    assert ran == 0
    meddling.close()
    assert live_handles() == NONE


def test_callables_behind_a_lock_are_dropped_when_it_is_free():
    def make():
        locked, watcher = feed(), feed()
        # The first callable alone refers to the watcher. The second one closes the cycle. The feed is older, so the
        # collector clears the feed first.
        locked.lock(watcher, watcher.number, functools.partial(id, locked))

    before = dropped_locked()
    make()
    gc.collect()
    assert live_handles() == NONE
    assert dropped_locked() == before


def test_cycle_that_only_the_handle_can_end_is_collected():
    def make():
        cycle = feed()
        # A bound method of a built-in type holds its object until the method is gone.
        cycle.lock(feed(), cycle.number, cycle.number)

    make()
    gc.collect()
    assert live_handles() == NONE


def test_collector_sees_no_tuple_of_arguments_without_items():
    given, incomplete = [], []

    def look(phase, _):
        tuples = [found for found in gc.get_objects() if type(found) is tuple]
        # The garbage collector passes over items that are not there yet.
        incomplete.extend(len(found) for found in tuples if len(gc.get_referents(found)) < len(found))

    threshold = gc.get_threshold()
    gc.callbacks.append(look)
    gc.set_threshold(50)
    try:
        feed().spread(lambda *pairs: given.extend(pairs), 500)
    finally:
        gc.callbacks.remove(look)
        gc.set_threshold(*threshold)
    assert given == [(number, number) for number in range(500)]
    assert incomplete == []


def test_collector_sees_the_handles_that_others_keep_alive():
    numbers = List()
    assert numbers in gc.get_referents(iter(numbers))
    item = Store().item()
    assert item in gc.get_referents(item.memory.obj)
    board, parcel = Board(), Parcel(3)
    parents = gc.get_referents(board.ribbon(Parcel(4), parcel))
    assert board in parents and parcel in parents


def test_only_objects_that_may_be_in_a_cycle_are_tracked():
    assert gc.is_tracked(feed())
    folder = Folder(1)
    assert not gc.is_tracked(folder)
    assert not gc.is_tracked(folder.paper())


@pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")) or sys.maxsize < 2**32,
    reason="objects have another header",
)
def test_view_takes_64_bytes():
    assert sys.getsizeof(Folder(1).paper()) == 64
