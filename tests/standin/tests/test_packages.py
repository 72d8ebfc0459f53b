"""Two packages in one process. Each has its own copy of the runtime."""

import subprocess
import sys

import standin_safe

OTHER = """
import importlib.machinery
import importlib.util
import shutil
import sys

import standin_safe

# Another file is another package for the dynamic loader.
path = shutil.copy(standin_safe.standin_safe.__file__, sys.argv[1])
loader = importlib.machinery.ExtensionFileLoader("standin_safe", path)
other = importlib.util.module_from_spec(importlib.util.spec_from_loader("standin_safe", loader))
loader.exec_module(other)
assert other.Feed is not standin_safe.Feed
"""

PROGRAM = """
import threading

both = threading.Barrier(2)
feeds, outcomes = [], []


def source_of(index):
    def source():
        both.wait()
        try:
            feeds[1 - index].number()
        except Exception as error:
            outcomes.append(type(error))
        # The feeds stay in use until both have tried.
        both.wait()
        return 1

    return source


feeds += [standin_safe.Feed(source_of(0)), other.Feed(source_of(1))]
thread = threading.Thread(target=feeds[0].number)
thread.start()
feeds[1].number()
thread.join()
print([outcome.__name__ for outcome in outcomes])
"""


MESSAGES = """
ours, theirs = standin_safe.Feed(iter([1]).__next__), other.Feed(iter([2]).__next__)
for package in (standin_safe, other):
    for cls in (package.Handle, package.Error, package.ClosedError, package.Feed):
        assert repr(cls) == f"<class 'standin_safe.{cls.__name__}'>", cls
for call in (
    lambda: ours.share(theirs, print),
    lambda: ours.share(1, print),
    lambda: other.Feed.number(ours),
    lambda: standin_safe.Handle.close(theirs),
):
    try:
        call()
    except TypeError as error:
        print(error)
assert not ours.closed and not theirs.closed
assert ours.number() == 1 and theirs.number() == 2
"""


def run(program, folder):
    """Runs a program to which `other` is the package once more. Returns the lines that it printed."""
    name = standin_safe.standin_safe.__file__.rsplit("/", 1)[1]
    ended = subprocess.run(
        [sys.executable, "-c", OTHER + program, str(folder / name)], capture_output=True, text=True, timeout=100
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.splitlines()


def test_callbacks_of_two_packages_do_not_wait_for_each_other(tmp_path):
    assert run(PROGRAM, tmp_path) == ["['BusyError', 'BusyError']"]


def test_messages_name_the_classes_of_two_modules_of_one_package(tmp_path):
    assert run(MESSAGES, tmp_path) == [
        "Feed expected, not another class of that name: extension modules do not share handles",
        "Feed expected, not int",
        "descriptor 'number' for 'standin_safe.Feed' objects doesn't apply to a 'standin_safe.Feed' object",
        "descriptor 'close' for 'standin_safe.Handle' objects doesn't apply to a 'standin_safe.Feed' object",
    ]
