"""Whatever a user typed comes back as it was typed, line breaks included."""

from hypothesis import given
from hypothesis import strategies as st

from dlexp.run import line


@given(st.lists(st.text()))
def test_every_text_comes_back(texts):
    assert line.split(line.join(texts)) == texts


def test_plain_texts_are_lines_as_they_are():
    assert line.join(["a=1", "b='x, y'"]) == "a=1\nb='x, y'\n"
    assert line.join(['data.gaps=["a\nb"]']) == '"data.gaps=[\\"a\\nb\\"]"\n'


def test_an_older_file_is_read_as_it_is():
    assert line.split('a=1\n"b"c\nd=2\n') == ["a=1", '"b"c', "d=2"]
