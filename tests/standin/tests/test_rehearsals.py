"""Handles that C lends to a callback, given to a Python callable."""

import copy
import gc
import threading

import pytest
from standin_safe import AffinityError, Beat, BusyError, ClosedError, Handle, Player, Rehearsed, Tune, live_handles

NONE = dict.fromkeys(live_handles(), 0)
WAYS = [Player.rehearse, Player.rework, Player.rehearse_detached]


@pytest.fixture
def player():
    player = Player()
    player.set_tune(Tune(3))
    yield player
    player.close()
    gc.collect()
    assert live_handles() == NONE


@pytest.mark.parametrize("way", WAYS)
def test_callable_gets_an_object_that_is_closed_when_the_callback_returns(player, way):
    kept = []

    def listen(tune):
        assert type(tune) is Rehearsed and isinstance(tune, Handle)
        assert not tune.closed and tune.notes == 3 and tune.together_with(tune) == 6
        kept.append(tune)

    assert way(player, listen) == 3
    [tune] = kept
    assert tune.closed and repr(tune).endswith("(closed)>")
    for use in (lambda: tune.notes, lambda: tune.together_with(tune), lambda: tune.beat, tune.sheet):
        with pytest.raises(ClosedError, match="Rehearsed is closed"):
            use()
    with pytest.raises(ClosedError):
        tune.notes = 4
    tune.close()
    # One that has ended is no argument of the next callback.
    with pytest.raises(ClosedError):
        way(player, lambda newer: newer.together_with(tune))


@pytest.mark.parametrize("way", WAYS)
def test_exception_closes_the_object_and_comes_out(player, way):
    kept = []

    def listen(tune):
        kept.append(tune)
        raise LookupError("no such tune")

    with pytest.raises(LookupError, match="no such tune"):
        way(player, listen)
    assert kept[0].closed
    assert player.play() == 3


def test_panic_closes_the_object(player):
    kept = []
    with pytest.raises(BaseException, match="panicked"):
        player.stumble(kept.append)
    assert kept[0].closed


def test_object_that_c_lends_shared_is_not_changed(player):
    def listen(tune):
        with pytest.raises(BusyError):
            tune.notes = 4
        with pytest.raises(BusyError):
            tune.close()
        assert tune.notes == 3

    for way in (Player.rehearse, Player.rehearse_detached):
        assert way(player, listen) == 3


def test_object_that_c_lends_exclusively_is_changed(player):
    def listen(tune):
        tune.notes = 5
        assert tune.notes == 5

    assert player.rework(listen) == 5


def test_object_that_c_lends_exclusively_may_be_closed_early(player):
    def listen(tune):
        with tune:
            assert tune.notes == 3
        with pytest.raises(ClosedError):
            tune.notes = 5

    assert player.rework(listen) == 3


def test_parts_end_with_the_object(player):
    kept = []

    def listen(tune):
        beat = tune.beat
        assert type(beat) is Beat and beat.count == 3
        kept.append(beat)

    player.rehearse(listen)
    [beat] = kept
    assert beat.closed
    with pytest.raises(ClosedError):
        beat.count


def test_memory_of_the_object_is_not_exported(player):
    def listen(tune):
        with pytest.raises(ValueError, match="C lends a Rehearsed until the callback returns"):
            tune.sheet()

    assert player.rehearse(listen) == 3


@pytest.mark.parametrize("way", WAYS)
def test_other_threads_do_not_use_the_object(player, way):
    errors = []

    def use(tune):
        for attempt in (lambda: tune.notes, lambda: tune.beat, lambda: setattr(tune, "notes", 7), tune.close):
            with pytest.raises(AffinityError) as caught:
                attempt()
            errors.append(caught.value)

    def listen(tune):
        thread = threading.Thread(target=use, args=[tune])
        thread.start()
        thread.join()

    assert way(player, listen) == 3
    assert len(errors) == 4


def test_object_dropped_on_another_thread_after_the_callback_ends(player):
    kept = []
    player.rehearse(kept.append)
    thread = threading.Thread(target=kept.clear)
    thread.start()
    thread.join()


def test_object_in_a_cycle_is_collected(player):
    kept = []

    def listen(tune):
        cycle = [tune]
        cycle.append(cycle)
        kept.append(tune.notes)

    assert player.rework(listen) == 3
    gc.collect()
    assert kept == [3]


def test_object_is_neither_made_nor_copied_by_python(player):
    with pytest.raises(TypeError):
        Rehearsed()

    def listen(tune):
        with pytest.raises(TypeError):
            copy.copy(tune)

    player.rehearse(listen)


def test_nested_callbacks_have_objects_of_their_own(player):
    other = Player()
    other.set_tune(Tune(4))

    def listen(tune):
        assert other.rework(lambda second: setattr(second, "notes", tune.notes + second.notes)) == 7
        assert tune.notes == 3

    assert player.rehearse(listen) == 3
    other.close()
