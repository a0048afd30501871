"""What epochs say, by histories whose answer is known."""

import pytest

from dlexp.diagnose.evidence import Evidence
from dlexp.diagnose.outcome import OUTCOMES

RULES = {rule.name: rule for rule in OUTCOMES}
CONFIG = {"trainer": {"monitor": "auto", "epochs": 8}}


def evidence(val: list[float], train: list[float], error: float = 0.01, smallest: float = 1.0) -> Evidence:
    records = [
        {"train/loss": t, "val/loss": v, "val/loss_se": error, "epoch": i}
        for i, (t, v) in enumerate(zip(train, val, strict=True), 1)
    ]
    return Evidence(CONFIG, {}, 1.0, (1.0, 1.0), [], [], history=records, smallest=smallest)


FALLING = [1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]


@pytest.mark.parametrize(
    ("val", "train", "is_told"),
    [
        ([1.0, 0.5, 0.4, 0.41, 0.42, 0.43, 0.44, 0.45], FALLING, True),  # 3, 4 and 5 standard errors above
        ([1.0, 0.5, 0.4, 0.41, 0.42, 0.43, 0.44, 0.419], FALLING, False),  # the last within two
        ([1.0, 0.5, 0.4, 0.41, 0.42, 0.43, 0.44, 0.45], FALLING[::-1], False),
        (FALLING, FALLING, False),
    ],
)
def test_overfit(val, train, is_told):
    reading = RULES["overfit"].read(evidence(val, train))
    assert (reading is not None) is is_told
    assert reading is None or reading.value == pytest.approx(3.0)


def test_unfinished_where_the_slope_is_beyond_two_errors():
    steep = [1.0, 0.9, 0.81, 0.7, 0.6, 0.51, 0.4, 0.3]
    assert RULES["unfinished"].read(evidence(steep, FALLING)) is not None
    assert RULES["unfinished"].read(evidence([*steep[:-1], 0.7], FALLING)) is None  # the last is not the best
    assert RULES["unfinished"].read(evidence([1.0, 0.5, 0.5, 0.4, 0.52, 0.41, 0.5, 0.39], FALLING)) is None
    assert RULES["unfinished"].cures(evidence(steep, FALLING)) == ["trainer.epochs=16"]


def test_imbalance_where_accuracy_chooses():
    assert RULES["imbalance"].read(evidence([], [], smallest=0.09)) is not None
    assert RULES["imbalance"].read(evidence([], [], smallest=0.11)) is None
