"""References to entities that are made, or that come from another document."""

import pytest
from xml_safe import live_handles, parse

DECLARED = """<!DOCTYPE r [
<!ENTITY e "text"><!ENTITY unused "a <b k='&gt;>'>b</b>&e;&#33;<!--c--><?p i?><![CDATA[<d>]]>&lt;">
<!NOTATION n SYSTEM "n"><!ENTITY picture SYSTEM "p" NDATA n><!ENTITY outside SYSTEM "x.xml">
<!ENTITY loop "&pool;"><!ENTITY pool "&loop;">]><r>&e;</r>"""
UNREAD = "<!DOCTYPE r SYSTEM 'x.dtd'><r/>"
# Entities that double eight times ten, and have no text.
BOMB = (
    "<!DOCTYPE r [<!ENTITY e0 ''>" + "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 31)) + "]><r/>"
)


@pytest.mark.parametrize("source", ["<r/>", DECLARED, "<!DOCTYPE r SYSTEM 'x.dtd' []><r/>", UNREAD])
@pytest.mark.parametrize("name", ["lt", "gt", "amp", "quot", "apos"])
def test_a_predefined_entity_is_refused(name, source):
    doc = parse(source)
    with pytest.raises(ValueError, match=f'"{name}" cannot be referred to: .*text'):
        doc.create_entity_ref(name)
    assert live_handles()["Node"] == 0


def test_a_predefined_entity_that_is_declared_is_refused():
    doc = parse("<!DOCTYPE r [<!ENTITY lt '&#38;#60;'>]><r>&lt;</r>")
    assert [child.type for child in doc.root.children] == ["text"]
    with pytest.raises(ValueError, match='"lt" cannot be referred to'):
        doc.create_entity_ref("lt")


def test_an_entity_that_was_not_used_has_its_text():
    doc = parse(DECLARED)
    reference = doc.create_entity_ref("unused")
    assert reference.text == "a btext!<d><"
    doc.root.append(reference)
    assert parse(doc.to_string()).root.text == doc.root.text == "texta btext!<d><"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", ""),
        ("&#38;#38;", "&"),
        ("&#38;#x26;x", "&x"),
        ("<a>&#38;lt;</a>", "<"),
        ("<a/>é<b></b>", "é"),
        ("<!-- &e; <b> -->x", "x"),
    ],
)
def test_the_text_is_that_after_parsing(content, text):
    source = f"<!DOCTYPE r [<!ENTITY u '{content}'>]><r>{{}}</r>"
    doc = parse(source.format(""))
    doc.root.append(doc.create_entity_ref("u"))
    assert doc.root.text == parse(source.format("&u;")).root.text == text


def test_an_entity_that_refers_to_itself_is_refused():
    doc = parse(DECLARED)
    with pytest.raises(ValueError, match="in a loop"):
        _ = doc.create_entity_ref("loop").text


def test_entities_without_a_text_end(watchdog):
    doc = parse(BOMB)
    with pytest.raises(OverflowError):
        _ = doc.create_entity_ref("e30").text


def test_an_external_entity_that_was_not_read_has_no_text():
    assert parse(DECLARED).create_entity_ref("outside").text == ""


@pytest.mark.parametrize(
    "source", ["<r/>", DECLARED, "<!DOCTYPE r><r/>", '<?xml version="1.0" standalone="yes"?>' + UNREAD]
)
def test_an_entity_that_is_not_declared_is_refused(source):
    doc = parse(source)
    with pytest.raises(ValueError, match="declares no such entity"):
        doc.create_entity_ref("nope")
    assert live_handles()["Node"] == 0


def test_an_unparsed_entity_is_refused():
    with pytest.raises(ValueError, match="unparsed"):
        parse(DECLARED).create_entity_ref("picture")


def test_a_dtd_that_was_not_read_may_declare_it(tmp_path):
    doc = parse(UNREAD)
    doc.root.append(doc.create_entity_ref("any"))
    assert parse(doc.to_string()).root.to_string() == "<r>&any;</r>"
    # The DTD that was read declares another one.
    (tmp_path / "x.dtd").write_text("<!ENTITY known 'x'>")
    doc = parse(UNREAD, load_dtd=True, external=tmp_path)
    assert doc.create_entity_ref("known").text == "x"
    with pytest.raises(ValueError, match="declares no such entity"):
        doc.create_entity_ref("any")


@pytest.mark.parametrize("source", ["<r>&e;</r>", "<r><a>&e;</a></r>", "<r><a k='&e;'/></r>"])
@pytest.mark.parametrize("how", ["adopt", "append", "import"])
def test_nodes_of_another_document_bring_no_unknown_entity(source, how):
    doc, other = parse("<d/>"), parse("<!DOCTYPE r [<!ENTITY e 'x'>]>" + source)
    root = other.root
    move = {"adopt": doc.adopt_node, "append": doc.root.append, "import": doc.import_node}[how]
    with pytest.raises(ValueError, match="declares no such entity"):
        move(root)
    assert other.root is root and root.to_string() == source.replace("'", '"')
    assert doc.root.to_string() == "<d/>"


def test_a_shallow_copy_has_no_reference_of_its_children():
    doc, other = parse("<d/>"), parse("<!DOCTYPE r [<!ENTITY e 'x'>]><r><a>&e;</a></r>")
    assert doc.import_node(other.root, deep=False).to_string() == "<r/>"
    other.root.text = ""
    with pytest.raises(ValueError, match="declares no such entity"):
        doc.import_node(parse("<!DOCTYPE r [<!ENTITY e 'x'>]><r k='&e;'/>").root, deep=False)


def test_nodes_of_another_document_take_the_declaration_here():
    doc = parse("<!DOCTYPE r [<!ENTITY e 'here'>]><d/>")
    other = parse("<!DOCTYPE r [<!ENTITY e 'there'>]><r>&e;</r>")
    doc.root.append(other.root)
    assert doc.root.text == "here"


@pytest.mark.parametrize("text", [" x", "\tx", "\n"])
def test_a_processing_instruction_begins_with_no_white_space(text):
    doc = parse("<r><?p i?></r>")
    with pytest.raises(ValueError, match="begin with white space"):
        doc.create_pi("a", text)
    with pytest.raises(ValueError, match="begin with white space"):
        doc.root.children[0].text = text
    assert doc.root.to_string() == "<r><?p i?></r>"
    assert parse("<r><?p   i ?></r>").root.children[0].text == "i "
