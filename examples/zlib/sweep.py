"""The operations of the fault-injection sweep: every function of zlib_safe, succeeding and failing."""

import zlib

import zlib_safe as MODULE
from pytest_leakproof.sweep import Operation

PACKED = zlib.compress(b"text")


def ended() -> MODULE.Compressor:
    compressor = MODULE.Compressor()
    compressor.finish()
    return compressor


def closed() -> MODULE.Compressor:
    compressor = MODULE.Compressor()
    compressor.close()
    return compressor


OPERATIONS = [
    Operation("compressor", MODULE.Compressor),
    Operation("compressor of a level too high", lambda: MODULE.Compressor(99), raises=MODULE.ZlibError),
    Operation("compressor of no level", lambda: MODULE.Compressor("9"), raises=TypeError),
    Operation("compress", lambda it: it.compress(b"text" * 99), setup=MODULE.Compressor),
    Operation("compress text", lambda it: it.compress("text"), setup=MODULE.Compressor, raises=TypeError),
    Operation("compress after the end", lambda it: it.compress(b"x"), setup=ended, raises=MODULE.ZlibError),
    Operation("compress when closed", lambda it: it.compress(b"x"), setup=closed, raises=MODULE.ClosedError),
    Operation("flush", lambda it: it.flush(), setup=MODULE.Compressor),
    Operation("finish", lambda it: it.finish(), setup=MODULE.Compressor),
    Operation("reset", lambda it: it.reset(), setup=ended),
    Operation("copy", lambda it: it.copy(), setup=MODULE.Compressor),
    Operation("decompressor", MODULE.Decompressor),
    Operation("decompressor of no window", lambda: MODULE.Decompressor(window=99), raises=MODULE.ZlibError),
    Operation("decompress", lambda it: it.decompress(PACKED), setup=MODULE.Decompressor),
    Operation(
        "decompress what is none", lambda it: it.decompress(b"none"), setup=MODULE.Decompressor, raises=MODULE.ZlibError
    ),
    Operation("decompressor reset", lambda it: it.reset(), setup=MODULE.Decompressor),
]
