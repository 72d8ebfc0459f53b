"""Jansson: values in values, texts, each way to fail, and that nothing is left."""

import gc
import io
import json
import os
import random
import threading

import jansson_safe
import pytest
from jansson_safe import (
    BusyError,
    ClosedError,
    Error,
    JSONDecodeError,
    Kind,
    Value,
    live_handles,
    load,
    load_file,
    loads,
)

PLAIN = {
    "none": None,
    "truth": [True, False],
    "numbers": [0, -(2**63), 2**63 - 1, 0.5, -1e300],
    "text": "é\0€𝄞",
    "": {},
}
DEEPEST = 2048


@pytest.fixture(autouse=True)
def nothing_is_left():
    yield
    gc.collect()
    assert live_handles() == {"Value": 0}


def nested(depth):
    """Objects in objects, `depth` levels in all."""
    value = Value({})
    for _ in range(depth - 1):
        outer = Value({})
        outer["a"] = value
        value = outer
    return value


def run_on_threads(*functions):
    failures = []

    def run(function):
        try:
            function()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.fixture
def on_a_small_stack():
    """Runs functions on a thread with so little stack that a function which recurses ends the process."""
    before = threading.stack_size(192 * 1024)
    yield run_on_threads
    threading.stack_size(before)


# ---- kinds and conversions


@pytest.mark.parametrize(
    ("plain", "kind"),
    [
        ({}, Kind.OBJECT),
        ([], Kind.ARRAY),
        ((), Kind.ARRAY),
        ("text", Kind.STRING),
        (7, Kind.INTEGER),
        (7.0, Kind.REAL),
        (True, Kind.TRUE),
        (False, Kind.FALSE),
        (None, Kind.NULL),
    ],
)
def test_kinds(plain, kind):
    with Value(plain) as value:
        assert value.kind is kind
        again = value.to_python()
        assert again == (list(plain) if plain == () else plain)
        assert type(again) is (list if plain == () else type(plain))
        assert loads(value.dumps()).equals(value)


def test_a_value_of_plain_objects_and_back():
    value = Value(PLAIN)
    assert value.to_python() == PLAIN
    assert list(value.to_python()) == list(PLAIN)
    assert json.loads(value.dumps()) == PLAIN


@pytest.mark.parametrize("plain", [[], {}, "", 0, 0.0, False, None, [0], {"": 0}, "0", 1, 0.1, True])
def test_truth_is_that_of_the_plain_object(plain):
    assert bool(Value(plain)) is bool(plain)


@pytest.mark.parametrize(
    ("plain", "error"),
    [
        (object(), TypeError),
        ([1, {"a": object()}], TypeError),
        ({1: 2}, TypeError),
        (2**63, OverflowError),
        (float("nan"), ValueError),
        ([float("-inf")], ValueError),
        ("\ud800", UnicodeEncodeError),
        ({"\ud800": 1}, UnicodeEncodeError),
        ({"a\0b": 1}, ValueError),
    ],
)
def test_an_object_that_json_has_not_raises(plain, error):
    with pytest.raises(error):
        Value(plain)


def test_a_list_that_contains_itself_raises():
    endless = [[]]
    endless[0].append(endless)
    with pytest.raises(RecursionError, match="contains itself"):
        Value(endless)


# ---- objects


def test_an_object_is_a_mapping():
    value = Value({"b": 1, "a": [2]})
    assert len(value) == 2 and list(value) == value.keys() == ["b", "a"]
    assert [each.to_python() for each in value.values()] == [1, [2]]
    assert [(name, each.to_python()) for name, each in value.items()] == [("b", 1), ("a", [2])]
    assert "a" in value and "c" not in value
    assert value["a"].to_python() == value.get("a").to_python() == [2]
    assert value.get("c") is None
    value["c"] = Value("new")
    value["b"] = Value(None)
    del value["a"]
    assert value.to_python() == {"b": None, "c": "new"}
    value.update(Value({"c": 3, "d": 4}))
    assert value.to_python() == {"b": None, "c": 3, "d": 4}
    value.clear()
    assert len(value) == 0 and not value


def test_a_member_that_is_missing_raises():
    value = Value({"a": 1})
    with pytest.raises(KeyError) as caught:
        value["é"]
    assert caught.value.args == ("é",)
    with pytest.raises(KeyError):
        del value["b"]
    assert value.to_python() == {"a": 1}


@pytest.mark.parametrize(("name", "error"), [("a\0", ValueError), ("\ud800", UnicodeEncodeError), (b"a", TypeError)])
def test_a_name_that_no_object_can_have_raises(name, error):
    value = Value({})
    for use in (
        lambda: value[name],
        lambda: value.__setitem__(name, Value(1)),
        lambda: value.__delitem__(name),
        lambda: name in value,
        lambda: value.get(name),
    ):
        with pytest.raises(error):
            use()


# ---- arrays


def test_an_array_is_a_sequence():
    value = Value([1, 2, 3])
    assert len(value) == 3 and [each.to_python() for each in value] == [1, 2, 3]
    assert value[0].to_python() == value[-3].to_python() == 1
    value[-1] = Value("last")
    value.append(Value("more"))
    value.insert(0, Value("first"))
    value.insert(-1, Value("before the last"))
    value.insert(99, Value("end"))
    value.insert(-99, Value("start"))
    assert value.to_python() == ["start", "first", 1, 2, "last", "before the last", "more", "end"]
    del value[1], value[-1]
    value.extend(Value([[], {}]))
    assert value.to_python() == ["start", 1, 2, "last", "before the last", "more", [], {}]
    value.clear()
    assert value.to_python() == []


@pytest.mark.parametrize("index", [3, -4, 2**62, -(2**63)])
def test_an_index_out_of_range_raises(index):
    value = Value([1, 2, 3])
    for use in (lambda: value[index], lambda: value.__setitem__(index, Value(1)), lambda: value.__delitem__(index)):
        with pytest.raises(IndexError):
            use()


def test_another_kind_raises():
    array, members, number = Value([1]), Value({"a": 1}), Value(1)
    for use in (
        lambda: array["a"],
        lambda: array.keys(),
        lambda: array.values(),
        lambda: array.items(),
        lambda: array.get("a"),
        lambda: "a" in array,
        lambda: array.__setitem__("a", number),
        lambda: array.update(members),
        lambda: members.update(array),
        lambda: array.extend(members),
        lambda: members[0],
        lambda: members.append(number),
        lambda: members.insert(0, number),
        lambda: members.extend(array),
        lambda: members.__delitem__(0),
        lambda: len(number),
        lambda: list(number),
        lambda: number.clear(),
        lambda: array[1.5],
        lambda: array[0:1],
        lambda: array.append(1),
    ):
        with pytest.raises(TypeError):
            use()
    assert (array.to_python(), members.to_python(), number.to_python()) == ([1], {"a": 1}, 1)


# ---- values that are shared


def test_owners_are_handles_and_containers():
    inner = Value([1])
    assert inner.owners == 1
    outer = Value({})
    outer["a"] = outer["b"] = inner
    assert inner.owners == 3
    again = outer["a"]
    assert again == inner and again is not inner and hash(again) == hash(inner) and inner.owners == 4
    del outer["b"]
    outer.close()
    assert inner.owners == 2
    inner.close()
    assert again.owners == 1 and again.to_python() == [1]
    with pytest.raises(ClosedError):
        inner.owners


def test_a_change_shows_in_all_containers():
    inner = Value([])
    first, second = Value({}), Value([])
    first["x"] = inner
    second.extend(first_values := Value([1]))
    second.append(inner)
    first["x"].append(Value("new"))
    assert second.to_python() == [1, ["new"]]
    assert first_values.to_python() == [1]


def test_an_element_outlives_its_container():
    element = Value([[1, [2]]])[0]
    gc.collect()
    assert element.to_python() == [1, [2]]


def test_iteration_shows_what_was_there_when_it_began():
    document = Value({"list": [1, 2, 3], "b": 1})
    one, two = document["list"], document["list"]
    seen = []
    for element in one:
        seen.append(element.to_python())
        two.clear()
        two.append(Value("new"))
    assert seen == [1, 2, 3]
    assert one.to_python() == ["new"]
    names = iter(document)
    assert next(names) == "list"
    document.clear()
    document.close()
    assert list(names) == ["b"]


def test_a_copy_shares_what_is_in_the_value():
    value = Value({"a": [1]})
    shallow, deep = value.copy(), value.deep_copy()
    assert shallow != value and shallow["a"] == value["a"] and deep["a"] != value["a"]
    assert value.equals(shallow) and value.equals(deep) and value.equals(value)
    value["a"].append(Value(2))
    assert shallow.to_python() == {"a": [1, 2]} and deep.to_python() == {"a": [1]}
    assert value.equals(shallow) and not value.equals(deep)
    value["b"] = Value(None)
    assert "b" not in shallow


def test_equal_numbers_of_other_kinds_are_not_equal():
    assert not Value(1).equals(Value(1.0)) and not Value(1).equals(Value(True))
    assert Value([{"a": 1, "b": 2}]).equals(Value([{"b": 2, "a": 1}]))


# ---- cycles and depth


def test_a_cycle_is_refused():
    value = Value({"a": [[], {}]})
    array = value["a"]
    before = value.to_python()
    inner, members = array[0], array[1]
    for use in (
        lambda: inner.append(value),
        lambda: inner.append(array),
        lambda: inner.insert(0, value),
        lambda: members.__setitem__("x", value),
        lambda: array.__setitem__(0, value),
        lambda: members.update(value),
        lambda: inner.extend(array),
    ):
        with pytest.raises(ValueError, match="cannot be put into itself"):
            use()
    assert value.to_python() == before
    # The same value twice is no cycle.
    members["x"] = inner
    assert value.to_python() == {"a": [[], {"x": []}]}


def test_a_value_in_a_call_on_itself_is_busy():
    array, members = Value([[]]), Value({})
    for use in (
        lambda: array.append(array),
        lambda: array.extend(array),
        lambda: array[0].append(array[0]),
        lambda: array.__setitem__(0, array),
        lambda: members.update(members),
    ):
        with pytest.raises(BusyError):
            use()
    assert array.to_python() == [[]] and members.to_python() == {}


def test_sharing_at_each_level_takes_no_time():
    """A search that visited each value once for each way to it would take forever here."""
    top = value = Value([])
    for _ in range(60):
        inner = Value([])
        value.append(inner)
        value.append(inner)
        value = inner
    assert top[0] == top[1]
    with pytest.raises(ValueError):
        value.append(top)


def test_depth_is_limited_where_jansson_recurses():
    with nested(DEEPEST) as value:
        assert value.dumps(compact=True) == '{"a":' * (DEEPEST - 1) + "{}" + "}" * (DEEPEST - 1)
        with value.deep_copy() as copy:
            assert value.equals(copy)
        with Value([]) as outer:
            outer.append(value)
            for use in (outer.dumps, outer.deep_copy, lambda: outer.equals(value), lambda: outer.dump(print)):
                with pytest.raises(RecursionError, match="2048"):
                    use()
            with pytest.raises(RecursionError):
                outer.dump_file("/dev/null")


@pytest.mark.parametrize(
    "release",
    [
        Value.close,
        lambda value: value["array"].clear(),
        lambda value: value["array"].__delitem__(0),
        lambda value: value["array"].__setitem__(0, Value(0)),
        lambda value: value.clear(),
        lambda value: value.__delitem__("array"),
        lambda value: value.__setitem__("array", Value(0)),
        lambda value: value.update(Value({"array": 0})),
    ],
)
def test_any_depth_is_released(release, on_a_small_stack):
    """json_decref would recurse 5 000 times."""
    value = Value({"array": []})
    with nested(5000) as deep:
        value["array"].append(deep)
    on_a_small_stack(lambda: release(value))
    value.close()


def test_any_depth_is_converted(on_a_small_stack):
    deep = nested(5000)
    on_a_small_stack(lambda: deep.to_python())
    on_a_small_stack(deep.close)


# ---- texts


def test_dumps():
    value = Value({"b": [1, "é"], "a": {}})
    assert value.dumps() == '{"b": [1, "é"], "a": {}}'
    assert value.dumps(sort_keys=True) == '{"a": {}, "b": [1, "é"]}'
    assert value.dumps(compact=True) == '{"b":[1,"é"],"a":{}}'
    assert value.dumps(ensure_ascii=True) == '{"b": [1, "\\u00E9"], "a": {}}'
    assert value.dumps(indent=2) == json.dumps(value.to_python(), indent=2, ensure_ascii=False)
    assert Value("text").dumps() == '"text"'
    with pytest.raises(ValueError, match="31"):
        value.dumps(indent=32)
    with pytest.raises(OverflowError):
        value.dumps(indent=-1)


def test_loads_takes_text_and_bytes():
    assert loads(' {"a" : [1, 1e2, "\\u0000\\ud834\\udd1e"]} ').to_python() == {"a": [1, 100.0, "\0𝄞"]}
    assert loads(b"[1]").to_python() == loads(bytearray(b"[1]")).to_python() == [1]
    assert loads("5").to_python() == 5
    assert loads("[5]", int_as_real=True).dumps() == "[5.0]"
    assert loads('{"a": 1, "a": 2}').to_python() == {"a": 2}
    for no_text in (5, None, [91, 93]):
        with pytest.raises(TypeError):
            loads(no_text)
    with pytest.raises(UnicodeEncodeError):
        loads("\ud800")


@pytest.mark.parametrize(
    ("text", "message", "line", "column", "position", "code"),
    [
        ("", "unexpected token near end of file", 1, 0, 0, 6),
        ('{"é": \n [1,,2]}', "unexpected token near ','", 2, 5, 13, 8),
        ("[1] x", "end of file expected near 'x'", 1, 5, 5, 7),
        (b"[\xff]", "unable to decode byte 0xff", 1, 1, 1, 5),
        ("[9999999999999999999]", "too big integer near '9999999999999999999'", 1, 20, 20, 15),
        ("[1e999]", "real number overflow near '1e999'", 1, 6, 6, 15),
        ('{"a\\u0000": 1}', "NUL byte in object key not supported near '\"a\\u0000\"'", 1, 10, 10, 13),
        ("[" * 2049, "maximum parsing depth reached near '['", 1, 2049, 2049, 2),
    ],
)
def test_a_text_that_is_no_json_raises(text, message, line, column, position, code):
    with pytest.raises(JSONDecodeError) as caught:
        loads(text)
    error = caught.value
    assert (error.message, str(error)) == (message, message)
    assert (error.line, error.column, error.position, error.source) == (line, column, position, "<buffer>")
    assert error.code == code
    assert isinstance(error, Error)


def test_duplicates_are_rejected_if_asked():
    assert JSONDecodeError.__bases__ == (Error, ValueError)
    with pytest.raises(ValueError, match="duplicate object key"):
        loads('{"a": 1, "a": 2}', reject_duplicates=True)


def test_files(tmp_path):
    path = tmp_path / "é.json"
    with Value(PLAIN) as value:
        value.dump_file(path, indent=4)
        with load_file(path) as again:
            assert again.equals(value)
        with pytest.raises(FileNotFoundError):
            value.dump_file(tmp_path / "no" / "folder")
        with pytest.raises(IsADirectoryError):
            value.dump_file(tmp_path)
    path.write_bytes(b"[1,\n")
    with pytest.raises(JSONDecodeError) as caught:
        load_file(path)
    assert caught.value.source == str(path) and caught.value.line == 2
    with pytest.raises(JSONDecodeError, match="No such file"):
        load_file(tmp_path / "nothing")


def test_load_reads_pieces():
    text = Value(PLAIN).dumps().encode()
    asked = []

    def read_one(count):
        asked.append(count)
        return text[len(asked) - 1 : len(asked)]

    for read in (io.BytesIO(text).read, read_one):
        with load(read) as value:
            assert value.to_python() == PLAIN
    assert len(asked) > len(text) / 2 and min(asked) > 0
    with load(io.BytesIO(b"[" + b"1," * 10000 + b"1]").read) as value:
        assert len(value) == 10001
    with load(io.BytesIO(b"[1]").read, int_as_real=True) as value:
        assert value.to_python() == [1.0]


@pytest.mark.parametrize(
    ("read", "error"),
    [
        (io.BytesIO(b"[1,").read, JSONDecodeError),
        (io.BytesIO(b"").read, JSONDecodeError),
        (lambda count: b"1" * (count + 1), ValueError),
        (lambda count: "text", TypeError),
        (lambda count: 1 // 0, ZeroDivisionError),
        (None, TypeError),
    ],
)
def test_load_of_what_cannot_be_read(read, error):
    with pytest.raises(error):
        load(read)


def test_dump_writes_pieces():
    value = Value({"a": ["é", 1]})
    pieces = []
    value.dump(pieces.append)
    assert len(pieces) > 3 and b"".join(pieces).decode() == value.dumps()
    with pytest.raises(ZeroDivisionError):
        value.dump(lambda piece: 1 // 0)


def test_a_value_cannot_be_changed_while_it_is_written():
    value = Value([1, [2]])
    inner = value[1]
    other = Value([])
    for change in (
        lambda piece: value.clear(),
        lambda piece: inner.append(Value(1)),
        lambda piece: other.append(Value(1)),
        lambda piece: value.close(),
    ):
        with pytest.raises(BusyError):
            value.dump(change)
    value.dump(lambda piece: inner.to_python())
    assert value.to_python() == [1, [2]] and other.to_python() == []


# ---- handles


def test_a_closed_value_raises():
    value, other = Value([]), Value([])
    value.close()
    value.close()
    for use in (lambda: len(value), lambda: value.dumps(), lambda: other.append(value), lambda: value.append(other)):
        with pytest.raises(ClosedError):
            use()
    assert other.to_python() == []


def test_threads_that_change_and_write():
    value = Value([[]])
    inner = value[0]

    def change():
        for number in range(300):
            inner.append(Value(number))
            if number % 10 == 0:
                inner.clear()

    def write():
        for _ in range(300):
            json.loads(value.dumps())
            with value.deep_copy() as copy:
                copy.to_python()

    run_on_threads(change, change, write, write)


def test_a_forked_child_has_a_copy():
    value = Value([1])
    child = os.fork()
    if child == 0:
        value.append(Value(2))
        os._exit(len(value))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    assert value.to_python() == [1]


def test_the_module_names_its_classes():
    assert {"Kind", "Value", "JSONDecodeError", "loads", "load_file"} <= set(jansson_safe.__all__)


def test_threads_change_and_read_shared_values():
    shared = [Value([]), Value({}), Value([[1], {"a": 2}])]
    unexpected = []

    def change(seed):
        chance = random.Random(seed)
        operations = [
            lambda value: value.append(Value(chance.random())),
            lambda value: value.append(chance.choice(shared)),
            lambda value: value[chance.randrange(3)].equals(value),
            lambda value: value.update(chance.choice(shared)),
            lambda value: (value.dumps(), value.to_python(), list(value)),
            lambda value: value.deep_copy().clear(),
            Value.clear,
        ]
        for _ in range(500):
            try:
                chance.choice(operations)(chance.choice(shared))
            except (BusyError, KeyError, IndexError, TypeError, ValueError):
                pass
            except BaseException as error:
                unexpected.append(error)

    threads = [threading.Thread(target=change, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not unexpected
    assert all(json.loads(value.dumps()) == value.to_python() for value in shared)
