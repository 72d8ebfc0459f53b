"""What a walk goes along: the operations of a package."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

__all__ = ["Operation", "Plan", "WalkError", "load"]


class WalkError(Exception):
    """The walk can't begin."""


@dataclass(frozen=True)
class Operation:
    """Something that the package can do.

    `fails` is what it raises when nothing is injected. `prepare` runs before, with nothing injected, and what it
    returns is the argument of `call`. With `swallows` the operation may handle an injected failure by itself; with
    `once` it can't be called again with the same argument.
    """

    name: str
    call: Callable[..., object]
    fails: type[BaseException] | tuple[type[BaseException], ...] | None = None
    prepare: Callable[[], object] | None = None
    swallows: bool = False
    once: bool = False


class Faults(Protocol):
    """What `__leakproof__` has in a build with fault injection."""

    def live_handles(self) -> dict[str, int]: ...
    def call_sites(self) -> list[tuple[str, str, bool]]: ...
    def arm_fault(self, n: int) -> None: ...
    def disarm_fault(self) -> tuple[str, str, str] | None: ...


@dataclass(frozen=True)
class Plan:
    """A package, its operations, and what to know about it.

    `blocks` returns how many blocks the C library has allocated, by default it is asked for the bytes of the process;
    `ignore` maps call sites that no operation can reach
    to the reason.
    """

    module: ModuleType
    operations: Sequence[Operation]
    blocks: Callable[[], int] | None = None
    ignore: Mapping[str, str] = field(default_factory=dict)

    @property
    def faults(self) -> Faults:
        """The module's fault injection."""
        faults = getattr(self.module, "__leakproof__", None)
        if not hasattr(faults, "arm_fault"):
            raise WalkError(f"{self.module.__name__} was not built with leakproof's feature fault-injection")
        return cast(Faults, faults)


def load(path: str | Path) -> Plan:
    """The plan that a file defines: `MODULE`, `OPERATIONS`, and maybe `blocks` and `ignore`."""
    names = vars(_execute(Path(path)))
    for name in ("MODULE", "OPERATIONS"):
        if name not in names:
            raise WalkError(f"{path} does not define {name}")
    module = names["MODULE"]
    if isinstance(module, str):
        module = importlib.import_module(module)
    operations: Iterable[Operation] = names["OPERATIONS"]
    return Plan(module, list(operations), names.get("blocks"), names.get("ignore", {}))


def _execute(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("__operations__", path)
    if spec is None or spec.loader is None:
        raise WalkError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    # Its neighbours can be imported, as from a script.
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except FileNotFoundError as error:
        raise WalkError(str(error)) from error
    return module
