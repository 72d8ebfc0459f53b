"""Two packages in one process. Each has its own copy of the runtime."""

import subprocess
import sys

import standin_safe

PROGRAM = """
import importlib.machinery
import importlib.util
import shutil
import sys
import threading

import standin_safe

# Another file is another package for the dynamic loader.
path = shutil.copy(standin_safe.standin_safe.__file__, sys.argv[1])
loader = importlib.machinery.ExtensionFileLoader("standin_safe", path)
other = importlib.util.module_from_spec(importlib.util.spec_from_loader("standin_safe", loader))
loader.exec_module(other)
assert other.Feed is not standin_safe.Feed

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


def test_callbacks_of_two_packages_do_not_wait_for_each_other(tmp_path):
    name = standin_safe.standin_safe.__file__.rsplit("/", 1)[1]
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / name)], capture_output=True, text=True, timeout=100
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "['BusyError', 'BusyError']\n", "")
