from dlexp.job.report.regression import residual_block
from tests.job.report.made import valued


def test_the_farthest_stand_in_the_table_and_the_bias_in_the_finding():
    block = residual_block(valued([1.0, 5.0, 3.0], [1.0, 2.0, 2.0]), "price")
    assert block.table is not None
    assert [row.cells for row in block.table.rows] == [("1", 2.0, 5.0, 3.0), ("2", 2.0, 3.0, 1.0), ("0", 1.0, 1.0, 0.0)]
    assert "within 1.0000 of the truth" in block.finding
    assert "1.3333 too high" in block.finding
