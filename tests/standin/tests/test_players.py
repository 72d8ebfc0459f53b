"""Handles that C keeps in another handle, and that the caller releases."""

import gc
import os

import pytest
from standin_safe import ClosedError, Player, Tune, live_handles, take_log

NONE = dict.fromkeys(live_handles(), 0)


def test_tune_lives_until_another_one_replaces_it():
    player = Player()
    tune = Tune(3)
    player.set_tune(tune)
    assert tune.closed
    with pytest.raises(ClosedError):
        tune.notes
    del tune
    gc.collect()
    assert player.play() == 3
    take_log()
    player.set_tune(Tune(5))
    assert take_log() == ["tune_new", "player_set_tune", "tune_free 3"]
    player.set_tune(None)
    assert take_log() == ["player_set_tune", "tune_free 5"]
    assert player.play() == 0


def test_tunes_live_as_long_as_their_player():
    player = Player()
    player.set_tune(Tune(3))
    player.set_encore(Tune(4))
    take_log()
    player.close()
    assert take_log() == ["player_free 7", "tune_free 3", "tune_free 4"]
    assert live_handles() == NONE


def test_body_takes_a_handle_or_none():
    player = Player()
    assert not player.repeat(None)
    tune = Tune(2)
    assert player.repeat(tune)
    assert tune.closed
    assert player.play() == 2


@pytest.mark.parametrize("method", [Player.set_tune, Player.set_encore, Player.repeat])
def test_wrong_argument_changes_nothing(method):
    player = Player()
    player.set_tune(Tune(3))
    with pytest.raises(TypeError):
        method(player, "tune")
    closed = Tune(1)
    closed.close()
    with pytest.raises(ClosedError):
        method(player, closed)
    assert player.play() == 3


def test_tune_of_a_player_that_is_closed_stays_open():
    player = Player()
    player.close()
    tune = Tune(3)
    with pytest.raises(ClosedError):
        player.set_tune(tune)
    assert tune.notes == 3


def test_forked_child_releases_its_copies():
    player = Player()
    player.set_tune(Tune(3))
    take_log()
    child = os.fork()
    if child == 0:
        player.set_tune(Tune(4))
        player.close()
        good = take_log() == ["tune_new", "player_set_tune", "tune_free 3", "player_free 4", "tune_free 4"]
        os._exit(0 if good else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert player.play() == 3
