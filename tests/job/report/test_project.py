import pytest

from dlexp.error import RunError
from dlexp.job.report.project import page_of_project, tie_group
from tests.job.report.record import record


def test_tied_are_those_whose_interval_holds_the_best_value():
    runs = [record(run_id=name, value=value) for name, value in (("a", 0.9), ("b", 0.88), ("c", 0.5), ("d", 0.4))]
    intervals = [(0.8, 0.95), (0.8, 0.92), (0.4, 0.6), None]
    assert tie_group(runs, intervals) == {"a", "b"}
    assert tie_group([], []) == set()


def test_a_project_without_runs_has_no_page(tmp_path):
    with pytest.raises(RunError, match="got no runs"):
        page_of_project(tmp_path, "report.html")
