"""Threads that are inside of a call, and signals that come while a call waits.

A thread that wants the GIL asks the one that has it to let go, after the switch interval. While that is long, a thread runs
until it waits or works without the GIL: when the other one goes on, the first one is there. Nothing sleeps and hopes.
"""

import os
import signal
import sys
import threading
from contextlib import contextmanager

# In seconds: long enough for a call to begin on any machine, and an end if a call never lets go.
LONG_INTERVAL = 30


@contextmanager
def long_interval():
    before = sys.getswitchinterval()
    sys.setswitchinterval(LONG_INTERVAL)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def in_thread(call, *arguments, daemon=False):
    """A thread that waits or works without the GIL in `call`, or has ended."""
    started = threading.Event()

    def work():
        started.set()
        call(*arguments)

    thread = threading.Thread(target=work, daemon=daemon)
    with long_interval():
        thread.start()
        started.wait()
    return thread


def on_wait(call):
    """Have a signal handler of the main thread, which is this one, call `call` when this thread waits next."""
    interval, entering = sys.getswitchinterval(), threading.Event()

    def handler(*_):
        sys.setswitchinterval(interval)
        call()

    def raise_alarm():
        entering.wait()
        os.kill(os.getpid(), signal.SIGALRM)

    signal.signal(signal.SIGALRM, handler)
    threading.Thread(target=raise_alarm, daemon=True).start()
    sys.setswitchinterval(LONG_INTERVAL)
    entering.set()
