import json
import math

import numpy as np
import pytest
import torch

from dlexp.run.jsonable import document, dumps, plain, sealed, unsealed


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.inf, None),
        (np.float32(0.5), 0.5),
        (torch.tensor(math.nan), None),
        (True, True),
        ("a", "a"),
        ({"a": [1, (2.5, -math.inf)], 3: None}, {"a": [1, [2.5, None]], "3": None}),
    ],
)
def test_values_that_json_can_say(value, expected):
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


def test_nested_values_that_json_cannot_say_are_none():
    value = {"a": [1.0, math.nan, {"b": -math.inf}], "c": "nan", "d": True, "e": 3}
    assert plain(value) == {"a": [1.0, None, {"b": None}], "c": "nan", "d": True, "e": 3}
    json.dumps(plain(value), allow_nan=False)


def test_a_document_has_a_line_for_each_field():
    fields = {"name": "ü \n", "curve": [1.0, math.inf], "none": {}}
    text = document(fields)
    assert len(text.splitlines()) == 5
    assert json.loads(text) == {"name": "ü \n", "curve": [1.0, None], "none": {}}
    assert json.loads(document({})) == {}


@pytest.mark.parametrize("text", ["Größe", "数据", "\x1b[31m", "\x9b31m", "a\u202eb", "\udcff", "\x7f", "\u2028"])
def test_letters_stay_and_what_a_terminal_obeys_is_escaped(text):
    written = dumps({text: [text]})
    assert json.loads(written) == {text: [text]}
    assert written.encode().decode() == written
    assert all(character.isprintable() for character in written)
    assert (text in written) == text.isprintable()


def test_a_sealed_document_notices_every_flipped_bit_of_what_it_says():
    fields = {"status": "finished", "seed": 3, "metrics": {"val/accuracy": 0.5}, "name": "数据"}
    content = sealed(fields).encode()
    assert unsealed(content) == fields == {k: v for k, v in json.loads(content).items() if k != "sha256"}
    for place in range(content.index(b'"sha256"') - 2):
        for bit in range(8):
            flipped = bytearray(content)
            flipped[place] ^= 1 << bit
            with pytest.raises(ValueError, match=r"."):
                unsealed(bytes(flipped))


def test_documents_of_earlier_versions_have_no_seal():
    assert unsealed(document({"status": "finished"}).encode()) == {"status": "finished"}
    for content in (b"", b"[]", b"null", b"7", b"{", bytes(20)):
        with pytest.raises(ValueError, match=r"."):
            unsealed(content)
