import numpy as np

from dlexp.job.report.classifier import MOST_DRAWN, class_block, confusion, confusion_block, reliability_block
from dlexp.report.model import Figure, Table
from tests.job.report.made import NAMES, classified

ANSWERS = classified([0, 1, 1, 2, 2, 0], [0, 1, 1, 2, 0, 0])


def test_rows_are_true_classes():
    assert confusion(ANSWERS, NAMES).tolist() == [[2, 0, 1], [0, 2, 0], [0, 0, 1]]


def test_mistakes_stand_in_the_table_the_most_frequent_first():
    block = confusion_block(np.array([[2, 3, 1], [0, 4, 0], [0, 0, 5]]), NAMES)
    assert isinstance(block, Figure)
    assert block.table is not None
    assert [row.cells for row in block.table.rows] == [("cat", "dog", 3, 50.0), ("cat", "owl", 1, 100 / 6)]
    assert block.finding == "4 of 15 examples are called wrong; most often cat is called dog (3)."


def test_of_very_many_classes_there_is_the_table_alone():
    names = [str(k) for k in range(MOST_DRAWN + 1)]
    assert isinstance(confusion_block(np.eye(len(names), dtype=int), names), Table)


def test_a_class_without_examples_has_no_recall():
    block = class_block(np.array([[2, 1, 0], [0, 0, 0], [0, 0, 3]]), NAMES)
    assert block.table is not None
    assert [row.cells[0] for row in block.table.rows] == ["cat", "owl"]
    assert block.finding.startswith("The lowest recall is that of cat: 2 of 3")


def test_overconfidence_is_told():
    block = reliability_block(classified([0, 1, 1], [1, 0, 0]), 0.9)
    assert "too sure" in block.finding
    assert block.table is not None
    assert [row.cells[1] for row in block.table.rows] == [3]
    assert "not sure enough" in reliability_block(classified([0], [0], sure=0.1), None).finding
