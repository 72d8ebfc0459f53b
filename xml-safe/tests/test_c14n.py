"""Canonical XML 1.0 and 1.1, and exclusive canonical XML."""

import io
import threading

import pytest
from documents import deep
from xml_safe import parse

# The examples of the specification "Canonical XML 1.0", section 3, without default attributes.

OUTSIDE = """<?xml version="1.0"?>

<?xml-stylesheet   href="doc.xsl"
   type="text/xsl"   ?>

<!DOCTYPE doc SYSTEM "doc.dtd">

<doc>Hello, world!<!-- Comment 1 --></doc>

<?pi-without-data     ?>

<!-- Comment 2 -->

<!-- Comment 3 -->
"""
OUTSIDE_CANONICAL = """<?xml-stylesheet href="doc.xsl"
   type="text/xsl"   ?>
<doc>Hello, world!</doc>
<?pi-without-data?>"""
OUTSIDE_WITH_COMMENTS = """<?xml-stylesheet href="doc.xsl"
   type="text/xsl"   ?>
<doc>Hello, world!<!-- Comment 1 --></doc>
<?pi-without-data?>
<!-- Comment 2 -->
<!-- Comment 3 -->"""

SPACE = "<doc>\n   <clean>   </clean>\n   <dirty>   A   B   </dirty>\n   <mixed>\n      A\n      <clean>   </clean>\n   </mixed>\n</doc>"

TAGS = """<doc>
   <e1   />
   <e2   ></e2>
   <e3   name = "elem3"   id="elem3"   />
   <e4   name="elem4"   id="elem4"   ></e4>
   <e5 a:attr="out" b:attr="sorted" attr2="all" attr="I'm"
      xmlns:b="http://www.ietf.org"
      xmlns:a="http://www.w3.org"
      xmlns="http://example.org"/>
   <e6 xmlns="" xmlns:a="http://www.w3.org">
      <e7 xmlns="http://www.ietf.org">
         <e8 xmlns="" xmlns:a="http://www.w3.org">
            <e9 xmlns="" xmlns:a="http://www.ietf.org"/>
         </e8>
      </e7>
   </e6>
</doc>"""
TAGS_CANONICAL = """<doc>
   <e1></e1>
   <e2></e2>
   <e3 id="elem3" name="elem3"></e3>
   <e4 id="elem4" name="elem4"></e4>
   <e5 xmlns="http://example.org" xmlns:a="http://www.w3.org" xmlns:b="http://www.ietf.org" attr="I'm" attr2="all" \
b:attr="sorted" a:attr="out"></e5>
   <e6 xmlns:a="http://www.w3.org">
      <e7 xmlns="http://www.ietf.org">
         <e8 xmlns="">
            <e9 xmlns:a="http://www.ietf.org"></e9>
         </e8>
      </e7>
   </e6>
</doc>"""

CHARACTERS = """<!DOCTYPE doc [
<!ATTLIST normId id ID #IMPLIED>
<!ATTLIST normNames attr NMTOKENS #IMPLIED>
]>
<doc>
   <text>First line&#x0d;&#10;Second line</text>
   <value>&#x32;</value>
   <compute><![CDATA[value>"0" && value<"10" ?"valid":"error"]]></compute>
   <compute expr='value>"0" &amp;&amp; value&lt;"10" ?"valid":"error"'>valid</compute>
   <norm attr=' &apos;   &#x20;&#13;&#xa;&#9;   &apos; '/>
   <normNames attr='   A   &#x20;&#13;&#xa;&#9;   B   '/>
   <normId id=' &apos;   &#x20;&#13;&#xa;&#9;   &apos; '/>
</doc>"""
CHARACTERS_CANONICAL = """<doc>
   <text>First line&#xD;
Second line</text>
   <value>2</value>
   <compute>value&gt;"0" &amp;&amp; value&lt;"10" ?"valid":"error"</compute>
   <compute expr="value>&quot;0&quot; &amp;&amp; value&lt;&quot;10&quot; ?&quot;valid&quot;:&quot;error&quot;">valid</compute>
   <norm attr=" '    &#xD;&#xA;&#x9;   ' "></norm>
   <normNames attr="A &#xD;&#xA;&#x9; B"></normNames>
   <normId id="' &#xD;&#xA;&#x9; '"></normId>
</doc>"""

ENTITIES = """<!DOCTYPE doc [
<!ENTITY ent1 "Hello">
<!ENTITY ent2 "world">
]>
<doc attrExtEnt="ent2">
   &ent1;, &ent2;!
</doc>

<!-- Let world.txt contain "world" (excluding the quotes) -->"""
ENTITIES_CANONICAL = '<doc attrExtEnt="ent2">\n   Hello, world!\n</doc>'

EXAMPLES = {
    "outside of the document element": (OUTSIDE, OUTSIDE_CANONICAL),
    "white space": (SPACE, SPACE),
    "tags": (TAGS, TAGS_CANONICAL),
    "characters": (CHARACTERS, CHARACTERS_CANONICAL),
    "entities": (ENTITIES, ENTITIES_CANONICAL),
    "UTF-8": (b'<?xml version="1.0" encoding="ISO-8859-1"?>\n<doc>&#169;</doc>', "<doc>©</doc>"),
}


@pytest.mark.parametrize(("xml", "canonical"), EXAMPLES.values(), ids=EXAMPLES)
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_examples_of_the_specification(xml, canonical, version):
    doc = parse(xml, resolve_entities=True)
    assert doc.to_c14n(version=version).decode() == canonical
    for write in (doc.write_c14n, doc.xpathEval("/")[0].write_c14n):
        file = io.BytesIO()
        write(file, version=version)
        assert file.getvalue().decode() == canonical
    # The canonical form is its own.
    assert parse(canonical).to_c14n(version=version).decode() == canonical


def test_comments():
    doc = parse(OUTSIDE)
    assert doc.to_c14n(comments=True).decode() == OUTSIDE_WITH_COMMENTS
    assert doc.to_c14n(comments=False).decode() == OUTSIDE_CANONICAL
    assert doc.root.to_c14n(comments=True) == b"<doc>Hello, world!<!-- Comment 1 --></doc>"
    assert doc.root.to_c14n() == b"<doc>Hello, world!</doc>"
    assert doc.to_c14n(exclusive=True, comments=True).decode() == OUTSIDE_WITH_COMMENTS


# The example of the specification "Exclusive XML Canonicalization", section 2.2.

ENVELOPE = """<n0:local xmlns:n0="foo:bar" xmlns:n3="ftp://example.org">
  <n1:elem2 xmlns:n1="http://example.net" xml:lang="en">
     <n3:stuff xmlns:n3="ftp://example.org"/>
  </n1:elem2>
</n0:local>"""
INCLUSIVE = """<n1:elem2 xmlns:n0="foo:bar" xmlns:n1="http://example.net" xmlns:n3="ftp://example.org" xml:lang="en">
     <n3:stuff></n3:stuff>
  </n1:elem2>"""
EXCLUSIVE = """<n1:elem2 xmlns:n1="http://example.net" xml:lang="en">
     <n3:stuff xmlns:n3="ftp://example.org"></n3:stuff>
  </n1:elem2>"""


def test_the_example_of_exclusive_canonical_xml():
    part = next(iter(parse(ENVELOPE).root))
    assert part.to_c14n().decode() == INCLUSIVE
    assert part.to_c14n(version="1.1").decode() == INCLUSIVE
    assert part.to_c14n(exclusive=True).decode() == EXCLUSIVE
    assert part.to_c14n(exclusive=True, inclusive_prefixes=[]).decode() == EXCLUSIVE
    assert part.to_c14n(exclusive=True, inclusive_prefixes=["n0", "n3"]).decode() == INCLUSIVE
    assert part.to_c14n(exclusive=True, inclusive_prefixes=["n3", "unknown"]).decode() == INCLUSIVE.replace(
        ' xmlns:n0="foo:bar"', ""
    )


@pytest.mark.parametrize("default", ["#default", ""])
def test_the_default_namespace_is_a_prefix(default):
    part = next(iter(parse("<a xmlns='urn:a' xmlns:p='urn:p'><p:b><p:c/></p:b></a>").root))
    assert part.to_c14n(exclusive=True) == b'<p:b xmlns:p="urn:p"><p:c></p:c></p:b>'
    assert part.to_c14n(exclusive=True, inclusive_prefixes=(default,)) == (
        b'<p:b xmlns="urn:a" xmlns:p="urn:p"><p:c></p:c></p:b>'
    )


def test_attributes_that_an_element_inherits():
    xml = "<a xml:base='http://e.org/x/' xml:id='i' xml:lang='en'><b xml:base='y/'><c xml:space='preserve'/></b></a>"
    part = next(iter(parse(xml).root))
    assert part.to_c14n(version="1.0") == (
        b'<b xml:base="y/" xml:id="i" xml:lang="en"><c xml:space="preserve"></c></b>'
    )
    assert part.to_c14n(version="1.1") == (
        b'<b xml:base="http://e.org/x/y/" xml:lang="en"><c xml:space="preserve"></c></b>'
    )
    assert part.to_c14n(exclusive=True) == b'<b xml:base="y/"><c xml:space="preserve"></c></b>'


def paths(node, found):
    for child in node:
        found.append(child)
        paths(child, found)
    return found


def test_every_element_of_a_document():
    """The canonical form of a part is that of a document with the part alone."""
    xml = "<a><b k='v'><c>x<d/>y<e><f/><!--z--></e></c><g/></b>t<h><i/><?p?></h><!--u--></a>"
    doc = parse(xml)
    for element in [doc.root, *paths(doc.root, [])]:
        alone = parse(element.to_string())
        for options in ({}, {"comments": True}, {"version": "1.1"}, {"exclusive": True}):
            assert element.to_c14n(**options) == alone.to_c14n(**options)


def test_errors():
    doc = parse("<!DOCTYPE a [<!ENTITY e 'x'>]><a k='v'>&e;<!--c--><b xmlns:p='rel'/></a>")
    for write in (doc.to_c14n, doc.root.to_c14n, lambda: doc.write_c14n(io.BytesIO())):
        with pytest.raises(ValueError, match="no entity references: .* resolve_entities=True"):
            write()
    with pytest.raises(ValueError, match="no relative namespace URIs"):
        next(iter(parse("<a><b xmlns:p='rel'/></a>").root)).to_c14n()
    with pytest.raises(ValueError, match="no relative namespace URIs"):
        parse("<a xmlns='rel'/>").to_c14n()
    for node in doc.root.xpathEval("@k | node()[not(self::b)]"):
        with pytest.raises(ValueError, match="only a document or an element"):
            node.to_c14n()


BAD = [
    ({"version": "2.0"}, ValueError, 'version must be one of "1.0", "1.1", not "2.0"'),
    ({"version": 1.0}, TypeError, "must be a str, not float"),
    ({"version": "1.1", "exclusive": True}, ValueError, 'the version "1.0" only'),
    ({"inclusive_prefixes": ["a"]}, ValueError, "needs exclusive=True"),
    ({"inclusive_prefixes": "ab", "exclusive": True}, TypeError, "inclusive_prefixes"),
    ({"inclusive_prefixes": [1], "exclusive": True}, TypeError, "inclusive_prefixes"),
    ({"inclusive_prefixes": ["a\0"], "exclusive": True}, ValueError, "NUL"),
    ({"comments": "yes"}, TypeError, "comments"),
]


@pytest.mark.parametrize(("options", "error", "message"), BAD, ids=map(str, BAD))
def test_bad_options(tmp_path, options, error, message):
    doc, path = parse("<a/>"), tmp_path / "a.xml"
    for place in (doc, doc.root):
        with pytest.raises(error, match=message):
            place.to_c14n(**options)
        with pytest.raises(error, match=message):
            place.write_c14n(path, **options)
    assert not path.exists()


def test_deep_trees():
    (doc, depth), texts = deep(10_000), []

    def write():
        file = io.BytesIO()
        doc.write_c14n(file)
        texts.extend([doc.to_c14n(), doc.root.to_c14n(exclusive=True), file.getvalue()])

    before = threading.stack_size(256 << 10)
    try:
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert texts == [b"<a>" * depth + b"x" + b"</a>" * depth] * 3


def test_an_element_that_is_in_no_tree():
    doc = parse("<a><b><c/></b></a>")
    part, made = next(iter(doc.root)), doc.create_element("d")
    part.remove()
    for element in (part, next(iter(part)), made):
        with pytest.raises(ValueError, match="not in the tree of its document"):
            element.to_c14n()
    doc.root.append(part)
    part.append(made)
    assert part.to_c14n() == b"<b><c></c><d></d></b>"
    assert doc.to_c14n() == b"<a><b><c></c><d></d></b></a>"


@pytest.mark.slow
def test_very_deep_trees():
    doc, depth = deep(100_000)
    assert doc.to_c14n() == b"<a>" * depth + b"x" + b"</a>" * depth
