"""The operations of the fault-injection sweep: every function of jansson_safe, succeeding and failing."""

import io
import tempfile
from pathlib import Path

import jansson_safe as MODULE
from jansson_safe import Value, loads
from pytest_leakproof.sweep import Operation

folder = tempfile.TemporaryDirectory()
GOOD = Path(folder.name, "good.json")
GOOD.write_text('{"name": [1, 2.5, "text", true, false, null]}')
PLAIN = {"name": ["text", 1, 2.5, True, None, {"a": (1,)}]}
DEEP = "[" * 2048 + "]" * 2048


def whole() -> Value:
    return Value(PLAIN)


def array() -> Value:
    return Value([1, [2], {"a": 3}])


def deeper() -> Value:
    it = Value([])
    with loads(DEEP) as deep:
        it.append(deep)
    return it


def closed() -> Value:
    it = Value([])
    it.close()
    return it


def pair(it: Value) -> Value:
    """Puts a value into an array that is in another one."""
    with it[1] as inner, Value({"x": 1}) as value:
        inner.append(value)
    return it


def cycle(it: Value) -> None:
    with it[1] as inner:
        inner.append(it)


def set_all(it: Value) -> None:
    with it[2] as members, Value("new") as value:
        members["b"] = value
        members["a"] = value
        it[0] = value
        it.insert(-1, value)
        del members["a"]
        del it[0]


def update(it: Value) -> None:
    with Value({"name": 1, "more": 2}) as other:
        it.update(other)


def extend(it: Value) -> None:
    with Value([1, [2]]) as other:
        it.extend(other)


def read(it: Value) -> object:
    with it["name"] as name:
        return name[0], it.get("name"), it.get("none"), it.keys(), it.values(), it.items(), "name" in it, len(it)


def truth(it: Value) -> list[bool]:
    return [bool(each) for each in it]


def fail(text: bytes) -> None:
    raise ZeroDivisionError


OPERATIONS = [
    Operation("loads", lambda: loads('{"a": [1, 2.5, "x", true, false, null]}')),
    Operation("loads of bytes", lambda: loads(b"[]", reject_duplicates=True, int_as_real=True)),
    Operation("loads of no JSON", lambda: loads("[1,"), raises=MODULE.JSONDecodeError),
    Operation("loads of no text", lambda: loads(1), raises=TypeError),
    Operation("load", lambda: MODULE.load(io.BytesIO(b'{"a": [1, 2]}').read)),
    Operation("load of no JSON", lambda: MODULE.load(io.BytesIO(b"[1,").read), raises=MODULE.JSONDecodeError),
    Operation("load of text", lambda: MODULE.load(io.StringIO("[1]").read), raises=TypeError),
    Operation("load_file", lambda: MODULE.load_file(GOOD)),
    Operation("load_file that is missing", lambda: MODULE.load_file("/no/such"), raises=MODULE.JSONDecodeError),
    Operation("new", whole),
    Operation("new of what is no JSON", lambda: Value([1, object()]), raises=TypeError),
    Operation("to_python", lambda it: it.to_python(), setup=whole),
    Operation("truth", truth, setup=lambda: Value([[], "", 0, 0.0, True, None])),
    Operation("kind", lambda it: (it.kind, it.owners), setup=whole),
    Operation("read", read, setup=whole),
    Operation("read what is missing", lambda it: it["none"], setup=whole, raises=KeyError),
    Operation("read out of range", lambda it: it[9], setup=array, raises=IndexError),
    Operation("length of a number", len, setup=lambda: Value(1), raises=TypeError),
    Operation("read when closed", lambda it: it[0], setup=closed, raises=MODULE.ClosedError),
    Operation("iterate over names", list, setup=whole),
    Operation("iterate over elements", list, setup=array),
    Operation("set", set_all, setup=array, once=True),
    Operation("append", pair, setup=array, once=True),
    Operation("append a cycle", cycle, setup=array, raises=ValueError),
    Operation("update", update, setup=whole, once=True),
    Operation("extend", extend, setup=array, once=True),
    Operation("clear an array", lambda it: it.clear(), setup=array, once=True),
    Operation("clear an object", lambda it: it.clear(), setup=whole, once=True),
    Operation("copy", lambda it: it.copy(), setup=whole),
    Operation("deep_copy", lambda it: it.deep_copy(), setup=whole),
    Operation("equals", lambda it: it.equals(Value(PLAIN)), setup=whole),
    Operation("dumps", lambda it: it.dumps(indent=2, sort_keys=True, ensure_ascii=True), setup=whole),
    Operation("dumps too deep", lambda it: it.dumps(), setup=deeper, raises=RecursionError),
    Operation("dump", lambda it: it.dump(bytes, compact=True), setup=array),
    Operation("dump fails", lambda it: it.dump(fail), setup=array, raises=ZeroDivisionError),
    Operation("dump_file", lambda it: it.dump_file(Path(folder.name, "out.json")), setup=whole),
    Operation("dump_file nowhere", lambda it: it.dump_file("/no/such"), setup=whole, raises=FileNotFoundError),
]
