"""The loss scale against torch's own scaler, over updates of which some overflow; what these change is undone."""

import torch

from dlexp.engine import loss_scale

OVERFLOWS = [False, False, True, False, False, False, False, True, True, False, False, False, False]


def torchs(overflows, every):
    """Return the scale after each update by torch.amp.GradScaler."""
    weight = torch.nn.Parameter(torch.ones(1))
    rule = torch.optim.SGD([weight], lr=0.0)
    scaler, scales = torch.amp.GradScaler("cpu", init_scale=2.0**16, growth_interval=every), []
    for is_overflow in overflows:
        scaler.scale(weight.sum()).backward()
        weight.grad = torch.full((1,), torch.inf if is_overflow else 1.0)
        scaler.step(rule)
        scaler.update()
        scales.append(scaler.get_scale())
    return scales


def test_the_scale_is_torchs(monkeypatch):
    monkeypatch.setattr(loss_scale, "GOOD_STEPS", 3)
    params = torch.zeros(1, 4)
    state, scales = loss_scale.start(params), []
    for is_overflow in OVERFLOWS:
        loss_scale.undo_overflow(params, state, torch.tensor([[not is_overflow]]), lambda: None)
        scales.append(float(state["loss_scale"]))
    assert scales == torchs(OVERFLOWS, 3)


def test_only_trials_without_overflow_move():
    params = torch.zeros(2, 3)
    state = {"rule.mean": torch.zeros(2, 3)} | loss_scale.start(params)

    def apply():
        params.add_(1.0)
        state["rule.mean"].sub_(2.0)

    loss_scale.undo_overflow(params, state, torch.tensor([[True], [False]]), apply)
    assert params.tolist() == [[1, 1, 1], [0, 0, 0]]
    assert state["rule.mean"].tolist() == [[-2, -2, -2], [0, 0, 0]]
    assert state["loss_scale"].flatten().tolist() == [2.0**16, 2.0**15]
