import base64
import hashlib
import html.parser
import io
import re
from html import unescape

import pytest
from PIL import Image

from dlexp.report.html import write
from dlexp.report.model import Card, Commands, Figure, Page, Pictures, Row, Section, Table, Text

EVIL = "<script>alert(1)</script>&\"'\x00"
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50"><g id="figure_1"><g id="patch_1"><path/></g>'
    b'<g id="line-a"><path d="M 0.123456 1" style="fill: none; stroke: #0072b2"/></g></g></svg>'
)
TABLE = Table("scores", ("name", "value"), [Row(("a", 0.5), key="a", is_marked=True), Row((EVIL, None), key=EVIL)])


def png(width, height):
    content = io.BytesIO()
    Image.new("L", (width, height)).save(content, "PNG")
    return content.getvalue()


def make_page(text="a text"):
    figure = Figure("Curves", text, lambda: SVG, TABLE, names={"a": text})
    pictures = Pictures("Wrong", text, png(16, 8), 2, [text, "second"])
    blocks = [Text(text), figure, pictures, Commands([(text, text)])]
    sections = [Section(text, blocks), Section("folded", [TABLE], is_folded=True)]
    return Page(text, text, text, [Card(text, text, text)], sections, [text])


class Reader(html.parser.HTMLParser):
    VOID = ("meta",)

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.open, self.data = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *each) for each in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.data.append(data)


def read(text):
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


def test_nothing_of_a_text_becomes_markup():
    plain, evil = read(write(make_page())), read(write(make_page(EVIL)))
    assert evil.tags == plain.tags
    assert evil.tags.count("script") == 1


def test_no_request_leaves_the_page_and_only_its_own_script_runs():
    text = write(make_page())
    (policy,) = map(unescape, re.findall(r'Content-Security-Policy" content="([^"]+)"', text))
    (script,) = re.findall(r"<script>(.*)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.split("; ")[0] == "default-src 'none'"
    assert f"script-src 'sha256-{digest}'" in policy
    references = [value for _, name, value in read(text).attributes if name in ("src", "href", "action")]
    assert [each for each in references if not each.startswith("#")] == []
    assert set(re.findall(r"url\(([^)]{5})", text)) == {"data:"}
    assert " on" not in " ".join(f" {name}" for _, name, _ in read(text).attributes if name.startswith("on"))


def test_a_figure_states_its_finding_and_marks_share_keys_with_rows():
    attributes = read(write(make_page("Best at epoch 3."))).attributes
    assert ("svg", "role", "img") in attributes
    assert ("svg", "aria-label", "Curves: Best at epoch 3.") in attributes
    keys = [(tag, value) for tag, name, value in attributes if name == "data-key"]
    assert keys.count(("g", "a")) == 1
    assert ("tr", "a") in keys


def test_cells_sort_by_their_numbers_and_the_best_is_bold_without_the_script():
    attributes = read(write(make_page())).attributes
    assert ("td", "data-value", "0.5") in attributes
    assert ("tr", "class", "marked") in attributes
    assert "button" not in read(write(make_page())).tags  # the script makes them: without it nothing is dead


def test_tiles_show_each_its_place_of_the_sprite():
    text = write(make_page())
    assert re.findall(r"background-position:([^\"]+)\"", text) == ["-0px -0px", "-64px -0px"]
    assert "background-size:128px 64px" in text
    assert text.count("data:image/png") == 1


@pytest.mark.parametrize("word", ["Content-Security-Policy", "prefers-color-scheme:dark", "@media print", "viewport"])
def test_the_page_has(word):
    assert word in write(make_page())
