"""Handles with two parents: the second one is the argument that `keep_alive` names, whatever else was passed."""

import gc

import pytest
from standin_safe import Board, BusyError, ClosedError, Feed, Parcel, live_handles, take_log

NONE = dict.fromkeys(live_handles(), 0)


def test_second_parent_is_the_named_one_of_two_arguments_of_one_type():
    board, beside, parcel = Board(), Parcel(3), Parcel(4)
    ribbon = board.ribbon(beside, parcel)
    assert ribbon.weight() == 4
    beside.close()
    assert not ribbon.closed and ribbon.weight() == 4
    take_log()
    parcel.close()
    assert ribbon.closed
    assert take_log() == ["ribbon_free", "parcel_free"]
    with pytest.raises(ClosedError):
        ribbon.weight()


def test_second_parent_that_is_passed_twice():
    board, parcel = Board(), Parcel(3)
    ribbon = board.ribbon(parcel, parcel)
    assert ribbon.weight() == 3
    parcel.close()
    assert ribbon.closed


def test_body_finds_the_parents_that_the_handle_lives_in():
    board, other, beside, parcel = Board(), Board(), Parcel(3), Parcel(4)
    ribbon, twin, stranger = board.ribbon(beside, parcel), board.ribbon(beside, beside), other.ribbon(beside, parcel)
    assert (ribbon.weight_of_parcel(), twin.weight_of_parcel()) == (4, 3)
    assert ribbon.is_beside(twin) and twin.is_beside(ribbon)
    assert not ribbon.is_beside(stranger)
    parcel.close()
    with pytest.raises(ClosedError):
        ribbon.weight_of_parcel()


def test_ribbon_keeps_the_named_parcel_alone():
    beside, parcel = Parcel(3), Parcel(4)
    ribbon = Board().ribbon(beside, parcel)
    del beside, parcel
    gc.collect()
    assert live_handles() == NONE | {"Board": 1, "Parcel": 1, "Ribbon": 1}
    assert ribbon.weight() == 4
    take_log()
    del ribbon
    gc.collect()
    log = take_log()
    assert log[0] == "ribbon_free" and "parcel_free" in log
    assert live_handles() == NONE


def test_call_on_a_ribbon_borrows_both_parents(at_the_gate):
    board, parcel = Board(), Parcel(4)
    ribbon = board.ribbon(Parcel(3), parcel)

    def reweigh(_):
        parcel.reweigh(5)
        return 0

    feed = Feed(lambda: 0)
    with at_the_gate(ribbon.weight) as weights:
        # A callable does not wait for the other thread.
        with pytest.raises(BusyError, match="Parcel is in use"):
            feed.tell(reweigh)
    assert weights == [4]
    feed.tell(reweigh)
    assert ribbon.weight() == 5


def test_view_ends_when_a_second_parent_is_used_exclusively():
    board, beside, parcel = Board(), Parcel(3), Parcel(4)
    bow = board.ribbon(beside, parcel).bow
    beside.reweigh(5)
    assert bow.weight() == 4
    parcel.reweigh(6)
    with pytest.raises(ClosedError, match="Bow is no longer valid"):
        bow.weight()


def test_arguments_live_in_the_same_parcel_where_the_receiver_lives_in_none():
    board, parcel, other = Board(), Parcel(4), Parcel(5)
    ribbon = board.ribbon(other, parcel)
    assert board.weight_of(parcel.tag(), ribbon) == 4
    with pytest.raises(ValueError, match="the Ribbon belongs to another Parcel than the Tag"):
        board.weight_of(other.tag(), ribbon)
