from dlexp.report.element import Markup, element, escape, join


def test_text_is_escaped_and_markup_is_not():
    assert element("p", "<b>", Markup("<i>x</i>")) == "<p>&lt;b&gt;<i>x</i></p>"
    assert element("a", "x", href="\"'<&", hidden=True, lang=False) == ('<a href="&quot;&#x27;&lt;&amp;" hidden>x</a>')
    assert element("td", class_="n", data_key="k") == '<td class="n" data-key="k"></td>'


def test_what_html_has_no_character_for_is_replaced():
    assert escape("a\x00\x1b\tb\n") == "a\ufffd\ufffd\tb\n"
    assert escape("\ud800").encode() == b"?"
    assert join([element("b", "1"), element("b", "2")]) == "<b>1</b><b>2</b>"
