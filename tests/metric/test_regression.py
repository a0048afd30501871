import pytest
import sklearn.metrics as reference
import torch

from dlexp.metric import regression, regression_report


def test_equals_scikit_learn_and_torch():
    draw = torch.Generator().manual_seed(0)
    targets = 3 * torch.randn(2, 90, generator=draw) + 100
    outputs = (targets + torch.randn(2, 90, generator=draw)).unsqueeze(-1)
    metrics = regression_report(outputs, targets)
    for t in range(2):
        y, p = targets[t].double().numpy(), outputs[t, :, 0].double().numpy()
        assert float(metrics["mse"][t]) == pytest.approx(reference.mean_squared_error(y, p))
        assert float(metrics["rmse"][t]) == pytest.approx(reference.root_mean_squared_error(y, p))
        assert float(metrics["mae"][t]) == pytest.approx(reference.mean_absolute_error(y, p))
        assert float(metrics["r2"][t]) == pytest.approx(reference.r2_score(y, p))
        assert float(metrics["median_error"][t]) == pytest.approx(reference.median_absolute_error(y, p))
        assert float(metrics["bias"][t]) == pytest.approx((p - y).mean())
    huber = torch.nn.functional.huber_loss(outputs[..., 0].double(), targets.double(), reduction="none").mean(-1)
    torch.testing.assert_close(metrics["huber"], huber)


def test_shapes_agree():
    targets = torch.arange(12.0).view(2, 6)
    flat = regression(targets + 1, targets)
    assert flat["mse"].tolist() == [1, 1]
    assert regression((targets + 1).unsqueeze(-1), targets)["r2"].equal(flat["r2"])


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 0.3, 123.456, 1e6 + 0.1, -1e-5])  # the mean of some rounds
@pytest.mark.parametrize("num", [1, 3, 7, 11, 100])
def test_equal_targets_have_no_r2(value, num):
    for dtype in (torch.float32, torch.float64):
        targets = torch.full((1, num), value, dtype=dtype)
        metrics = regression(targets + 1, targets)
        assert metrics["r2"].isnan().all()
        assert metrics["mse"].tolist() == [pytest.approx(1, rel=1e-6)]


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_a_broken_trial_has_no_metrics(bad):
    outputs, targets = torch.zeros(2, 5), torch.arange(10.0).view(2, 5)
    outputs[0, 3] = bad
    for value in regression_report(outputs, targets).values():
        assert value[0].isnan()
        assert value[1].isfinite()
