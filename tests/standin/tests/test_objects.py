"""How the Python objects of handles are made and dropped."""

import gc
import subprocess
import sys
import sysconfig
import weakref

import pytest
from standin_safe import Binder, BusyError, ClosedError, Folder, Paper, Search, live_handles

NONE = dict.fromkeys(live_handles(), 0)
MANY = 1000


def test_class_is_counted_once_for_each_object():
    folder = Folder(1)
    before = sys.getrefcount(Folder), sys.getrefcount(Paper)
    held = [(Folder(n), folder.paper()) for n in range(MANY)]
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        assert (sys.getrefcount(Folder), sys.getrefcount(Paper)) == (before[0] + MANY, before[1] + MANY)
    del held
    assert (sys.getrefcount(Folder), sys.getrefcount(Paper)) == before


def test_view_is_counted_once_in_its_owner():
    folder = Folder(1)
    before = sys.getrefcount(folder)
    papers = [folder.paper() for _ in range(MANY)]
    assert sys.getrefcount(folder) == before + MANY
    del papers
    assert sys.getrefcount(folder) == before


@pytest.mark.parametrize("make", [lambda folder: folder, Folder.paper], ids=["resource", "view"])
def test_weak_reference_is_told_of_the_end_of_its_handle(make):
    ended = []
    owner = [Folder(1)]
    handle = [make(owner[0])]
    weak = weakref.ref(handle[0], ended.append)
    assert weak() is handle[0]
    owner.clear()
    assert not ended
    handle.clear()
    assert ended == [weak]
    assert weak() is None
    assert live_handles() == NONE


def test_last_view_releases_the_owner():
    paper = Folder(7).paper()
    assert live_handles()["Folder"] == 1
    assert paper.number == 7
    del paper
    assert live_handles() == NONE


def test_view_is_made_while_no_finalizer_closes_its_owner():
    folder = Folder(1)
    refused = []

    class Closes:
        def __init__(self):
            self.itself = self

        def __del__(self):
            try:
                folder.close()
            except BusyError as error:
                refused.append(error)

    paper = folder.paper()
    threshold = gc.get_threshold()
    gc.disable()
    gc.set_threshold(1)
    Closes()
    try:
        for _ in range(MANY):
            # Nothing else may make an object between these lines: the collector would run there. From Python 3.12 on, it
            # runs after the call.
            gc.enable()
            try:
                folder.paper()
            except ClosedError:
                pass
            gc.disable()
    finally:
        gc.set_threshold(*threshold)
        gc.enable()
    gc.collect()
    assert not refused
    with pytest.raises(ClosedError):
        _ = paper.number


def test_memory_error_of_a_view_leaves_its_owner_as_it_was():
    testcapi = pytest.importorskip("_testcapi")
    folder = Folder(1)
    # So many that no memory of dropped views is left.
    papers = [folder.paper() for _ in range(MANY)]
    before = sys.getrefcount(folder)
    with pytest.raises(MemoryError):
        try:
            testcapi.set_nomemory(0, 1)
            folder.paper()
        finally:
            testcapi.remove_mem_hooks()
    assert sys.getrefcount(folder) == before
    assert folder.paper().number == papers[0].number == 1


def test_memory_error_of_a_new_handle_releases_the_resource():
    testcapi = pytest.importorskip("_testcapi")
    Folder(1)
    failed = 0
    for start in range(60):
        testcapi.set_nomemory(start, start + 1)
        try:
            Folder(1)
        except MemoryError:
            failed += 1
        finally:
            testcapi.remove_mem_hooks()
        assert live_handles() == NONE
    assert failed


def number_of(folder):
    return folder.paper().number


LEFT_BY_ITS_THREAD = """
import sys, threading, time
from standin_safe import Keepsake, live_handles
reported, views = [], []
sys.unraisablehook = lambda raised: reported.append(raised.exc_value)
thread = threading.Thread(target=lambda: views.append(Keepsake(3).memory))
thread.start()
thread.join()
while not reported:
    time.sleep(0.001)
views.clear()
print(*map(repr, reported), live_handles()["Keepsake"], sep="\\n")
"""


def test_handle_that_memory_kept_open_beyond_its_thread_is_lost_and_reported():
    ended = subprocess.run([sys.executable, "-c", LEFT_BY_ITS_THREAD], capture_output=True, text=True, timeout=60)
    assert ended.stderr == ""
    refused, lost, live = ended.stdout.splitlines()
    assert refused.startswith("BufferError")
    assert lost.startswith("AffinityError") and "only the thread that made it could release it" in lost
    assert live == "1"


def test_constructor_takes_arguments_by_position_and_by_name():
    assert number_of(Folder(3)) == 3
    assert number_of(Folder(number=4)) == 4
    assert number_of(Folder.__new__(Folder, 6)) == 6
    assert number_of(Folder(True)) == 1


@pytest.mark.parametrize(
    ("arguments", "named", "message"),
    [
        ((), {}, "missing 1 required positional argument: 'number'"),
        ((1, 2), {}, "takes 1 positional arguments? but 2 were given"),
        ((1,), {"number": 2}, "got multiple values for argument 'number'"),
        ((), {"size": 2}, "got an unexpected keyword argument 'size'"),
        # PyO3 says which argument in a note, which exceptions have from Python 3.11 on.
        (("one",), {}, "'number'" if sys.version_info >= (3, 11) else "'str' object"),
    ],
)
def test_constructor_refuses_other_arguments(arguments, named, message):
    with pytest.raises(TypeError, match=message):
        Folder(*arguments, **named)
    assert live_handles() == NONE


def test_constructor_refuses_a_number_that_does_not_fit():
    with pytest.raises(OverflowError):
        Folder(1 << 31)
    assert live_handles() == NONE


def test_constructor_refuses_by_position_what_has_to_be_named():
    with pytest.raises(TypeError, match="takes from 0 to 1 positional arguments but 3 were given"):
        Search(1, True, False)
    Search(1, stubborn=True, panics=False)
    # With fault injection, the first call of a direct entry is PyO3's.
    for _ in range(2):
        with pytest.raises(TypeError, match="takes 0 positional arguments but 1 was given"):
            Binder(1)
    Binder(number=1)
    assert live_handles() == NONE
