"""Builds the trivial C library's wrappers into one folder, optimized as packages are shipped.

usage: build.py OUTPUT [WRAPPER...]

Without names, all wrappers are built. cargo takes the interpreter that PYO3_PYTHON names, as maturin does, so that the
dependencies are shared with the other builds.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
LIBRARY = FOLDER / "counter" / "counter.c"
PYTHON_HEADERS = sysconfig.get_path("include")
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
CC = os.environ.get("CC", "cc")
CXX = os.environ.get("CXX", "c++")
SHARED = ["-shared", "-fPIC", "-DNDEBUG"]


def run(*command: str | Path, environment: dict[str, str] | None = None) -> None:
    subprocess.run(list(map(str, command)), check=True, env=os.environ | (environment or {}))


def headers(*more: Path) -> list[str]:
    return [f"-I{folder}" for folder in (PYTHON_HEADERS, LIBRARY.parent, *more)]


def compiled_library(output: Path) -> Path:
    """Compiles the library apart from its wrappers, so that no compiler inlines it."""
    target = output / "counter.o"
    run(CC, "-O2", "-fPIC", "-c", LIBRARY, "-o", target)
    return target


def build_c(output: Path) -> None:
    source = FOLDER / "c" / "counter_c.c"
    run(CC, "-O2", *SHARED, *headers(), source, compiled_library(output), "-o", output / f"counter_c{SUFFIX}")


def build_nanobind(output: Path) -> None:
    """Follows the commands of nanobind's own `nb_combined.cpp`."""
    command = [sys.executable, "-m", "nanobind", "--include_dir"]
    root = Path(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()).parent
    options = ["-std=c++17", "-fvisibility=hidden", "-fPIC", "-DNDEBUG", "-DNB_COMPACT_ASSERTIONS"]
    options += headers(root / "include", root / "ext" / "robin_map" / "include")
    shared, binding = output / "nanobind.o", output / "counter_nanobind.o"
    sections = ["-ffunction-sections", "-fdata-sections"]
    run(CXX, *options, *sections, "-O3", "-fno-strict-aliasing", "-c", root / "src" / "nb_combined.cpp", "-o", shared)
    run(CXX, *options, "-O2", "-c", FOLDER / "nanobind" / "counter_nanobind.cpp", "-o", binding)
    target = output / f"counter_nanobind{SUFFIX}"
    run(CXX, "-shared", "-Wl,--gc-sections", binding, shared, compiled_library(output), "-o", target)


def build_cython(output: Path) -> None:
    source = output / "counter_cython.c"
    run(sys.executable, "-m", "cython", "-3", FOLDER / "cython" / "counter_cython.pyx", "-o", source)
    run(CC, "-O2", *SHARED, *headers(), source, compiled_library(output), "-o", output / f"counter_cython{SUFFIX}")


def build_cffi(output: Path) -> None:
    run(sys.executable, FOLDER / "cffi" / "build_cffi.py", output, LIBRARY.with_suffix(".h"), LIBRARY)
    shutil.copy(FOLDER / "cffi" / "counter_cffi.py", output)


def build_rust(name: str) -> Callable[[Path], None]:
    def build(output: Path) -> None:
        target = Path(os.environ.get("CARGO_TARGET_DIR", FOLDER.parent / "target"))
        package = f"counter-{name}"
        # maturin sets this variable, too. Without it, the module would be linked against libpython.
        environment = {"PYO3_BUILD_EXTENSION_MODULE": "1"}
        environment["PYO3_PYTHON"] = os.environ.get("PYO3_PYTHON", sys.executable)
        run("cargo", "build", "--quiet", "--release", "--package", package, environment=environment)
        shutil.copy(target / "release" / f"libcounter_{name}.so", output / f"counter_{name}{SUFFIX}")

    return build


WRAPPERS: dict[str, Callable[[Path], None]] = {
    "c": build_c,
    "nanobind": build_nanobind,
    "pyo3": build_rust("pyo3"),
    "cython": build_cython,
    "cffi": build_cffi,
    "leakproof": build_rust("leakproof"),
}


def main() -> None:
    output = Path(sys.argv[1]).resolve()
    output.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or WRAPPERS:
        print(f"benchmarks: building {name}", flush=True)
        WRAPPERS[name](output)


if __name__ == "__main__":
    main()
