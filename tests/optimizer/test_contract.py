"""Every optimiser: the contract, and torch.optim as reference. T trials, P parameters."""

import inspect
import io
from functools import partial

import pytest
import torch

from dlexp.build.node import build, factory
from dlexp.config.catalog import list_groups, read_option
from dlexp.config.signature import read

OPTIONS = list_groups()["optimizer"]
REFERENCE = {
    "sgd": partial(torch.optim.SGD),
    "momentum": partial(torch.optim.SGD, momentum=0.8),
    "nesterov": partial(torch.optim.SGD, momentum=0.8, nesterov=True),
    "adagrad": partial(torch.optim.Adagrad, eps=1e-6, initial_accumulator_value=0.1),
    "rmsprop": partial(torch.optim.RMSprop, alpha=0.9, eps=1e-6),
    "adam": partial(torch.optim.Adam, betas=(0.8, 0.95), eps=1e-6),
    "adamw": partial(torch.optim.AdamW, betas=(0.8, 0.95), eps=1e-6),
}
OURS = {
    "sgd": {},
    "momentum": {"momentum": 0.8},
    "nesterov": {"momentum": 0.8},
    "adagrad": {"eps": 1e-6, "initial": 0.1},
    "rmsprop": {"alpha": 0.9, "eps": 1e-6},
    "adam": {"betas": [0.8, 0.95], "eps": 1e-6},
    "adamw": {"betas": [0.8, 0.95], "eps": 1e-6},
}


def test_the_tables_cover_every_option():
    assert {option for option, _ in FORMS} == set(OPTIONS)
    assert set(REFERENCE) == set(OURS) == set(OPTIONS) == {
        "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw",
    }  # fmt: skip


@pytest.mark.parametrize("option", OPTIONS)
def test_yaml_states_every_parameter_at_its_default(option):
    node = read_option("optimizer", option)
    signature = read(node["_target_"])
    assert {k: v for k, v in node.items() if k != "_target_"} == {k: p.default for k, p in signature.parameters.items()}
    rule, default = build(node), factory({"_target_": node["_target_"]})()
    assert all(getattr(rule, name) == getattr(default, name) for name in signature.parameters)
    assert signature.source
    assert all(parameter.doc for parameter in signature.parameters.values())


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
def test_equals_torch_on_random_trajectories_of_three_trials(option, weight_decay):
    rates = [0.01, 0.1, 0.3]
    generator = torch.Generator().manual_seed(0)
    start_TP = torch.randn(3, 11, dtype=torch.float64, generator=generator)
    grads_STP = torch.randn(50, 3, 11, dtype=torch.float64, generator=generator)
    theirs = [torch.nn.Parameter(row.clone()) for row in start_TP]
    references = [REFERENCE[option]([p], lr=lr, weight_decay=weight_decay) for p, lr in zip(theirs, rates, strict=True)]
    rule = _rule(option, weight_decay=torch.full((3, 1), weight_decay, dtype=torch.float64))
    params_TP, state = start_TP.clone(), rule.init(start_TP)
    lr_T1 = torch.tensor(rates, dtype=torch.float64)[:, None]
    for step, grads_TP in enumerate(grads_STP, start=1):
        for parameter, reference, grad in zip(theirs, references, grads_TP, strict=True):
            parameter.grad = grad.clone()
            reference.step()
        rule.update(params_TP, grads_TP.clone(), state, lr_T1, step, None)
        torch.testing.assert_close(params_TP, torch.stack([p.detach() for p in theirs]), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("option", OPTIONS)
def test_numbers_and_equal_tensors_give_the_same_trajectory(option):
    values = {name: OURS[option][name] for name in ("momentum", "alpha", "eps") if name in OURS[option]}
    values["weight_decay"] = 0.02
    plain = _rule(option, **values)
    stacked = _rule(option, **{name: torch.full((2, 1), value, dtype=torch.float64) for name, value in values.items()})
    a = _run(plain, torch.float64, 0.1)
    b = _run(stacked, torch.float64, torch.full((2, 1), 0.1, dtype=torch.float64))
    torch.testing.assert_close(a[0], b[0], rtol=1e-12, atol=1e-12)


ADAPTIVE = ({"form": "outside"}, {"form": "inside"}, {"form": "rootless"})
FORMS = [
    *[(option, {}) for option in ("sgd", "adamw")],
    *[(option, form) for option in ("adagrad", "rmsprop", "adam") for form in ADAPTIVE],
    *[(option, {"form": form}) for option in ("momentum", "nesterov") for form in ("torch", "sutskever")],
]


@pytest.mark.parametrize(("option", "form"), FORMS)
@pytest.mark.parametrize("num_params", [1003, 1008, 5])
def test_a_trial_is_bitwise_the_same_alone_and_among_seven(option, form, num_params):
    generator = torch.Generator().manual_seed(1)
    start_TP = torch.randn(7, num_params, generator=generator)
    grads_STP = torch.randn(6, 7, num_params, generator=generator)
    decay_P = (torch.rand(num_params, generator=generator) < 0.5).float()
    lr_T1, weight_decay_T1 = torch.rand(7, 1, generator=generator), torch.rand(7, 1, generator=generator) / 10
    more = {k: torch.rand(7, 1, generator=generator) for k in ("momentum", "alpha", "eps") if hasattr(_rule(option), k)}

    def run(rows: slice) -> torch.Tensor:
        rule = _rule(option, **form, weight_decay=weight_decay_T1[rows], **{k: v[rows] for k, v in more.items()})
        params_TP = start_TP[rows].clone()
        state = rule.init(params_TP)
        for step, grads_TP in enumerate(grads_STP, start=1):
            rule.update(params_TP, grads_TP[rows].clone(), state, lr_T1[rows], step, decay_P)
        return params_TP

    together = run(slice(None))
    assert together.isfinite().all()
    for k in range(7):
        assert torch.equal(together[k : k + 1], run(slice(k, k + 1)))


@pytest.mark.parametrize("option", OPTIONS)
def test_a_diverged_trial_leaves_the_others_alone(option):
    rule = _rule(option, weight_decay=torch.full((2, 1), 0.1))
    params_TP = torch.ones(2, 4)
    state = rule.init(params_TP)
    params_TP[0], before = float("nan"), params_TP[1].clone()
    rule.update(params_TP, torch.tensor([[float("inf")] * 4, [1.0] * 4]), state, 0.1, 1, None)
    assert params_TP[1].isfinite().all()
    assert not torch.equal(params_TP[1], before)


@pytest.mark.parametrize("option", OPTIONS)
def test_state_survives_save_and_load(option):
    rule = _rule(option, weight_decay=0.1)
    through, _ = _run(rule, torch.float32, 0.1)
    params_TP, state = _run(rule, torch.float32, 0.1, last=4)
    buffer = io.BytesIO()
    torch.save({"params": params_TP, "state": state}, buffer)
    buffer.seek(0)
    saved = torch.load(buffer, weights_only=True)
    assert all(value.shape == params_TP.shape for value in state.values())
    resumed, _ = _run(rule, torch.float32, 0.1, first=5, params_TP=saved["params"], state=saved["state"])
    assert torch.equal(through, resumed)


@pytest.mark.parametrize("option", OPTIONS)
def test_weight_decay_acts_only_where_the_mask_is_one_and_pads_stay_zero(option):
    rule = _rule(option, weight_decay=0.5)
    params_TP = torch.tensor([[1.0, 1.0, 0.0]])
    state = rule.init(params_TP)
    rule.update(params_TP, torch.zeros(1, 3), state, 0.1, 1, torch.tensor([1.0, 0.0, 1.0]))
    assert params_TP[0, 0] < 1
    assert params_TP[0, 1:].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("option", OPTIONS)
def test_reaches_the_minimum_of_a_quadratic(option):
    rule = build(read_option("optimizer", option) | {"weight_decay": 0.0})
    curvature_P = torch.tensor([1.0, 3.0])
    params_TP = torch.tensor([[1.0, -2.0]])
    state = rule.init(params_TP)
    for step in range(1, 401):
        lr = 0.1 / step**0.5 if option == "rmsprop" else 0.5 if option == "adagrad" else 0.05
        rule.update(params_TP, curvature_P * params_TP, state, lr, step, None)
    assert params_TP.abs().max() < 0.03


def _rule(option: str, **changes):
    return build({**read_option("optimizer", option), **OURS[option], **changes})


def _run(rule, dtype, lr, first=1, last=8, params_TP=None, state=None):
    generator = torch.Generator().manual_seed(2)
    start_TP = torch.randn(2, 9, dtype=dtype, generator=generator)
    grads_STP = torch.randn(8, 2, 9, dtype=dtype, generator=generator)
    params_TP = start_TP if params_TP is None else params_TP
    state = rule.init(params_TP) if state is None else state
    assert list(inspect.signature(rule.update).parameters) == [
        "params_TP", "grads_TP", "state", "lr_T1", "step", "decay_P",
    ]  # fmt: skip
    for step in range(first, last + 1):
        rule.update(params_TP, grads_STP[step - 1].clone(), state, lr, step, None)
    return params_TP, state
