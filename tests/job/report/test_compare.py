import numpy as np

from dlexp.job.report.compare import page_of_comparison
from dlexp.report.model import Figure, Table
from tests.job.compare import compared as made

TARGET = np.arange(300) % 3


def runs(tmp_path, *accuracies):
    return [
        made.write_run(tmp_path, made.logits(seed, TARGET, accuracy), TARGET).run_id
        for seed, accuracy in enumerate(accuracies)
    ]


def test_the_better_is_named_first_with_difference_interval_and_number(tmp_path):
    page = page_of_comparison(runs(tmp_path, 0.5, 0.95), tmp_path)
    better = page.sections[1].blocks[0]
    assert isinstance(better, Table)
    assert [row.is_marked for row in better.rows] == [True, False]
    assert " is better than " in page.answer
    assert "paired over 300 examples" in page.answer
    assert ": +0." in page.answer


def test_folds_that_all_differ_alike_have_no_interval(tmp_path):
    refs = [made.write_cv(tmp_path, seed, accuracy).run_id for seed, accuracy in ((10, 1.1), (20, -0.1))]
    page = page_of_comparison(refs, tmp_path)
    assert "by +1.0000 (no interval) in accuracy" in page.answer


def test_the_matrix_says_better_worse_and_cannot_tell(tmp_path):
    page = page_of_comparison(runs(tmp_path, 0.5, 0.95, 0.95), tmp_path)
    forest, matrix = page.sections[0].blocks
    assert isinstance(forest, Figure)
    assert isinstance(matrix, Table)
    cells = [list(row.cells[1:]) for row in matrix.rows]
    assert cells[0] == ["", "worse", "worse"]
    assert cells[1] == ["better", "", "cannot tell"]
    assert "Cannot tell" in page.answer


def test_examples_that_only_one_of_two_gets_right_are_counted(tmp_path):
    first, second = made.logits(0, TARGET, 1.0), made.logits(1, TARGET, 1.0)
    second[:5] = np.roll(first[:5], 1, axis=1)
    refs = [made.write_run(tmp_path, output, TARGET).run_id for output in (first, second)]
    section = next(s for s in page_of_comparison(refs, tmp_path).sections if "only one" in s.title)
    tables = [block for block in section.blocks if isinstance(block, Table)]
    assert [len(table.rows) for table in tables] == [5, 0]
