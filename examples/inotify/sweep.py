"""The operations of the fault-injection sweep: every function of inotify_safe, succeeding and failing."""

import os
import tempfile

import inotify_safe as MODULE
from pytest_leakproof.sweep import Operation

folder = tempfile.TemporaryDirectory()


def watching() -> tuple[MODULE.Watcher, object]:
    watcher = MODULE.Watcher()
    return watcher, watcher.watch(folder.name)


def read(pair: tuple[MODULE.Watcher, object]) -> object:
    os.listdir(folder.name)
    return pair[0].read()


def closed() -> MODULE.Watcher:
    watcher = MODULE.Watcher()
    watcher.close()
    return watcher


OPERATIONS = [
    Operation("watcher", MODULE.Watcher),
    Operation("close", lambda watcher: watcher.close(), setup=MODULE.Watcher),
    Operation("fileno", lambda watcher: watcher.fileno(), setup=MODULE.Watcher),
    Operation("watch", lambda watcher: watcher.watch(folder.name, MODULE.Mask.CREATE), setup=MODULE.Watcher),
    Operation("watch what is missing", lambda watcher: watcher.watch("/no/such"), setup=MODULE.Watcher, raises=OSError),
    Operation("unwatch", lambda pair: pair[0].unwatch(pair[1]), setup=watching, once=True),
    Operation("unwatch nothing", lambda watcher: watcher.unwatch(7), setup=MODULE.Watcher, raises=OSError),
    Operation("read", read, setup=watching),
    Operation("read what is closed", lambda watcher: watcher.read(), setup=closed, raises=MODULE.ClosedError),
]
