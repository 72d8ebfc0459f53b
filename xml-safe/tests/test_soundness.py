"""What once went wrong where nobody looked."""

import gc

import pytest
import xml_safe
from xml_safe import BusyError, ParseError, parse, parse_file


@pytest.mark.parametrize("other", [xml_safe.XPathContext, xml_safe.Document, xml_safe.Handle])
def test_a_handle_stays_of_its_class(other):
    """All classes have one layout, so Python would let a node become a context."""
    node = parse("<a/>").root
    with pytest.raises(TypeError):
        node.__class__ = other
    assert node.name == "a"


def test_entities_of_a_dtd_file_are_not_read_either(tmp_path):
    """A document can declare entities through the parameters of the DTD that it names."""
    secret, dtd, document = (tmp_path / name for name in ("secret.txt", "local.dtd", "document.xml"))
    secret.write_text("TOP SECRET")
    dtd.write_text('<!ENTITY % hook ""> %hook;')
    hook = f"<!ENTITY % hook '<!ENTITY f SYSTEM \"{secret.as_uri()}\">'>"
    document.write_text(f'<!DOCTYPE a SYSTEM "{dtd}" [{hook}]><a>&f;</a>')
    try:
        read = parse_file(document, resolve_entities=True, load_dtd=True)
    except ParseError as error:
        assert error.message
    else:
        assert "SECRET" not in read.root.text


def test_a_finalizer_during_an_exception_does_not_wait_for_its_own_call():
    """Making the exception may collect garbage, whose finalizer closes what the call holds."""
    context, seen = parse("<a/>").xpath_new_context(), []

    class Closer:
        def __del__(self):
            try:
                context.close()
            except BusyError as error:
                seen.append(error)

    threshold = gc.get_threshold()
    gc.collect()
    try:
        for _ in range(20):
            cycle = Closer()
            cycle.itself = cycle
            del cycle
            gc.set_threshold(1)
            try:
                context.register_ns("", "u")
            except xml_safe.Error:
                pass
            gc.set_threshold(*threshold)
    finally:
        gc.set_threshold(*threshold)
    gc.collect()
    seen.clear()
