"""The ways in which a sweep makes calls fail: at leakproof's fail points, or by allocations that fail."""

from __future__ import annotations

import ctypes
import importlib
import os
import subprocess
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Literal, Protocol, get_args

from .plan import FaultInjection, Plan, SweepError

__all__ = [
    "ALLOCATORS",
    "PLACE_VARIABLE",
    "Allocator",
    "Fault",
    "Faults",
    "build_shim",
    "excused_places",
    "faults_of",
    "place_of",
    "with_shim",
]

# The method, the C function and the kind of the fail point at which a fault was injected.
Fault = tuple[str, str, str]

Allocator = Literal["python", "library", "extension"]
ALLOCATORS: tuple[Allocator, ...] = get_args(Allocator)

SHIM_VARIABLE = "LEAKPROOF_FAILING_MALLOC"
PLACE_VARIABLE = "LEAKPROOF_FAILED_AT"
SHIM = "failing_malloc.so"
SOURCE = Path(__file__).parent / "failing_malloc.c"
# More allocations than this are not counted when the sweep looks whether one has failed already.
MOST_ALLOCATIONS = 1_000_000


class Faults(Protocol):
    """Lets the `n`-th occasion to fail, counted from `arm`, fail."""

    def arm(self, n: int) -> None: ...

    def disarm(self) -> Fault | None:
        """Ends the injection. Returns the fault that was injected, if any."""

    def is_excused(self) -> bool:
        """Returns whether the C library itself misbehaves after the fault that was injected last."""


class FailPoints:
    """The fail points of a module that was built with the feature `fault-injection`."""

    def __init__(self, injection: FaultInjection) -> None:
        self.arm = injection.arm_fault
        self.disarm = injection.disarm_fault

    def is_excused(self) -> bool:
        return False


class AllocationFaults:
    """Allocations that fail: at odd fail points one, at even ones that one and all later ones.

    With a `density`, steps grow with the number of the allocation: of ten times as many allocations, about
    `2.3 * density` more fail.
    """

    def __init__(self, allocator: Allocator, density: int) -> None:
        self._kind = f"allocation: {allocator}"
        self._density = density
        self._numbers = [1]
        self._point = 0

    def arm(self, n: int) -> None:
        self._point = n
        self.start(self._number((n - 1) // 2), persistent=n % 2 == 0)

    def _number(self, index: int) -> int:
        while index >= len(self._numbers):
            last = self._numbers[-1]
            self._numbers.append(last + max(1, last // self._density if self._density else 0))
        return self._numbers[index]

    def disarm(self) -> Fault | None:
        failed = self.stop()
        # All that fails once also fails for good.
        return ("", "", self._kind) if failed or self._point % 2 == 0 else None

    def is_excused(self) -> bool:
        return False

    def start(self, n: int, persistent: bool) -> None:
        """Lets the `n`-th allocation from now on fail."""
        raise NotImplementedError

    def stop(self) -> bool:
        """Lets allocations succeed again. Returns whether one has failed."""
        raise NotImplementedError


class PythonAllocations(AllocationFaults):
    """Allocations of the interpreter, by `_testcapi.set_nomemory`."""

    def __init__(self, density: int) -> None:
        super().__init__("python", density)
        try:
            _testcapi = importlib.import_module("_testcapi")
        except ImportError as error:
            raise SweepError("this Python has no _testcapi, which lets its allocations fail") from error
        self._api = _testcapi

    def start(self, n: int, persistent: bool) -> None:
        self._n = n
        self._api.set_nomemory(n - 1, 0 if persistent else n)

    def stop(self) -> bool:
        # CPython does not tell whether one has failed: if not, one of these does.
        try:
            for _ in range(min(self._n + 1, MOST_ALLOCATIONS)):
                object()
        except MemoryError:
            return False
        finally:
            self._api.remove_mem_hooks()
        return True


class NativeAllocations(AllocationFaults):
    """Calls of `malloc`, `calloc` and `realloc` by the C libraries, or by the extension module itself."""

    def __init__(self, plan: Plan, allocator: Allocator, density: int, excused: Set[str]) -> None:
        super().__init__(allocator, density)
        self._excused = excused
        path = os.environ.get(SHIM_VARIABLE)
        if path is None:
            raise SweepError(
                f"{SHIM_VARIABLE} does not name the library that build_shim made and LD_PRELOAD has loaded"
            )
        self._shim = ctypes.CDLL(path)
        self._shim.failing_malloc_watch.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
        self._shim.failing_malloc_arm.argtypes = [ctypes.c_long, ctypes.c_int]
        self._shim.failing_malloc_disarm.restype = ctypes.c_long
        folder = Path(plan.module.__file__ or "").parent
        watched = set()
        for file, start, end in executable_mappings():
            is_own = file == Path(plan.module.__file__ or "") or (file.parent == folder and is_extension(file))
            if is_own if allocator == "extension" else is_library(file, Path(path)):
                watched.add(file.name)
                if self._shim.failing_malloc_watch(start, end) != 0:
                    raise SweepError("too many libraries are loaded")
        if not watched:
            raise SweepError(f"no code is loaded whose allocations could fail ({allocator})")
        print(f"allocations of {', '.join(sorted(watched))} fail")

    def start(self, n: int, persistent: bool) -> None:
        self._shim.failing_malloc_arm(n, persistent)

    def stop(self) -> bool:
        failures: int = self._shim.failing_malloc_disarm()
        return failures > 0

    def is_excused(self) -> bool:
        return bool(self._excused) and place_of(os.environ[PLACE_VARIABLE], self._point) in self._excused


def is_extension(file: Path) -> bool:
    """Returns whether a file of a package is an extension module, and no library that the package brings along."""
    return file.suffix == ".so" and not file.name.startswith("lib")


def is_library(file: Path, shim: Path) -> bool:
    """Returns whether a file is a C library that is neither Python's nor the system's allocator."""
    own = (
        "libc.so",
        "libc-",
        "ld-linux",
        "libpthread",
        "libdl",
        "libpython",
        "libffi",
        "libstdc++",
        "libgcc_s",
        "libm.so",
    )
    return (
        file.name.startswith("lib")
        and ".so" in file.name
        and not file.name.startswith(own)
        and ".cpython-" not in file.name
        and file != shim
    )


def executable_mappings() -> Iterator[tuple[Path, int, int]]:
    """Iterates over the mapped files with code: file, first address, end."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and "x" in fields[1] and fields[5].startswith("/"):
            first, end = (int(part, 16) for part in fields[0].split("-"))
            yield Path(fields[5]), first, end


def place_of(file: str | Path, fail_point: int) -> str:
    """Returns how and where an allocation failed, as `excused_places` lists it."""
    try:
        place = Path(file).read_text(errors="replace").strip()
    except FileNotFoundError:
        place = ""
    return f"{'one' if fail_point % 2 else 'all'} {place}"


def excused_places(program: str, environment: dict[str, str]) -> Set[str]:
    """Returns the places at which a C program found that the library itself misbehaves."""
    command = [program, environment[PLACE_VARIABLE]]
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if ended.returncode != 0:
        raise SweepError(f"{program} ended with status {ended.returncode}")
    return {line.strip() for line in ended.stdout.splitlines()}


def with_shim(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Returns the environment in which the loader loads the library that `build_shim` made in `folder` first."""
    shim = folder / SHIM
    preload = " ".join(filter(None, [str(shim), environment.get("LD_PRELOAD")]))
    places = {SHIM_VARIABLE: str(shim), PLACE_VARIABLE: str(folder / "failed-at")}
    return {**environment, "LD_PRELOAD": preload, **places}


def build_shim(folder: Path) -> Path:
    """Compiles the library that makes allocations fail into `folder`. Raises `SweepError` without a C compiler."""
    library = folder / SHIM
    compiler = os.environ.get("CC", "cc")
    try:
        command = [compiler, "-shared", "-fPIC", "-O2", "-fno-builtin", "-o", str(library), str(SOURCE)]
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise SweepError(f"there is no C compiler {compiler}, for a malloc that fails") from error
    except subprocess.CalledProcessError as error:
        raise SweepError(f"{SOURCE.name} does not compile:\n{error.stderr}") from error
    return library


def faults_of(
    plan: Plan, allocator: Allocator | None = None, density: int = 0, excused: Set[str] = frozenset()
) -> Faults:
    """Returns what makes calls fail: an allocator, or the module's fail points."""
    match allocator:
        case None:
            return FailPoints(plan.fault_injection)
        case "python":
            return PythonAllocations(density)
        case _:
            return NativeAllocations(plan, allocator, density, excused)
