"""Builds what the benchmarks measure into one folder, optimized as packages are shipped.

usage: build.py OUTPUT [NAME...]

The names are those of the trivial C library's wrappers, `xml-safe`, and `raw` for the C program that does what xml-safe
does. Without names, everything is built. cargo takes the interpreter that PYO3_PYTHON names, and the profile that
PROFILE names, by default `dist`.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent
LIBRARY = FOLDER / "counter" / "counter.c"
PYTHON_HEADERS = sysconfig.get_path("include")
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
CC = os.environ.get("CC", "cc")
CXX = os.environ.get("CXX", "c++")
PROFILE = os.environ.get("PROFILE", "dist")
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


def cargo_build(package: str, target: Path) -> None:
    """Builds a package of the workspace, and copies its extension module."""
    folder = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    # maturin sets this variable, too. Without it, the module would be linked against libpython.
    environment = {"PYO3_BUILD_EXTENSION_MODULE": "1"}
    environment["PYO3_PYTHON"] = os.environ.get("PYO3_PYTHON", sys.executable)
    run("cargo", "build", "--quiet", "--profile", PROFILE, "--package", package, environment=environment)
    # In place of the old file: it must not change while a process uses it.
    target.unlink(missing_ok=True)
    shutil.copy(folder / PROFILE / f"lib{package.replace('-', '_')}.so", target)


def build_rust(name: str) -> Callable[[Path], None]:
    return lambda output: cargo_build(f"counter-{name}", output / f"counter_{name}{SUFFIX}")


def build_xml_safe(output: Path) -> None:
    package = output / "packages" / "xml_safe"
    package.mkdir(parents=True, exist_ok=True)
    for source in (ROOT / "xml-safe" / "python" / "xml_safe").glob("*.py"):
        shutil.copy(source, package)
    cargo_build("xml-safe", package / f"_native{SUFFIX}")


def build_raw(output: Path) -> None:
    options = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "libxml-2.0"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.split()
    run(CC, "-O2", FOLDER / "xml" / "raw.c", *options, "-pthread", "-o", output / "raw")


BUILDS: dict[str, Callable[[Path], None]] = {
    "c": build_c,
    "nanobind": build_nanobind,
    "pyo3": build_rust("pyo3"),
    "cython": build_cython,
    "cffi": build_cffi,
    "leakproof": build_rust("leakproof"),
    "xml-safe": build_xml_safe,
    "raw": build_raw,
}


def main() -> None:
    output = Path(sys.argv[1]).resolve()
    output.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or BUILDS:
        print(f"benchmarks: building {name}", flush=True)
        BUILDS[name](output)


if __name__ == "__main__":
    main()
