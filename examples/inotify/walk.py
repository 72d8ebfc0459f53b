"""What the walk goes along: every function of inotify_safe, succeeding and failing."""

import os
import tempfile

import inotify_safe as MODULE
from pytest_leakproof.walk import Operation

folder = tempfile.TemporaryDirectory()


def watching():
    watcher = MODULE.Watcher()
    return watcher, watcher.watch(folder.name)


def read(pair):
    os.listdir(folder.name)
    return pair[0].read()


def closed():
    watcher = MODULE.Watcher()
    watcher.close()
    return watcher


OPERATIONS = [
    Operation("watcher", MODULE.Watcher),
    Operation("close", lambda watcher: watcher.close(), prepare=MODULE.Watcher),
    Operation("fileno", lambda watcher: watcher.fileno(), prepare=MODULE.Watcher),
    Operation("watch", lambda watcher: watcher.watch(folder.name, MODULE.Mask.CREATE), prepare=MODULE.Watcher),
    Operation("watch what is missing", lambda watcher: watcher.watch("/no/such"), prepare=MODULE.Watcher, fails=OSError),
    Operation("unwatch", lambda pair: pair[0].unwatch(pair[1]), prepare=watching, once=True),
    Operation("unwatch nothing", lambda watcher: watcher.unwatch(7), prepare=MODULE.Watcher, fails=OSError),
    Operation("read", read, prepare=watching),
    Operation("read what is closed", lambda watcher: watcher.read(), prepare=closed, fails=MODULE.ClosedError),
]
