"""The classes of a package: whose they are, and that nobody changes them."""

import ast
import inspect
from pathlib import Path

import pytest
import standin_safe
from standin_safe import Handle, List, Store

PACKAGES = [
    "xml_safe",
    "cairo_safe",
    "curl_safe",
    "expat_safe",
    "inotify_safe",
    "jansson_safe",
    "lmdb_safe",
    "magic_safe",
    "sqlite_safe",
    "zlib_safe",
]
EXPORTED = {name: each for name, each in vars(standin_safe).items() if isinstance(each, type)}
HANDLES = [cls for cls in EXPORTED.values() if issubclass(cls, Handle)]


@pytest.mark.parametrize("cls", EXPORTED.values(), ids=EXPORTED)
def test_class_has_the_module_of_its_package(cls):
    assert cls.__module__ == "standin_safe"
    # The classes of flags have three forms in the supported versions of Python.
    words = ["class 'standin_safe.", "flag '", "enum '"]
    assert repr(cls) in [f"<{word}{cls.__name__}'>" for word in words]


def test_classes_that_are_not_exported_belong_to_the_package_too():
    numbers = List()
    for instance in (iter(numbers), Store().item().memory.obj):
        assert type(instance).__module__ == "standin_safe"


@pytest.mark.parametrize("cls", HANDLES)
def test_handle_classes_are_immutable(cls):
    with pytest.raises(TypeError, match=f"immutable type '?standin_safe.{cls.__name__}"):
        cls.close = None
    with pytest.raises(TypeError, match="immutable type"):
        cls.__module__ = "elsewhere"
    with pytest.raises(TypeError, match="immutable type"):
        del cls.closed
    with pytest.raises(TypeError):
        cls.__bases__ = (object,)


def test_the_base_class_cannot_be_called_and_can_be_extended():
    with pytest.raises(TypeError):
        Handle()

    class Extended(Handle):
        pass

    Extended.more = 1
    assert issubclass(Extended, Handle)


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_in_one_process_have_their_own_base_classes(name):
    other = pytest.importorskip(name)
    for base in ("Handle", "Error", "ClosedError", "BusyError"):
        theirs = getattr(other, base)
        assert theirs is not getattr(standin_safe, base)
        assert not issubclass(theirs, getattr(standin_safe, base))
        assert theirs.__module__.split(".")[0] == name
    assert issubclass(other.ClosedError, other.Error) and issubclass(other.ClosedError, ValueError)


def stub_of(module):
    """The stubs are written beside the module: `_native.pyi`, or `__init__.pyi` of a package without Python files."""
    path = Path(module.__file__)
    stub = path.with_name(path.name.split(".")[0] + ".pyi")
    return stub if stub.exists() else None


def stubs_of(name):
    package = pytest.importorskip(name)
    modules = [package, *(each for each in vars(package).values() if inspect.ismodule(each))]
    found = [(module, stub) for module in modules if (stub := stub_of(module))]
    if not found:
        pytest.skip("built without stubs")
    return found


def docstrings_in(nodes):
    """Yields each string that documents something: that of a class or function, or behind an attribute."""
    for node in nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value
        yield from docstrings_in(getattr(node, "body", []))


@pytest.mark.parametrize("name", ["standin_safe", *PACKAGES])
def test_no_docstring_of_a_stub_is_empty(name):
    for _, stub in stubs_of(name):
        found = list(docstrings_in(ast.parse(stub.read_text()).body))
        assert len(found) > 10
        empty = [line for line, text in found if not text.strip()]
        assert not empty, f"{stub} has empty docstrings in the lines {empty}"


@pytest.mark.parametrize("cls", EXPORTED.values(), ids=EXPORTED)
def test_no_docstring_of_a_class_is_empty(cls):
    documented = [cls, *(member for name, member in vars(cls).items() if not name.startswith("_"))]
    empty = [each for each in documented if getattr(each, "__doc__", None) == ""]
    assert not empty


def defined(nodes):
    return [node.name for node in nodes if isinstance(node, (ast.ClassDef, ast.FunctionDef))]


@pytest.mark.parametrize("name", ["standin_safe", *PACKAGES])
def test_stubs_list_only_what_the_build_has(name):
    for module, stub in stubs_of(name):
        body = ast.parse(stub.read_text()).body
        missing = [member for member in defined(body) if not hasattr(module, member)]
        assert not missing, f"{stub} has {missing}"
        for cls in body:
            if isinstance(cls, ast.ClassDef):
                missing = [member for member in defined(cls.body) if not hasattr(getattr(module, cls.name), member)]
                assert not missing, f"{stub} has {missing} in {cls.name}"


@pytest.mark.parametrize("name", ["standin_safe", *PACKAGES])
def test_stubs_list_all_classes_and_methods(name):
    for module, stub in stubs_of(name):
        body = ast.parse(stub.read_text()).body
        classes = {cls.name: defined(cls.body) for cls in body if isinstance(cls, ast.ClassDef)}
        for cls in vars(module).values():
            if isinstance(cls, type) and issubclass(cls, module.Handle):
                methods = [each for each, value in vars(cls).items() if not each.startswith("_") and callable(value)]
                missing = [each for each in methods if each not in classes[cls.__name__]]
                assert not missing, f"{stub} lacks {missing} in {cls.__name__}"
