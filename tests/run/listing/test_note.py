import pytest

from dlexp.error import ConfigError
from dlexp.run.listing import note


def test_a_note_is_replaced_and_taken_away_and_tags_gather(tmp_path):
    assert note.read(tmp_path) == {"note": "", "tags": []}
    note.write(tmp_path, note=" explodes at 3 ", add=["bad", "old"], remove=[])
    assert note.read(tmp_path) == {"note": "explodes at 3", "tags": ["bad", "old"]}
    note.write(tmp_path, note=None, add=["bad", "Größe"], remove=["old"])
    assert note.read(tmp_path) == {"note": "explodes at 3", "tags": ["bad", "Größe"]}
    assert note.write(tmp_path, note="", add=[], remove=[])["note"] == ""


@pytest.mark.parametrize("tag", ["", "two words", "a,b", "a\nb"])
def test_a_tag_is_one_word(tmp_path, tag):
    with pytest.raises(ConfigError, match=r"--tag: got .*; a word"):
        note.write(tmp_path, note="x", add=[tag], remove=[])
    assert not list(tmp_path.iterdir())


def test_a_tag_that_is_not_there_cannot_be_taken_away(tmp_path):
    note.write(tmp_path, note=None, add=["good"], remove=[])
    with pytest.raises(ConfigError, match="--untag: got god; the run has good"):
        note.write(tmp_path, note=None, add=[], remove=["god"])


def test_a_note_is_at_most_a_page(tmp_path):
    with pytest.raises(ConfigError, match="got 10,001 characters; at most 10,000"):
        note.write(tmp_path, note="x" * 10_001, add=[], remove=[])


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b'{"note": 1', b"\xff", b'{"note": "a", "tags": 3}'])
def test_a_damaged_file_is_no_note(tmp_path, content):
    (tmp_path / note.FILE).write_bytes(content)
    assert note.read(tmp_path) == {"note": "", "tags": []}
