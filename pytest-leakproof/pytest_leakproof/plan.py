"""The plan of a fault-injection sweep: a package and its operations."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, Protocol, cast

__all__ = ["START", "FaultInjection", "Operation", "Plan", "Position", "SweepError", "load", "site_name"]


class SweepError(Exception):
    """The sweep can't begin."""


@dataclass(frozen=True)
class Operation:
    """Something that the package can do.

    `raises` is the exception that `call` raises when no fault is injected. `setup` runs before, without a fault, and
    its result is the argument of `call`. With `swallows` the operation may handle an injected fault by itself. With
    `once` it can't be called a second time with the same argument.
    """

    name: str
    call: Callable[..., object]
    raises: type[BaseException] | tuple[type[BaseException], ...] | None = None
    setup: Callable[[], object] | None = None
    swallows: bool = False
    once: bool = False


class Position(NamedTuple):
    """An operation of the plan and one of its fail points. The first is 1; 0 is the run without a fault."""

    operation: int
    fail_point: int


START = Position(0, 1)


class FaultInjection(Protocol):
    """The attribute `__leakproof__` of a module that was built with the feature `fault-injection`."""

    def live_handles(self) -> dict[str, int]: ...
    def call_sites(self) -> list[tuple[str, str, bool]]: ...
    def arm_fault(self, n: int) -> None: ...
    def disarm_fault(self) -> tuple[str, str, str] | None: ...


@dataclass(frozen=True)
class Plan:
    """A package and its operations.

    `blocks` returns the number of blocks that the C library has allocated; without it, the bytes of the process are
    counted. `unreachable` maps call sites that no operation can reach to the reason. `without_memory` maps
    operations that are left out while allocations fail to the reason; a key is the allocator and the name, with `*`.
    """

    module: ModuleType
    operations: Sequence[Operation]
    blocks: Callable[[], int] | None = None
    unreachable: Mapping[str, str] = field(default_factory=dict)
    without_memory: Mapping[str, str] = field(default_factory=dict)

    @property
    def fault_injection(self) -> FaultInjection:
        """The module's fault injection. Raises `SweepError` if it was built without."""
        found = getattr(self.module, "__leakproof__", None)
        if not hasattr(found, "arm_fault"):
            raise SweepError(f"{self.module.__name__} was not built with leakproof's feature fault-injection")
        return cast(FaultInjection, found)


def load(path: str | Path) -> Plan:
    """Loads the plan that a file defines: `MODULE`, `OPERATIONS`, and optionally `blocks`, `UNREACHABLE` and
    `WITHOUT_MEMORY`.
    """
    names = vars(_execute(Path(path)))
    for name in ("MODULE", "OPERATIONS"):
        if name not in names:
            raise SweepError(f"{path} does not define {name}")
    module = names["MODULE"]
    if isinstance(module, str):
        module = importlib.import_module(module)
    operations: Iterable[Operation] = names["OPERATIONS"]
    optional = names.get("blocks"), names.get("UNREACHABLE", {}), names.get("WITHOUT_MEMORY", {})
    return Plan(module, list(operations), *optional)


def _execute(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("__operations__", path)
    if spec is None or spec.loader is None:
        raise SweepError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    # The file can import its neighbors, as a script can.
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except FileNotFoundError as error:
        raise SweepError(str(error)) from error
    return module


def site_name(method: str, function: str) -> str:
    """Returns the name of a call site in reports."""
    return f"{method} {function}".rstrip()
