"""Programs that tests run in a process of their own."""

import os
from pathlib import Path

import pytest

# A large document, on which LONG works for a while, with the GIL released.
PRELUDE = """
import faulthandler, gc, os, signal, sys, threading, time
import xml_safe
from xml_safe import BusyError, ClosedError
from meanwhile import in_thread, on_wait

LONG = "count(//b[count(//b) > 0])"

def large(size=8000):
    return xml_safe.parse("<a>" + "<b/>" * size + "</a>")

def outcome(call):
    try:
        return call()
    except Exception as error:
        return type(error).__name__
"""
QUIET = {
    name: value
    for name, value in os.environ.items()
    if name not in ("LEAKPROOF_TRACE", "PYTHONDEVMODE", "PYTHONWARNINGS")
}
HANG = 300
TESTS = str(Path(__file__).parent)

in_forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
# The child has half a minute.
FORK = """
def forked(child):
    pid = os.fork()
    if not pid:
        signal.alarm(30)
        child()
        sys.exit(0)
    status = os.waitpid(pid, 0)[1]
    assert status == 0, status
"""
