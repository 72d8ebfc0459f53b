"""Writing HTML and XHTML: the rules are the caller's choice, and never a DOCTYPE's."""

from html.parser import HTMLParser

import pytest
from xml_safe import Document, parse

XHTML = "http://www.w3.org/1999/xhtml"
DOCTYPES = {
    "none": "",
    "html": "<!DOCTYPE html>",
    "XHTML": '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">',
    "HTML 4": '<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">',
}
every_doctype = pytest.mark.parametrize("doctype", DOCTYPES.values(), ids=DOCTYPES)
every_namespace = pytest.mark.parametrize("namespace", ["", f' xmlns="{XHTML}"'], ids=["no namespace", "XHTML"])


def html(xml, **options):
    return parse(xml).root.to_string(method="html", **options)


def xhtml(xml, **options):
    return parse(xml).root.to_string(method="xhtml", **options)


@every_doctype
@every_namespace
def test_the_rules_are_those_that_the_caller_chose(doctype, namespace):
    body = '<head><title/><meta name="q"/></head><body><p/><br/><a name="q">&lt;</a></body>'
    doc = parse(f"{doctype}<html{namespace}>{body}</html>")
    expected = {
        "xml": body,
        "xhtml": '<head><title></title><meta name="q" /></head><body><p></p><br /><a name="q">&lt;</a></body>',
        "html": '<head><title></title><meta name="q"></head><body><p></p><br><a name="q">&lt;</a></body>',
    }
    start = f"{doctype}\n" if doctype else ""
    for method, written in expected.items():
        assert doc.to_string(method=method) == f"{start}<html{namespace}>{written}</html>\n"
        assert doc.to_bytes(method=method, declaration=False).decode() == doc.to_string(method=method)
    assert doc.to_string() == doc.to_string(method="xml")
    assert doc.to_bytes(method="html").startswith(b"<!DOCTYPE" if doctype else b"<html")
    assert doc.to_bytes(method="xhtml").startswith(b'<?xml version="1.0" encoding="UTF-8"?>')


VOID = "area base br col embed hr img input link meta param source track wbr".split()


@pytest.mark.parametrize("name", VOID)
def test_void_elements(name):
    assert html(f"<{name} id='i'/>") == f'<{name} id="i">'
    assert html(f"<{name.upper()}/>") == f"<{name.upper()}>"
    assert xhtml(f"<{name}/>") == f"<{name} />"
    with pytest.raises(ValueError, match=f"<{name}> can't have content"):
        html(f"<div><{name}>x</{name}></div>")
    assert xhtml(f"<{name}>x</{name}>") == f"<{name}>x</{name}>"


def test_elements_of_other_namespaces_are_not_void():
    xml = "<p><x:br xmlns:x='urn:x'/><svg xmlns='http://www.w3.org/2000/svg'><link/><style>&lt;</style></svg></p>"
    assert '<x:br xmlns:x="urn:x"></x:br>' in html(xml)
    assert "<link></link><style>&lt;</style></svg>" in html(xml)
    assert '<x:br xmlns:x="urn:x"/>' in xhtml(xml)


@pytest.mark.parametrize("name", ["script", "style", "SCRIPT"])
def test_the_text_of_scripts_has_no_escapes(name):
    for text in ("a &lt; b &amp;&amp; c", "<![CDATA[a < b && c]]>", "a<![CDATA[ < b ]]>&amp;&amp; c"):
        assert html(f"<{name}>{text}</{name}>") == f"<{name}>a < b && c</{name}>"
        assert "&lt;" in xhtml(f"<{name}>{text}</{name}>") or "CDATA" in xhtml(f"<{name}>{text}</{name}>")
    assert html(f"<{name}/>") == f"<{name}></{name}>"
    assert html(f"<{name}><!-- x --></{name}>") == f"<{name}><!-- x --></{name}>"


@pytest.mark.parametrize("end", ["&lt;/script>", "&lt;/SCRIPT ", "<![CDATA[</script>]]>"])
def test_a_script_that_would_end_early_is_an_error(end):
    with pytest.raises(ValueError, match="its own end tag"):
        html(f"<div><script>x{end}</script></div>")


def test_a_script_with_elements_is_an_error():
    with pytest.raises(ValueError, match="can't have elements"):
        html("<script><b/></script>")


def test_characters_of_scripts_need_the_encoding():
    doc = parse("<div><script>é</script>é</div>")
    with pytest.raises(UnicodeEncodeError, match="the text of a script or a style"):
        doc.to_bytes(method="html", encoding="ascii")
    assert doc.root.to_bytes(method="html", encoding="latin-1") == "<div><script>é</script>é</div>".encode("latin-1")
    assert doc.root.children[1].to_bytes(method="html", encoding="ascii") == b"&#233;"
    assert doc.root.to_bytes(method="xhtml", encoding="ascii", declaration=False) == (
        b"<div><script>&#233;</script>&#233;</div>"
    )


@pytest.mark.parametrize("text", ["&lt;script>alert(1)&lt;/script>", "<![CDATA[<script>alert(1)</script>]]>"])
def test_no_text_becomes_markup(text):
    seen = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attributes):
            seen.append((tag, attributes))

    Parser().feed(html(f"<p title='&quot;>&lt;script>'>{text}</p>"))
    assert seen == [("p", [("title", '"><script>')])]


@pytest.mark.parametrize("comment", ["<!-->x-->", "<!--->x-->", "<?p x>y?>"])
def test_comments_that_would_end_early_are_an_error(comment):
    with pytest.raises(ValueError, match="in HTML"):
        html(f"<a>{comment}</a>")
    assert comment in xhtml(f"<a>{comment}</a>")


def test_escapes():
    text = "&amp;&lt;&gt;\"'\u00a0é&#13;\n\t"
    attribute = "&amp;&lt;&gt;&quot;'\u00a0é&#13;&#10;&#9;"
    xml = f'<p k="{attribute}">{text}</p>'
    assert html(xml) == '<p k="&amp;&lt;&gt;&quot;\'&nbsp;é&#13;\n\t">&amp;&lt;&gt;"\'&nbsp;é&#13;\n\t</p>'
    assert xhtml(xml) == xml


def test_a_line_end_at_the_start_is_kept():
    assert html("<pre>\n\nx</pre>") == "<pre>\n\n\nx</pre>"
    assert html("<pre>x</pre>") == "<pre>x</pre>"
    assert xhtml("<pre>\nx</pre>") == "<pre>\nx</pre>"


def test_other_nodes():
    doc = parse("<!--b--><?c d?><a xmlns:p='urn:p' p:k='v'><!--e--><?f g?><?h?></a>")
    assert doc.to_string(method="html") == '<!--b-->\n<?c d>\n<a xmlns:p="urn:p" p:k="v"><!--e--><?f g><?h></a>\n'
    assert doc.to_string(method="xhtml") == ('<!--b-->\n<?c d?>\n<a xmlns:p="urn:p" p:k="v"><!--e--><?f g?><?h?></a>\n')
    for node in doc.root.xpathEval("@* | node()"):
        assert node.to_string(method="xhtml") == node.to_string()


def test_a_dtd_is_for_xhtml_only():
    xml = "<!DOCTYPE a PUBLIC 'p' 's' [<!ENTITY e 'x'><!ENTITY f '>'>]><a>x</a>"
    assert parse(xml).to_string(method="html") == '<!DOCTYPE a PUBLIC "p" "s">\n<a>x</a>\n'
    assert "<!ENTITY e" in parse(xml).to_string(method="xhtml")
    assert parse("<!DOCTYPE a SYSTEM 's'><a/>").to_string(method="html").startswith('<!DOCTYPE a SYSTEM "s">\n')


@pytest.mark.parametrize("place", ["<a>&e;</a>", "<a k='&e;'/>"])
def test_entities_of_a_dtd_are_an_error_in_html(place):
    doc = parse(f"<!DOCTYPE a [<!ENTITY e 'x'>]>{place}")
    with pytest.raises(ValueError, match="resolve_entities=True"):
        doc.to_string(method="html")
    assert "&e;" in doc.to_string(method="xhtml")
    resolved = parse(f"<!DOCTYPE a [<!ENTITY e 'x'>]>{place}", resolve_entities=True)
    assert "x" in resolved.root.to_string(method="html")


def test_indentation():
    xml = "<html><head><title>t</title></head><body><p><b>x</b><i>y</i></p><ul><li>z</li></ul><pre><b/></pre></body></html>"
    expected = """<html>
  <head>
    <title>t</title>
  </head>
  <body>
    <p><b>x</b><i>y</i></p>
    <ul>
      <li>z</li>
    </ul>
    <pre><b></b></pre>
  </body>
</html>"""
    assert html(xml, indent=True) == xhtml(xml, indent=True) == expected
    assert html(xml) == xhtml(xml)


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "ISO-8859-1", "Shift_JIS", "ascii"])
def test_round_trip_of_xhtml(encoding):
    doc = parse(f"<html xmlns='{XHTML}'><head><script>é&lt;</script></head><body k='日&quot;'>é<br/><p/></body></html>")
    data = doc.to_bytes(method="xhtml", encoding=encoding)
    again = parse(data)
    assert again.to_string() == doc.to_string()


def test_nodes_that_were_made():
    doc = Document()
    fragment = doc.create_fragment()
    for node in (doc.create_element("br"), doc.create_text("<&>"), doc.create_element("p"), doc.create_comment("c")):
        fragment.append(node)
    assert fragment.to_string() == "<br/>&lt;&amp;&gt;<p/><!--c-->"
    assert fragment.to_string(method="html") == "<br>&lt;&amp;&gt;<p></p><!--c-->"
    assert fragment.to_string(method="xhtml") == "<br />&lt;&amp;&gt;<p></p><!--c-->"
    script = doc.create_element("script")
    script.append(doc.create_cdata("a < b"))
    assert script.to_string(method="html") == "<script>a < b</script>"
    with pytest.raises(ValueError, match="in HTML"):
        doc.create_comment(">x").to_string(method="html")


@pytest.mark.parametrize("method", ["html", "xhtml"])
@every_namespace
@pytest.mark.parametrize("encoding", ["utf-8", "ISO-8859-2", "utf-16"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('charset="utf-8"', 'charset="{}"'),
        ('CHARSET="latin-1"', 'CHARSET="{}"'),
        ('charset=""', 'charset="{}"'),
        ('http-equiv="Content-Type" content="text/html; charset=x"', None),
        ('content="text/html;CHARSET = x ; q" http-equiv="content-type"', None),
        ("http-equiv='content-type' content='text/html; charset=\"x\"'", None),
    ],
)
def test_a_meta_names_the_encoding_that_is_written(method, namespace, encoding, before, after):
    doc = parse(f"<html{namespace}><head><meta {before}/><title>\u010d</title></head></html>")
    written = doc.to_bytes(method=method, encoding=encoding).decode(encoding)
    name = encoding.upper()
    after = (after or before.replace("=x", "={}").replace("= x", "= {}").replace('"x"', '"{}"')).format(name)
    read = HTMLMeta()
    read.feed(written)
    expected = HTMLMeta()
    expected.feed(f"<meta {after}>")
    upper = [(key, value.upper()) for key, value in expected.attributes]
    assert [(key, value.upper()) for key, value in read.attributes] == upper
    assert "\u010d" in written
    # The document and text stay as they are.
    assert doc.to_string(method=method) == parse(doc.to_string(method="xml")).to_string(method=method)
    assert f"<meta {before}/>".replace("'", '"')[:20] in doc.to_string()


class HTMLMeta(HTMLParser):
    """Reads the attributes of the first meta."""

    attributes = None

    def handle_starttag(self, tag, attrs):
        if tag == "meta":
            self.attributes = self.attributes or attrs


def test_a_meta_that_names_the_encoding_already_is_written_as_it_is():
    text = '<head><meta charset="Utf-8"><meta http-equiv="Content-Type" content="text/html; charset=UTF-8"></head>'
    xml = text.replace('8">', '8"/>')
    assert parse(xml).root.to_bytes(method="html").decode() == text


@pytest.mark.parametrize(
    "meta",
    [
        '<meta name="charset" content="charset=x">',
        '<meta http-equiv="refresh" content="1; charset=x">',
        '<meta http-equiv="Content-Type" content="text/html">',
        '<meta http-equiv="Content-Type" content="text/html; charset">',
        '<p charset="x"></p>',
    ],
)
def test_other_attributes_are_no_encodings(meta):
    xml = meta if meta.endswith("</p>") else meta.replace(">", "/>")
    assert parse(xml).root.to_bytes(method="html").decode() == meta
    other = "<m:meta xmlns:m='urn:m' charset='x'/>"
    assert b'charset="x"' in parse(other).root.to_bytes(method="html")
    assert b'charset="x"' in parse("<meta charset='x'/>").root.to_bytes(method="xml")
