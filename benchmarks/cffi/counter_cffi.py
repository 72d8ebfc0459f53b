"""The trivial C library of the benchmarks, wrapped with cffi (API mode) and a class."""

from _counter_cffi import ffi, lib


class Dial:
    __slots__ = ("_owner", "_raw")

    def __init__(self, owner: "Counter") -> None:
        self._raw = lib.counter_dial(owner._raw)
        self._owner = owner

    def get(self) -> int:
        return lib.dial_get(self._raw)


class Counter:
    __slots__ = ("_raw",)

    def __init__(self, start: int) -> None:
        raw = lib.counter_new(start)
        if not raw:
            raise RuntimeError("counter_new failed")
        self._raw = ffi.gc(raw, lib.counter_free)

    @property
    def value(self) -> int:
        return self._raw.value

    def get(self) -> int:
        return lib.counter_get(self._raw)

    def plus(self, n: int) -> int:
        return lib.counter_plus(self._raw, n)

    def scaled(self, factor: int, offset: int) -> int:
        return lib.counter_scaled(self._raw, factor, offset)

    def matches(self, text: str) -> int:
        return lib.counter_matches(self._raw, text.encode())

    def name(self) -> str:
        return ffi.string(lib.counter_name(self._raw)).decode()

    def dial(self) -> Dial:
        return Dial(self)

    @staticmethod
    def sum(a: int, b: int) -> int:
        return lib.counter_sum(a, b)

    def add(self, n: int) -> int:
        return lib.counter_add(self._raw, n)
