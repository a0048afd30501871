import numpy as np
import pytest

from dlexp.error import RunError
from dlexp.job.ensemble.ensemble import Wish, start
from dlexp.job.report.project import page_of_project, tie_group
from dlexp.report.model import Table
from tests.job.compare import compared
from tests.job.report.record import record


def test_tied_are_those_whose_interval_holds_the_best_value():
    runs = [record(run_id=name, value=value) for name, value in (("a", 0.9), ("b", 0.88), ("c", 0.5), ("d", 0.4))]
    intervals = [(0.8, 0.95), (0.8, 0.92), (0.4, 0.6), None]
    assert tie_group(runs, intervals) == {"a", "b"}
    assert tie_group([], []) == set()


def test_an_ensemble_stands_in_the_leaderboard_with_its_interval(tmp_path):
    target = np.arange(60) % 3
    for seed in (1, 2):
        compared.write_run(tmp_path, compared.logits(seed, target, 0.8), target, seed=seed)
    refs = [path.name[:11] for path in (tmp_path / "made-up").iterdir()]
    result = start(refs, tmp_path, Wish(steps=2)).result
    page = page_of_project(tmp_path, "report.html")
    tables = [block for section in page.sections for block in section.blocks if isinstance(block, Table)]
    rows = {row.cells[0]: row.cells for table in tables for row in table.rows}
    low, high = result["scores"][0]["nested"]["interval"]
    assert f"{100 * low:.1f} to {100 * high:.1f} %" in rows[result["run_id"]]


def test_a_project_without_runs_has_no_page(tmp_path):
    with pytest.raises(RunError, match="got no runs"):
        page_of_project(tmp_path, "report.html")
