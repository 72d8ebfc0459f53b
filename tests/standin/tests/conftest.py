import faulthandler
import gc
import os
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import standin_safe


@pytest.fixture(autouse=True)
def watchdog(capfd):
    """End the process with every thread's stack, should the test hang."""
    with capfd.disabled():
        stderr = os.dup(2)
    faulthandler.dump_traceback_later(300, exit=True, file=stderr)
    yield
    faulthandler.cancel_dump_traceback_later()
    os.close(stderr)


@pytest.fixture(autouse=True)
def fresh():
    """Each test begins with the gate open and nothing in the log."""
    gc.collect()
    standin_safe.open_gate()
    standin_safe.take_log()
    yield
    standin_safe.open_gate()


@pytest.fixture
def at_the_gate():
    """Run a call in another thread as long as a block lasts: it waits at the gate; what came of it is in the list."""

    @contextmanager
    def at_the_gate(*calls):
        before = standin_safe.at_gate()
        standin_safe.close_gate()
        results = [None] * len(calls)

        def run(index, call):
            try:
                results[index] = call()
            except BaseException as error:
                results[index] = error

        threads = [threading.Thread(target=run, args=each) for each in enumerate(calls)]
        for thread in threads:
            thread.start()
        while standin_safe.at_gate() < before + len(calls):
            time.sleep(0.001)
        try:
            yield results
        finally:
            standin_safe.open_gate()
            for thread in threads:
                thread.join()

    return at_the_gate


@pytest.fixture
def stub() -> str:
    """The text of the package's stub."""
    path = Path(standin_safe.__file__).with_name("__init__.pyi")
    if not path.exists():
        pytest.skip("built without stubs")
    return path.read_text()
