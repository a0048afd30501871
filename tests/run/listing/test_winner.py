import pytest

from dlexp.run.listing.winner import winner_metrics

TRIALS = [{"number": 1, "metrics": {"val/accuracy": value, "val/loss": 1 - value}} for value in (0.9, 0.7)]


def test_a_metric_that_a_seed_lacks_has_no_mean():
    lacking = [*TRIALS, {"number": 1, "metrics": {"val/accuracy": 0.8}}]
    best = {"number": 1, "value": 0.8, "metrics": TRIALS[0]["metrics"]}
    assert winner_metrics({"metric": "val/accuracy", "trials": TRIALS, "best": best}) == pytest.approx(
        {"val/accuracy": 0.8, "val/loss": 0.2}
    )
    assert winner_metrics({"metric": "val/accuracy", "trials": lacking, "best": best}) == {"val/accuracy": 0.8}


@pytest.mark.parametrize("result", [{}, {"best": None}, {"best": {"number": 1}}, {"settings": ["x"]}, {"settings": 3}])
def test_without_a_winner_there_are_none(result):
    assert winner_metrics(result) == {}
