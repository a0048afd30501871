import re
import xml.etree.ElementTree as ET

import pytest
from matplotlib.figure import Figure

from dlexp.figure.style.canvas import render, styled
from dlexp.figure.style.color import contrast
from dlexp.report.svg import DARK, READABLE, Colors, darkened, embed


@styled()
def drawn():
    figure = Figure(figsize=(3, 2))
    axis = figure.subplots()
    axis.scatter([1, 2, 3], [1, 2, 3], c=[0, 1, 2]).set_gid("trials")
    axis.plot([1, 2], [1, 2], gid="line-k1", color="#0072b2")
    axis.text(1, 1, "<b>&", color="#111111").set_gid("fixed-0")
    return render(figure, "svg")


def test_each_mark_has_the_key_of_its_datum_and_says_what_it_is():
    root = ET.fromstring(embed(drawn(), "f1-", "Says it", Colors(), {"trials": ["a", "b", "c"]}, {"a": "first"}))
    keys = [node.attrib["data-key"] for node in root.iter() if "data-key" in node.attrib]
    assert sorted(keys) == ["a", "b", "c", "k1"]
    first = next(node for node in root.iter() if node.attrib.get("data-key") == "a")
    assert first.attrib["id"] == "f1-datum-a"
    assert [child.text for child in first if child.tag.endswith("title")] == ["first"]
    assert root.attrib["aria-label"] == "Says it"


def test_two_figures_share_no_id_and_every_reference_leads_somewhere():
    pieces = [embed(drawn(), prefix, "", Colors()) for prefix in ("f1-", "f2-")]
    ids = [set(re.findall(r'\bid="([^"]+)"', piece)) for piece in pieces]
    assert ids[0]
    assert not ids[0] & ids[1]
    for piece, there in zip(pieces, ids, strict=True):
        referred = set(re.findall(r"url\(#([^)]+)\)", piece)) | set(re.findall(r'href="#([^"]+)"', piece))
        assert referred
        assert referred <= there


def test_colours_are_variables_but_for_groups_that_keep_theirs():
    colors = Colors()
    text = embed(drawn(), "f1-", "", colors)
    assert f"stroke:var(--{colors.names['#0072b2']})" in text
    assert "#0072b2" not in text
    assert "fill:#111111" in text
    assert f"--{colors.names['#0072b2']}:#0072b2;" in colors.css()


def test_text_stays_text_and_stays_escaped():
    text = embed(drawn(), "f1-", "", Colors())
    assert "&lt;b&gt;&amp;" in text
    assert "<metadata" not in text
    assert "<style" not in text


@pytest.mark.parametrize(
    "color", ["#0072b2", "#d55e00", "#009e73", "#767676", "#111111", "#c1121f", "#440154", "#000000"]
)
def test_a_colour_that_is_read_on_white_is_read_on_the_dark_page(color):
    assert contrast(darkened(color), DARK) >= min(READABLE, contrast(color)) - 1e-9


def test_white_is_the_page_and_pale_stays_pale():
    assert darkened("#ffffff") == DARK
    assert contrast(darkened("#c4c4c4"), DARK) < 3
