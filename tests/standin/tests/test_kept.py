"""Handles that C keeps in others: a call on the keeper uses what they live in."""

import gc
import os
import sys
import time
from contextlib import ExitStack

import pytest
from standin_safe import BusyError, Harbor, Net, Pond, at_gate, close_gate, live_handles, open_gate, take_log
from test_fairness import waiting
from test_interrupts import signaled


@pytest.fixture
def pond_and_net():
    pond, net = Pond(), Net()
    net.add(pond.fish())
    return pond, net


def violations():
    return [line for line in take_log() if "while it was dredged" in line]


def handles():
    return {name: live_handles()[name] for name in ("Pond", "Net")}


@pytest.mark.parametrize("call", ["weight", "weigh"])
def test_call_on_a_keeper_waits_for_an_exclusive_call_on_the_parent(pond_and_net, at_the_gate, call):
    pond, net = pond_and_net
    with at_the_gate(pond.dredge) as results, signaled(lambda *_: open_gate()):
        assert getattr(net, call)() == 1
    assert results == [0]
    assert violations() == []


def beside_a_signal_handler(pond, call):
    """What `call` returns or raises in a signal handler that runs while the pond is dredged on the main thread."""
    results = []

    def handler(*_):
        while at_gate() == 0:
            time.sleep(0.001)
        try:
            results.append(call())
        except BaseException as error:
            results.append(error)
        open_gate()

    close_gate()
    with signaled(handler):
        assert pond.dredge_interruptibly() == 0
    return results[0]


@pytest.mark.parametrize("call", ["weight", "weigh"])
def test_signal_handler_does_not_use_a_child_of_the_handle_of_an_exclusive_call(pond_and_net, call, capfd):
    pond, net = pond_and_net
    refused = beside_a_signal_handler(pond, getattr(net, call))
    assert isinstance(refused, BusyError)
    assert "Pond is in use" in str(refused)
    assert violations() == []
    assert getattr(net, call)() == 1
    assert "panicked" not in capfd.readouterr().err


def test_release_in_a_signal_handler_waits_for_the_call_that_has_the_parent_alone(pond_and_net):
    pond, net = pond_and_net
    before = handles()
    assert beside_a_signal_handler(pond, lambda: (net.close(), handles())[1]) == before
    assert violations() == []
    pond.close()
    assert handles() == {"Pond": before["Pond"] - 1, "Net": before["Net"] - 1}


def test_signal_handler_that_forks_interrupts_the_call(pond_and_net):
    pond, _ = pond_and_net
    child = beside_a_signal_handler(pond, os.fork)
    if child == 0:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def test_close_interrupts_a_call_although_c_keeps_a_child_of_the_handle(pond_and_net, at_the_gate):
    pond, net = pond_and_net
    before = handles()
    with at_the_gate(pond.dredge) as results:
        pond.close()
    assert results == [0]
    net.close()
    assert violations() == []
    assert handles() == {"Pond": before["Pond"] - 1, "Net": before["Net"] - 1}


def test_dropped_handle_defers_a_refused_release_to_the_ancestor_in_use(at_the_gate, monkeypatch):
    refused = []
    monkeypatch.setattr(sys, "unraisablehook", lambda raised: refused.append(str(raised.exc_value)))
    pond = Pond()
    before = live_handles()
    fish = pond.fish()
    roe = fish.roe(1)
    del roe
    gc.collect()
    assert refused == ["roe_free failed"]
    with at_the_gate(pond.dredge):
        del fish
        gc.collect()
    assert take_log() == ["roe_free", "fish_free"]
    assert live_handles() == before
    assert refused == ["roe_free failed"]


def test_pond_is_released_after_the_net_that_was_given_back():
    before = handles()
    hold = Net()
    for _ in range(3):
        pond, net = Pond(), Net()
        net.add(pond.fish())
        hold.stow(net)
        pond.close()
        net = hold.haul()
        assert net.weight() == 1
        net.close()
        assert handles() == {"Pond": before["Pond"], "Net": before["Net"] + 1}
    hold.close()
    assert handles() == before


@pytest.fixture
def pond_and_trawl():
    pond, trawl = Pond(), Harbor().boat().trawl()
    trawl.add(pond.fish())
    return pond, trawl


@pytest.mark.parametrize("call", ["weight", "weigh"])
def test_call_that_waits_for_another_does_not_hold_the_lock_of_the_library(pond_and_trawl, at_the_gate, call):
    pond, trawl = pond_and_trawl
    with at_the_gate(pond.dredge) as results, signaled(lambda *_: open_gate()):
        assert getattr(trawl, call)() == 1
    assert results == [0]
    assert violations() == []


@pytest.mark.parametrize("call", ["weight", "weigh"])
def test_call_that_is_refused_does_not_enter_the_lock_of_the_library(pond_and_trawl, call):
    pond, trawl = pond_and_trawl
    assert isinstance(beside_a_signal_handler(pond, getattr(trawl, call)), BusyError)
    assert violations() == []


def test_exclusive_call_comes_before_later_calls_on_children(pond_and_net, at_the_gate):
    pond, net = pond_and_net
    order = []

    def noting(name, call):
        return lambda: (call(), order.append(name))

    with at_the_gate(net.weigh_at_gate) as results:
        dredged, weighed = waiting(noting("dredged", pond.dredge), noting("weighed", net.weight))
        later = order.copy()
        assert results == [None]
    dredged.join()
    weighed.join()
    assert results == [1]
    assert set(later) <= {"weighed"}
    assert order == [*later, "dredged", "weighed"]


@pytest.mark.parametrize("close_root", ["while the use lasts", "after the use"])
def test_parents_of_a_handle_whose_release_is_deferred_are_closed(at_the_gate, close_root):
    before = live_handles()
    pond, harbor = Pond(), Harbor()
    boat = harbor.boat()
    trawl = boat.trawl()
    trawl.add(pond.fish())
    with at_the_gate(pond.dredge) as results:
        trawl.close()
        boat.close()
        if close_root == "while the use lasts":
            harbor.close()
        assert take_log() == []
    assert results == [0]
    harbor.close()
    pond.close()
    assert take_log() == ["fish_free", "boat_free", "harbor_free"]
    assert live_handles() == before


def test_blocks_of_handles_whose_release_is_deferred_end_without_an_error(at_the_gate):
    before = live_handles()
    with Pond() as pond, ExitStack() as gate:
        with Harbor() as harbor, harbor.boat() as boat, boat.trawl() as trawl:
            trawl.add(pond.fish())
            gate.enter_context(at_the_gate(pond.dredge))
        assert take_log() == []
    assert live_handles() == before


@pytest.fixture
def pond_boat_and_seine():
    """The seine has the boat alone, and keeps a fish of the pond."""
    pond, harbor = Pond(), Harbor()
    boat = harbor.boat()
    seine = boat.seine()
    seine.add(pond.fish())
    yield pond, boat, seine
    harbor.close()
    pond.close()


def test_call_waits_until_a_closed_child_that_had_its_parent_alone_is_released(pond_boat_and_seine, at_the_gate):
    pond, boat, seine = pond_boat_and_seine
    with at_the_gate(pond.dredge) as results:
        seine.close()
        assert seine.closed and take_log() == []
        with signaled(lambda *_: open_gate()):
            trawl = boat.trawl()
        # The seine was released when the pond had been dredged, and before the boat's call.
        assert take_log() == ["fish_free"]
        trawl.close()
    assert results == [0]


def test_call_that_must_not_wait_for_the_release_of_a_closed_child_raises_busy(pond_boat_and_seine):
    pond, boat, seine = pond_boat_and_seine
    refused = beside_a_signal_handler(pond, lambda: (seine.close(), boat.trawl()))
    assert isinstance(refused, BusyError)
    assert str(refused).startswith("Boat cannot be used until a Seine that uses it is released: the Seine was closed")
    assert take_log() == ["fish_free"]
    boat.trawl().close()
