"""Handles in memory of the caller, handles that iterate, and handles that are numbers."""

import gc
import threading

import pytest
from standin_safe import (
    ClosedError,
    Error,
    Numeral,
    Session,
    SessionError,
    Tally,
    live_handles,
    take_log,
)

NONE = dict.fromkeys(live_handles(), 0)


# ---- out-parameters and memory in place


def test_a_constructor_that_fails_is_asked_and_released():
    with pytest.raises(SessionError) as caught:
        Session(-3)
    assert (caught.value.status, caught.value.busy) == (1, -3)
    assert take_log() == ["session_open", "session_close"]


def test_in_place():
    with Tally(3) as tally:
        assert tally.add(4) == 7
    with pytest.raises(ClosedError):
        tally.add(1)
    assert take_log() == ["tally_init", "tally_clear"]
    with pytest.raises(Error):
        Tally(-1)
    assert take_log() == []
    assert live_handles()["Tally"] == 0


# ---- iterators


def test_a_handle_that_iterates():
    with Session() as session:
        cursor = session.cursor()
        assert iter(cursor) is cursor
        assert [next(cursor), next(cursor)] == [1, 2]
        with pytest.raises(ValueError, match="three"):
            next(cursor)
        assert list(cursor) == []
        half = session.cursor()
        for number in half:
            assert number == 1
            break
        take_log()
        del half
        gc.collect()
        assert take_log() == ["query_close"]
        last = session.cursor()
    with pytest.raises(ClosedError):
        next(last)


# ---- numbers


def test_every_number_is_a_handle_but_the_one_that_is_none():
    take_log()
    them = [Numeral(), Numeral.another(), Numeral(), Numeral.another()]
    assert [it.value for it in them] == [-1, 0, 1, 2]
    assert [repr(it) for it in them] == [f"<standin_safe.Numeral {number}>" for number in (-1, 0, 1, 2)]
    for make in (Numeral, Numeral.another):
        with pytest.raises(Error):
            make()
    assert live_handles()["Numeral"] == 4
    for it in them:
        assert not it.closed
        it.close()
        it.close()
        assert it.closed
    assert take_log() == [f"number_close {number}" for number in (-1, 0, 1, 2)]
    assert live_handles() == NONE


def test_constants_are_exported():
    import standin_safe

    assert standin_safe.NUMBERS == 4


def test_a_number_that_is_free_again_revives_nothing():
    first = Numeral()
    first.close()
    with Numeral() as second:
        assert second.value == -1 and first.closed and first != second
        with pytest.raises(ClosedError):
            first.value
        first.close()
        del first
        gc.collect()
        assert second.value == -1
    assert live_handles() == NONE


def test_close_wakes_blocked_calls():
    it = Numeral()
    ended = []
    threads = [threading.Thread(target=lambda: ended.append(it.wait())) for _ in range(3)]
    for thread in threads:
        thread.start()
        thread.join(0.02)
    assert not ended
    closing = threading.Thread(target=it.close)
    closing.start()
    closing.join(10)
    for thread in threads:
        thread.join(10)
    assert ended == [-1] * 3 and it.closed and live_handles() == NONE
