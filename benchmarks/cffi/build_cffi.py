"""Compiles `_counter_cffi` (API mode). usage: build_cffi.py OUTPUT HEADER SOURCE"""

import re
import sys
from pathlib import Path

from cffi import FFI

output, header, source = map(Path, sys.argv[1:])
text = header.read_text()
# cffi's parser knows no preprocessor.
declarations = re.search(r"typedef.*counter_add[^;]*;", text, re.DOTALL)
assert declarations is not None
ffi = FFI()
ffi.cdef(declarations.group())
ffi.set_source(
    "_counter_cffi",
    '#include "counter.h"',
    sources=[str(source)],
    include_dirs=[str(header.parent)],
    extra_compile_args=["-O2"],
)
ffi.compile(tmpdir=str(output))
