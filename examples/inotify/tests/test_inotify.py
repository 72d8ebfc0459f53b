"""inotify: events, numbers that are handed out again, waits that end, and that nothing is left."""

import enum
import errno
import gc
import os
import signal
import threading
import time

import pytest
from inotify_safe import BusyError, ClosedError, Event, Mask, Watcher, live_handles

NONE = {"Watcher": 0}


@pytest.fixture
def watcher():
    with Watcher() as watcher:
        yield watcher


def open_files():
    return len(os.listdir("/proc/self/fd"))


def test_events_of_files_are_read(watcher, tmp_path):
    watch = watcher.watch(tmp_path, Mask.CREATE | Mask.CLOSE_WRITE | Mask.DELETE | Mask.MOVED_FROM | Mask.MOVED_TO)
    path = tmp_path / "né"
    path.write_text("x")
    path.rename(tmp_path / "b")
    (tmp_path / "b").unlink()
    events = watcher.read()
    assert all(isinstance(event, Event) and event.watch == watch for event in events)
    assert [(event.mask, event.name) for event in events] == [
        (Mask.CREATE, "né"),
        (Mask.CLOSE_WRITE, "né"),
        (Mask.MOVED_FROM, "né"),
        (Mask.MOVED_TO, "b"),
        (Mask.DELETE, "b"),
    ]
    assert events[2].cookie == events[3].cookie != 0
    assert isinstance(events[0].mask, enum.IntFlag)


def test_names_of_any_length_and_of_no_encoding(watcher, tmp_path):
    watcher.watch(tmp_path, Mask.CREATE)
    names = ["a" * length for length in (1, 15, 16, 17, 255)] + [os.fsdecode(b"\xff\xfe")]
    for name in names:
        (tmp_path / name).touch()
    assert [event.name for event in watcher.read()] == names


def test_many_events(watcher, tmp_path):
    watcher.watch(tmp_path, Mask.CREATE)
    for number in range(5000):
        (tmp_path / str(number)).touch()
    seen = []
    while len(seen) < 5000:
        seen += [event.name for event in watcher.read()]
    assert seen == [str(number) for number in range(5000)]


def test_the_end_of_a_watch(watcher, tmp_path):
    watch = watcher.watch(str(tmp_path))
    watcher.unwatch(watch)
    [event] = watcher.read()
    assert event.mask is Mask.IGNORED and event.name is None
    with pytest.raises(OSError) as caught:
        watcher.unwatch(watch)
    assert caught.value.errno == errno.EINVAL


def test_errors_are_pythons_own(watcher, tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        watcher.watch(tmp_path / "missing")
    assert caught.value.filename == str(tmp_path / "missing")
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(NotADirectoryError):
        watcher.watch(file, Mask.CREATE | Mask.ONLYDIR)
    with pytest.raises(OSError) as caught:
        watcher.watch(file, 0)
    assert caught.value.errno == errno.EINVAL
    with pytest.raises(ValueError):
        watcher.watch("a\0b")
    with pytest.raises(TypeError):
        watcher.watch(tmp_path, "CREATE")


# ---- numbers


def test_a_number_that_is_handed_out_again_revives_nothing(tmp_path):
    first = Watcher()
    number = first.fileno()
    assert repr(first) == f"<inotify_safe.Watcher {number}>"
    first.close()
    second = Watcher()
    assert second.fileno() == number
    assert first.closed and first != second
    for use in (first.fileno, first.read, lambda: first.watch(tmp_path)):
        with pytest.raises(ClosedError):
            use()
    first.close()
    del first
    gc.collect()
    os.fstat(number)
    assert second.fileno() == number
    second.close()
    with pytest.raises(OSError):
        os.fstat(number)


def test_number_zero_is_a_handle_like_others():
    """Descriptor 0 is valid; only -1 is invalid."""
    saved = os.dup(0)
    try:
        os.close(0)
        watcher = Watcher()
        assert watcher.fileno() == 0 and not watcher.closed
        watcher.watch("/")
        watcher.close()
        assert watcher.closed
    finally:
        os.dup2(saved, 0)
        os.close(saved)


def test_files_are_given_back(tmp_path):
    before = open_files()
    for _ in range(1000):
        Watcher().close()
    with pytest.warns(ResourceWarning, match="unclosed Watcher"):
        Watcher()
    with Watcher() as watcher, pytest.raises(KeyError):
        watcher.watch(tmp_path)
        raise KeyError
    assert open_files() == before and live_handles() == NONE


def test_failed_close_raises_and_closes():
    """The descriptor was closed elsewhere: `close()` raises, and nothing is left to close."""
    watcher = Watcher()
    os.close(watcher.fileno())
    with pytest.raises(OSError) as caught:
        watcher.close()
    assert caught.value.errno == errno.EBADF
    assert watcher.closed and live_handles() == NONE
    watcher.close()


# ---- waiting


def test_others_run_while_one_waits(watcher, tmp_path):
    watcher.watch(tmp_path, Mask.CREATE)
    seen = []
    thread = threading.Thread(target=lambda: seen.extend(watcher.read()))
    thread.start()
    time.sleep(0.05)
    assert thread.is_alive()
    # Beside it, more can be watched.
    watcher.watch("/", Mask.DELETE_SELF)
    (tmp_path / "x").touch()
    thread.join(10)
    assert [event.name for event in seen] == ["x"]


@pytest.mark.parametrize("readers", [1, 3])
def test_close_wakes_waiting_readers(readers):
    watcher = Watcher()
    ended = []

    def read():
        try:
            while True:
                watcher.read()
        except ClosedError:
            ended.append("closed")

    threads = [threading.Thread(target=read) for _ in range(readers)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    start = time.monotonic()
    watcher.close()
    assert time.monotonic() - start < 5
    for thread in threads:
        thread.join(10)
    assert ended == ["closed"] * readers
    assert watcher.closed and live_handles() == NONE


def test_a_signal_handler_runs_while_one_waits(watcher, tmp_path):
    watcher.watch(tmp_path, Mask.CREATE)
    calls = []

    def handle(*_):
        calls.append("handled")
        with pytest.raises(BusyError):
            # It would wait for the read that it has interrupted.
            watcher.close()
        if len(calls) == 2:
            (tmp_path / "x").touch()

    before = signal.signal(signal.SIGALRM, handle)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.03, 0.03)
        [event] = watcher.read()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert event.name == "x" and len(calls) >= 2


def test_a_handler_that_raises_ends_the_wait(watcher, tmp_path):
    watcher.watch(tmp_path, Mask.CREATE)

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.03)
        with pytest.raises(KeyboardInterrupt):
            watcher.read()
    finally:
        signal.signal(signal.SIGALRM, before)
    (tmp_path / "x").touch()
    assert [event.name for event in watcher.read()] == ["x"]
