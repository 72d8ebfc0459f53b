"""Special methods that a class has of its own."""

import ast
import gc
import inspect
import io
import operator

import pytest
import standin_safe
from standin_safe import ClosedError, Deal, Handle, Keepsake, Measure, Pin, Rod, Ruler, live_handles


class Reflected:
    """An operand that knows measures."""

    def __add__(self, other):
        return NotImplemented

    def __radd__(self, other):
        return "reflected"

    def __eq__(self, other):
        return "equal"

    def __gt__(self, other):
        return "greater"


def test_repr_and_str_are_those_of_the_class():
    measure = Measure(3)
    assert repr(measure) == "Measure(3)"
    assert str(measure) == "3 mm"
    with pytest.raises(ValueError, match="no length"):
        str(Measure(0))


def test_hash_is_that_of_the_class():
    assert hash(Measure(7)) == 7
    assert hash(Measure(-1)) == -2
    assert len({Measure(1), Measure(1), Measure(2)}) == 2


def test_equality_without_a_hash_makes_handles_unhashable():
    assert Rod(1) == Rod(1) and Rod(1) != Rod(2)
    with pytest.raises(TypeError, match="unhashable"):
        hash(Rod(1))


def test_init_of_the_class_runs_however_the_arguments_are_passed():
    for _ in range(2):
        assert Ruler(5).length == Ruler(length=5).length == Ruler(*[5]).length == 10
    for arguments, keywords in [((-1,), {}), ((), {"length": -1})]:
        with pytest.raises(ValueError, match="shorter than nothing"):
            Ruler(*arguments, **keywords)
    assert live_handles()["Ruler"] == 0
    ruler = Ruler(5)
    ruler.__init__(1)
    assert ruler.length == 11


def test_comparisons_with_other_types_leave_them_to_the_other_operand():
    measure = Measure(1)
    assert measure.__eq__(3) is NotImplemented
    assert measure.__lt__("x") is NotImplemented
    assert measure.__eq__(Rod(1)) is NotImplemented
    assert (measure == 3) is False and (measure != 3) is True
    assert measure != Rod(1)
    assert (measure == Reflected()) == "equal"
    assert (measure < Reflected()) == "greater"
    with pytest.raises(TypeError, match="'<' not supported between instances of 'standin_safe.Measure' and 'int'"):
        measure < 3


def test_comparisons_of_measures():
    assert Measure(1) == Measure(1) and Measure(1) != Measure(2)
    assert Measure(1) < Measure(2) and Measure(2) > Measure(1)
    assert sorted([Measure(3), Measure(1)]) == [Measure(1), Measure(3)]
    with pytest.raises(ValueError, match="no length"):
        Measure(0) < Measure(1)


def test_operators_with_other_types_leave_them_to_the_other_operand():
    measure = Measure(1)
    assert measure + Reflected() == "reflected"
    assert 3 + measure == 4
    assert measure.__add__(3) is NotImplemented
    with pytest.raises(TypeError, match="unsupported operand type"):
        measure + 3
    with pytest.raises(TypeError, match="unsupported operand type"):
        None + measure
    with pytest.raises(TypeError, match="unsupported operand type"):
        measure % 3


def test_errors_of_an_operand_of_the_right_type_are_raised():
    measure = Measure(1)
    assert measure % "mm" == "mm"
    with pytest.raises(ValueError, match="embedded null character"):
        measure % "m\0m"
    other = Measure(2)
    other.close()
    with pytest.raises(ClosedError):
        measure + other
    with pytest.raises(ClosedError):
        measure == other
    with pytest.raises(ClosedError):
        hash(other)


def test_an_operator_may_take_none_and_have_another_name_in_rust():
    assert Measure(1) | Measure(2) == 2
    assert Measure(1) | None == 1
    assert not hasattr(Measure(1), "longer")
    with pytest.raises(TypeError, match="unsupported operand type"):
        Measure(1) | 3


def test_in_place_operators_return_the_handle():
    measure = same = Measure(1)
    measure += Measure(4)
    assert measure is same and measure.length == 5
    measure *= 2
    assert measure is same and measure.length == 10
    with pytest.raises(TypeError, match="unsupported operand type"):
        measure += "x"
    assert operator.iadd(Measure(1), Reflected()) == "reflected"


def test_a_sum_is_a_handle_of_its_own():
    standin_safe.take_log()
    first, second = Measure(1), Measure(2)
    with first + second as both:
        assert both.length == 3
    assert standin_safe.take_log() == ["measure_new"] * 3 + ["measure_free"]


def test_truth_and_attributes_are_those_of_the_class():
    measure = Measure(2)
    assert measure and not Measure(0)
    measure.length = 5
    assert measure.length == 5
    with pytest.raises(ValueError, match="a measure has no width"):
        measure.width = 1
    del measure.length
    assert measure.length == 0


def test_with_closes_a_handle_that_has_special_methods():
    with Measure(1) as measure:
        assert measure == Measure(1)
    assert measure.closed
    with pytest.raises(ClosedError), measure:
        pass


def test_own_exit_commits_at_the_end_of_the_block():
    standin_safe.take_log()
    with Deal(0) as deal:
        assert type(deal) is Deal and not deal.closed
    assert deal.closed and live_handles()["Deal"] == 0
    assert standin_safe.take_log() == ["session_open", "session_commit"]


def test_own_exit_rolls_back_after_an_exception():
    standin_safe.take_log()
    with pytest.raises(KeyError), Deal(0) as deal:
        raise KeyError
    assert deal.closed and live_handles()["Deal"] == 0
    assert standin_safe.take_log() == ["session_open", "session_abort"]


def test_own_exit_that_fails_leaves_the_handle_open():
    standin_safe.take_log()
    with pytest.raises(standin_safe.Error, match="session_commit"), Deal(7) as deal:
        pass
    assert not deal.closed
    deal.close()
    assert standin_safe.take_log() == ["session_open", "session_abort"]


@pytest.mark.parametrize("end", [Deal.commit, Deal.close])
def test_own_exit_leaves_a_handle_alone_that_the_block_has_closed(end):
    with Deal(0) as deal:
        end(deal)
    assert deal.closed and deal.__exit__(None, None, None) is None
    with pytest.raises(KeyError), Deal(0) as deal:
        end(deal)
        raise KeyError
    with pytest.raises(ClosedError), deal:
        pass


def test_own_enter_returns_the_handle_and_own_exit_may_leave_it_open():
    ruler = Ruler(2)
    with ruler as entered:
        assert entered is ruler and ruler.length == 5
    assert not ruler.closed and ruler.length == 4
    with ruler:
        raise KeyError("handled")
    with pytest.raises(IndexError), ruler:
        raise IndexError
    assert ruler.length == 4
    with ruler:
        ruler.close()
    assert ruler.__exit__(None, None, None) is False
    with pytest.raises(ClosedError), ruler:
        pass
    with pytest.raises(ValueError, match="no length"), Ruler(0):
        pass


def test_stubs_know_an_own_enter_and_exit(stub):
    classes = {node.name: node for node in ast.parse(stub).body if isinstance(node, ast.ClassDef)}
    found = {
        (cls, method.name): ast.unparse(method.returns).strip("'")
        for cls in ("Handle", "Deal", "Ruler")
        for method in classes[cls].body
        if isinstance(method, ast.FunctionDef) and method.name in ("__enter__", "__exit__")
    }
    assert found == {
        ("Handle", "__enter__"): "Self",
        ("Handle", "__exit__"): "bool | None",
        ("Deal", "__exit__"): "None",
        ("Ruler", "__enter__"): "Self",
        ("Ruler", "__exit__"): "bool",
    }


def test_classes_of_handles_are_final_and_their_base_is_not():
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("Longer", (Measure,), {})
    made = []

    class Extended(Handle):
        def __init_subclass__(cls, **kwargs):
            made.append((cls.__name__, kwargs))

    class More(Extended, word=1):
        pass

    assert made == [("More", {"word": 1})]
    assert not issubclass(Pin, Extended) and issubclass(Pin, Handle)
    with pytest.raises(TypeError):
        More()


# ---- the buffer protocol


def test_handle_exports_its_memory_without_a_copy():
    with Keepsake(3) as keepsake:
        assert bytes(keepsake) == bytearray(keepsake) == keepsake.memory
        view = memoryview(keepsake)
        assert view.readonly and view.nbytes == len(keepsake.memory)
        assert io.BytesIO().write(keepsake) == len(keepsake.memory)
        assert b"".join([keepsake, keepsake]) == bytes(keepsake) * 2
        assert keepsake.__buffer__(0) == view
        view.release()


def test_exported_memory_holds_the_handle():
    keepsake = Keepsake(3)
    view = memoryview(keepsake)
    with pytest.raises(BufferError, match="Keepsake is in use by a memoryview"):
        keepsake.close()
    part = view[1:]
    view.release()
    with pytest.raises(BufferError):
        keepsake.close()
    part.release()
    keepsake.close()
    assert live_handles()["Keepsake"] == 0


def test_exported_memory_is_read_only():
    with Keepsake(3) as keepsake:
        with pytest.raises(TypeError):
            io.BytesIO(b"abc").readinto(keepsake)
        with pytest.raises(BufferError):
            keepsake.__buffer__(inspect.BufferFlags.WRITABLE if hasattr(inspect, "BufferFlags") else 1)
        assert bytes(keepsake) == keepsake.memory


def test_closed_handle_exports_nothing():
    keepsake = Keepsake(3)
    keepsake.close()
    for use in (bytes, memoryview, lambda closed: closed.__buffer__(0)):
        with pytest.raises(ClosedError):
            use(keepsake)


def test_handle_dies_after_the_memory_that_it_exports():
    view = memoryview(Keepsake(3))
    gc.collect()
    assert view[0] == 3 and live_handles()["Keepsake"] == 1
    del view
    gc.collect()
    assert live_handles()["Keepsake"] == 0
