"""What the walk goes along: every function of zlib_safe, succeeding and failing."""

import zlib

import zlib_safe as MODULE
from pytest_leakproof.walk import Operation

PACKED = zlib.compress(b"text")


def ended():
    compressor = MODULE.Compressor()
    compressor.finish()
    return compressor


def closed():
    compressor = MODULE.Compressor()
    compressor.close()
    return compressor


OPERATIONS = [
    Operation("compressor", MODULE.Compressor),
    Operation("compressor of a level too high", lambda: MODULE.Compressor(99), fails=MODULE.ZlibError),
    Operation("compressor of no level", lambda: MODULE.Compressor("9"), fails=TypeError),
    Operation("compress", lambda it: it.compress(b"text" * 99), prepare=MODULE.Compressor),
    Operation("compress text", lambda it: it.compress("text"), prepare=MODULE.Compressor, fails=TypeError),
    Operation("compress after the end", lambda it: it.compress(b"x"), prepare=ended, fails=MODULE.ZlibError),
    Operation("compress when closed", lambda it: it.compress(b"x"), prepare=closed, fails=MODULE.ClosedError),
    Operation("flush", lambda it: it.flush(), prepare=MODULE.Compressor),
    Operation("finish", lambda it: it.finish(), prepare=MODULE.Compressor),
    Operation("reset", lambda it: it.reset(), prepare=ended),
    Operation("copy", lambda it: it.copy(), prepare=MODULE.Compressor),
    Operation("decompressor", MODULE.Decompressor),
    Operation("decompressor of no window", lambda: MODULE.Decompressor(window=99), fails=MODULE.ZlibError),
    Operation("decompress", lambda it: it.decompress(PACKED), prepare=MODULE.Decompressor),
    Operation("decompress what is none", lambda it: it.decompress(b"none"), prepare=MODULE.Decompressor, fails=MODULE.ZlibError),
    Operation("decompressor reset", lambda it: it.reset(), prepare=MODULE.Decompressor),
]
