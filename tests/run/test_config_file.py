import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlexp.error import RunError
from dlexp.run.config_file import join_lines, read, split_lines, text


def test_a_configuration_is_read_as_it_was_written(tmp_path):
    config = {"data": {"path": "数据.csv"}, "seed": 3, "tracking": {"uri": None}}
    (tmp_path / "config.yaml").write_text(text(config), encoding="utf-8")
    assert read(tmp_path / "config.yaml") == config


@pytest.mark.parametrize("content", [b"", b"[]", b"7", b"null", b"\x00", b"\xff\xfe", b"{", b"a: [", b"1: 2", b"text"])
def test_whatever_else_it_holds_is_one_line(tmp_path, content):
    (tmp_path / "config.yaml").write_bytes(content)
    with pytest.raises(RunError, match=r"config\.yaml: .*restore it from a copy$"):
        read(tmp_path / "config.yaml")


@given(st.lists(st.text()))
def test_every_text_comes_back(texts):
    assert split_lines(join_lines(texts)) == texts


def test_plain_texts_are_lines_as_they_are():
    assert join_lines(["a=1", "b='x, y'"]) == "a=1\nb='x, y'\n"
    assert join_lines(['data.gaps=["a\nb"]']) == '"data.gaps=[\\"a\\nb\\"]"\n'


def test_an_older_file_is_read_as_it_is():
    assert split_lines('a=1\n"b"c\nd=2\n') == ["a=1", '"b"c', "d=2"]
