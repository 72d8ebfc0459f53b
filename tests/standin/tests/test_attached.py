"""A call that is not marked `detach` has the GIL, also where its thread gave it up."""

import threading
from collections.abc import Callable, Iterator

import pytest
from standin_safe import BusyError, Error, Gauge, Told, live_handles


def test_call_in_a_detached_body_has_the_gil() -> None:
    gauge = Gauge()
    assert gauge.attached() == 1
    assert gauge.detached() == 0
    assert gauge.in_body() == [1, 0, 1, 0]
    assert gauge.attached() == 1


def test_call_in_a_callback_of_a_detached_call_has_the_gil() -> None:
    gauge = Gauge()
    assert gauge.in_callback() == 1
    assert gauge.in_callback_in_body() == 1


def test_call_whose_error_asks_has_the_gil_on_a_thread_of_cs() -> None:
    assert Gauge().in_callback_aside() == (0, 1)


def test_field_in_a_detached_body_is_read_with_the_gil() -> None:
    assert Gauge().reads_attached()


def test_release_and_retain_in_a_detached_body_have_the_gil() -> None:
    Gauge.release_in_body()
    assert Gauge.counted() == 1
    assert Gauge.retain_in_body() == 1
    assert Gauge.counted() == 1


def test_detached_release_in_a_detached_body_takes_no_gil() -> None:
    Gauge.release_detached_in_body()
    assert Gauge.counted() == 0


def test_detached_release_in_a_detached_body_does_not_wait_for_the_gil(at_the_gate) -> None:
    Gauge.counted()
    with at_the_gate(Gauge.release_detached_at_the_gate):
        assert Gauge.open_gate_until_release()
    assert Gauge.counted() == 0


@pytest.mark.parametrize("threads", [4])
def test_detached_bodies_of_several_threads_end(threads: int) -> None:
    gauge, found = Gauge(), []

    def run() -> None:
        for _ in range(200):
            found.append(gauge.in_body())

    all_threads = [threading.Thread(target=run) for _ in range(threads)]
    for thread in all_threads:
        thread.start()
    for thread in all_threads:
        thread.join()
    assert found == [[1, 0, 1, 0]] * 200 * threads


def test_use_that_is_refused_without_the_gil_raises_busy_error() -> None:
    with pytest.raises(BusyError, match="^Shared is in use"):
        Gauge.meet_in_body()
    with pytest.raises(BusyError, match="^Shared is in use"):
        Gauge().meet_in_callback()


@pytest.fixture
def tell() -> Iterator[Callable[[object], None]]:
    yield Told.tell
    Told.tell(None)


@pytest.mark.parametrize(
    ("method", "when", "fails"),
    [
        ("check", "before", True),
        ("check", "error", True),
        ("check_alone", "before", True),
        ("check_alone", "error", True),
        ("check_condition", "fails", True),
        ("add_told", "argument", False),
    ],
)
def test_code_of_a_call_that_closes_its_handle_does_not_wait_for_the_call(tell, method, when, fails) -> None:
    told, outcome = Told(), []

    def close(now: str) -> None:
        if now == when:
            with pytest.raises(BusyError):
                told.close()
            outcome.append(now)

    def call() -> None:
        try:
            getattr(told, method)()
        except Error as error:
            outcome.append(str(error))

    tell(close)
    # A thread that waits for itself would hang the test.
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(20)
    assert outcome == [when, *["gauge_attached failed"] * fails]
    told.close()
    assert told.closed
    assert live_handles()["Told"] == 0


def test_errors_of_a_release_may_close_the_handle(tell) -> None:
    told, outcome = Told(), []

    def close(now: str) -> None:
        outcome.append(now)
        with pytest.raises(BusyError):
            told.close()

    tell(close)
    told.close()
    assert outcome == ["before"]
    assert told.closed


def test_errors_may_close_another_handle(tell) -> None:
    told, other = Told(), Gauge()
    tell(lambda now: other.close())
    with pytest.raises(Error, match="gauge_attached failed"):
        told.check()
    assert other.closed
