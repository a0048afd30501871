"""Own metrics: what they are given, what they must say of themselves."""

import pytest
import torch

from dlexp.error import ConfigError, RunError
from dlexp.metric.choice import Metrics


class Brier:
    name = "brier_error"
    higher_is_better = False

    def __call__(self, outputs, targets):
        truth = torch.nn.functional.one_hot(targets, outputs.shape[1])
        return (outputs.exp() - truth).square().sum(-1).mean()


class Span:
    name = "span"
    higher_is_better = True

    def __call__(self, outputs, targets):
        return float(outputs.max() - outputs.min())


def variant(**changes):
    return type("Variant", (Brier,), changes)()


def test_classes_come_as_logarithms_of_probabilities():
    outputs, targets = torch.tensor([[[0.0], [2.0]], [[1.0], [torch.nan]]]), torch.tensor([[0, 1], [0, 1]])
    metrics = Metrics(extra=[Brier()]).measure(outputs, targets, 2)["brier_error"]
    p = torch.tensor(2.0).double().sigmoid()
    assert float(metrics[0]) == pytest.approx(float((2 * 0.25 + 2 * (1 - p) ** 2) / 2))
    assert metrics[1].isnan()
    by_sigmoids = Metrics(extra=[Brier()]).measure(torch.zeros(1, 3, 4), torch.tensor([[0, 1, 2]]), 4, "sigmoid")
    assert float(by_sigmoids["brier_error"]) == pytest.approx(0.75**2 + 3 * 0.25**2)


def test_values_come_as_they_are():
    metrics = Metrics(extra=[Span()]).measure(torch.tensor([[[1.0], [4.5]]]), torch.tensor([[0.0, 0.0]]), 0)
    assert metrics["span"].tolist() == [3.5]


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (variant(name=None), r"got Variant with the name None; small letters"),
        (variant(name="val/x"), r"with the name 'val/x'"),
        (variant(higher_is_better=None), r"got Variant; a class with higher_is_better"),
        (variant(higher_is_better=True), r"got brier_error, better when high; its name says the reverse"),
        (variant(name="brier"), r"got brier, better when low; .* end it in _loss or _error"),
        (object(), r"got object with the name None"),
    ],
)
def test_what_it_must_say_of_itself(metric, message):
    with pytest.raises(ConfigError, match=message):
        Metrics(extra=[metric])


def test_two_of_one_name():
    with pytest.raises(ConfigError, match=r"got span, span; each needs a name of its own"):
        Metrics(extra=[Span(), Span()])


def test_code_that_fails_is_named():
    broken = variant(__call__=lambda self, outputs, targets: outputs[99])
    with pytest.raises(RunError, match=r"metric.extra: brier_error failed \(IndexError"):
        Metrics(extra=[broken]).measure(torch.zeros(1, 2, 2), torch.zeros(1, 2, dtype=torch.int64), 2)
