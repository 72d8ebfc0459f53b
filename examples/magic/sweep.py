"""The operations of the fault-injection sweep: every function of magic_safe, succeeding and failing."""

import tempfile
from pathlib import Path

import magic_safe as MODULE
from pytest_leakproof.sweep import Operation

folder = tempfile.TemporaryDirectory()
no_database = Path(folder.name, "database")
no_database.write_bytes(b"no magic in here\xff\n")


def closed() -> MODULE.Magic:
    magic = MODULE.Magic()
    magic.close()
    return magic


OPERATIONS = [
    Operation("open", MODULE.Magic),
    Operation("open with a bad database", lambda: MODULE.Magic(no_database), raises=MODULE.MagicError),
    Operation("open with no database", lambda: MODULE.Magic("/no/such/place"), raises=MODULE.MagicError),
    Operation("file", lambda magic: magic.file("/"), setup=MODULE.Magic),
    Operation(
        "file that is missing", lambda magic: magic.file("/no/such"), setup=MODULE.Magic, raises=MODULE.MagicError
    ),
    Operation("file of a closed one", lambda magic: magic.file("/"), setup=closed, raises=MODULE.ClosedError),
    Operation("buffer", lambda magic: magic.buffer(b"%PDF-1.7"), setup=MODULE.Magic),
    Operation("buffer of text", lambda magic: magic.buffer("text"), setup=MODULE.Magic, raises=TypeError),
]
