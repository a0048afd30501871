import io

import numpy as np
import torch
from PIL import Image

from dlexp.data.dataset import Dataset
from dlexp.job.cv.document import Suspect, Suspects
from dlexp.job.cv.suspect import DOUBT
from dlexp.job.report.answer import Answers
from dlexp.job.report.example import COLUMNS, example_blocks, sprite, suspect_block
from dlexp.report.model import Pictures, Table, Text
from dlexp.statistic.measure import Measure
from tests.job.report.made import NAMES

OUTPUTS = np.array([[5.0, 0, 0], [0, 3.0, 0], [0, 0.1, 0], [9.0, 0, 0]])
ANSWERS = Answers(np.arange(4), np.array([0, 0, 0, 1]), OUTPUTS, Measure())


def pictures(channels):
    inputs = torch.zeros(4, 2, 2, channels, dtype=torch.uint8)
    inputs[3] = 255
    rows = torch.arange(4)
    return Dataset("made", "multiclass", inputs, torch.tensor([0, 0, 0, 1]), rows[:0], rows, rows[:0], NAMES)


def test_examples_of_a_table_are_rows_and_pictures_are_tiles():
    wrong, _ = example_blocks(ANSWERS, NAMES, None)
    assert isinstance(wrong, Table)
    assert wrong.rows[0].cells[:3] == ("3", "dog", "cat")
    wrong, _ = example_blocks(ANSWERS, NAMES, pictures(1))
    assert isinstance(wrong, Pictures)
    assert wrong.captions[0] == "dog, called cat at 100%"


def test_tiles_stand_in_the_order_of_the_ids():
    for channels in (1, 3):
        image = Image.open(io.BytesIO(sprite(pictures(channels), ["3", "0"])))
        assert image.size == (2 * COLUMNS, 2)
        grey = image.convert("L")
        assert (grey.getpixel((0, 0)), grey.getpixel((2, 0))) == (255, 0)


SUSPECT: Suspect = {
    "id": "3", "label": "dog", "label_probability": 0.01, "likelier": "cat", "likelier_probability": 0.98
}  # fmt: skip


def test_suspects_are_rows_or_pictures_and_none_is_said():
    told: Suspects = {"num": 1, "num_examples": 4, "note": DOUBT, "examples": [SUSPECT]}
    table = suspect_block(told, None)
    assert isinstance(table, Table)
    doubt = " So many say more of the models than of the labels."
    assert table.caption == f"1 label of 4 examples that folds held out looks wrong.{doubt}"
    assert list(table.rows[0].cells) == ["3", "dog", 0.01, "cat", 0.98]
    tiles = suspect_block(told, pictures(3))
    assert isinstance(tiles, Pictures)
    assert tiles.captions == ["3: labelled dog, likelier cat"]
    assert isinstance(plain := suspect_block({"num": 1, "num_examples": 9, "examples": [SUSPECT]}, None), Table)
    assert plain.caption == "1 label of 9 examples that folds held out looks wrong."
    many = suspect_block({"num": 1500, "num_examples": 9000, "examples": [SUSPECT] * 1000}, None)
    assert isinstance(many, Table)
    assert len(many.rows) == 64
    assert "1,500 labels" in many.caption
    assert "the 64 most suspect are shown" in many.caption
    assert doubt not in many.caption
    none = suspect_block({"num": 0, "num_examples": 4, "examples": []}, None)
    assert none == Text("No label looks wrong, of 4 examples that folds held out.")
