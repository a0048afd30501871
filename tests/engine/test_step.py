"""One update against torch's own modules and optimisers, in float64."""

import copy
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dlexp.engine.forward import Solo
from dlexp.engine.graph.moment import Moment
from dlexp.engine.rule.rules import Rules
from dlexp.engine.step import Step
from dlexp.engine.sums import Sums
from dlexp.engine.task import Batch
from dlexp.loss import CrossEntropy
from dlexp.optimizer.adam import Adam
from dlexp.optimizer.momentum import Momentum
from dlexp.optimizer.sgd import SGD
from dlexp.regularizer import L2, MaxNorm, NoRegularizer
from dlexp.schedule.constant import Constant
from tests.present import present

LR = 0.05
NEW = {
    "sgd": (SGD, partial(torch.optim.SGD, lr=LR)),
    "momentum": (Momentum, partial(torch.optim.SGD, lr=LR, momentum=0.9)),
    "adam": (Adam, partial(torch.optim.Adam, lr=LR)),
}


def make_model(seed: int = 0) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        # no bias before batch norm: its gradient is rounding noise, which Adam would scale up to full steps
        return nn.Sequential(nn.Linear(6, 9, bias=False), nn.BatchNorm1d(9), nn.ReLU(), nn.Linear(9, 4)).double()


def make_step(model: nn.Module, optimizer, regularizer=None, precision="fp32", **rules) -> Step:
    forward = Solo(model, device=torch.device("cpu"), channels_last=False)
    schedule = Constant(total_steps=100, steps_per_epoch=10)
    loss = CrossEntropy(num_classes=4)
    return Step(forward, Rules(loss, optimizer, schedule, regularizer or NoRegularizer(), **rules), model, precision)


def batches(num: int, size: int = 8, dtype=torch.float64) -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(3)
    return [
        (torch.randn(size, 6, generator=generator, dtype=dtype), torch.randint(4, (1, size), generator=generator))
        for _ in range(num)
    ]


def advance(step: Step, data: list[tuple[Tensor, Tensor]], accumulate: int = 1) -> Sums:
    sums = Sums.zero(step.forward.flat.tensor[:, 0])
    lr = torch.full((1, 1), LR, dtype=step.forward.flat.tensor.dtype)
    for number, start in enumerate(range(0, len(data), accumulate), start=1):
        step([[Batch(None, True, x, y)] for x, y in data[start : start + accumulate]], lr, number, sums)
    return sums


@pytest.mark.parametrize("name", NEW)
def test_fifty_updates_equal_torch(name):
    ours, reference = make_model(), make_model()
    optimizer = NEW[name][1](reference.parameters())
    advance(make_step(ours, NEW[name][0](lr=LR)), batches(50))
    for x, y in batches(50):
        optimizer.zero_grad()
        nn.functional.cross_entropy(reference(x), y[0]).backward()
        optimizer.step()
    for a, b in zip(ours.state_dict().values(), reference.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def test_gradient_clip_equals_torch():
    ours, reference = make_model(), make_model()
    step = make_step(ours, SGD(lr=LR), grad_clip=torch.tensor([[0.1]], dtype=torch.float64))
    advance(step, batches(5))
    for x, y in batches(5):
        reference.zero_grad()
        nn.functional.cross_entropy(reference(x), y[0]).backward()
        nn.utils.clip_grad_norm_(reference.parameters(), 0.1)
        with torch.no_grad():
            for parameter in reference.parameters():
                parameter -= LR * present(parameter.grad)
    for a, b in zip(ours.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def test_accumulated_batches_of_unequal_size_equal_one_large_batch():
    data = batches(3)
    data[-1] = (data[-1][0][:3], data[-1][1][:, :3])
    together = [(torch.cat([x for x, _ in data]), torch.cat([y for _, y in data], dim=1))]
    model = make_model()
    models = [nn.Sequential(model[0], nn.Tanh(), model[3])]
    models.append(copy.deepcopy(models[0]))
    advance(make_step(models[0], SGD(lr=LR)), data, accumulate=3)
    advance(make_step(models[1], SGD(lr=LR)), together)
    for a, b in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("weight", [[1.0, 3.0, 0.5, 2.0], [0.0, 1.0, 0.0, 4.0]])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_class_weights_of_accumulated_batches_count_together(weight, smoothing):
    data = batches(3)
    data[-1] = (data[-1][0][:3], data[-1][1][:, :3])
    together = [(torch.cat([x for x, _ in data]), torch.cat([y for _, y in data], dim=1))]
    model = make_model()
    models = [nn.Sequential(model[0], nn.Tanh(), model[3])]
    models.append(copy.deepcopy(models[0]))
    for model, pairs, accumulate in zip(models, (data, together), (3, 1), strict=True):
        step = make_step(model, SGD(lr=LR))
        step.rules.loss.class_weight, step.rules.loss.label_smoothing = weight, smoothing
        advance(step, pairs, accumulate=accumulate)
    reference = nn.Sequential(*copy.deepcopy([make_model()[0], nn.Tanh(), make_model()[3]]))
    criterion = nn.CrossEntropyLoss(torch.tensor(weight).double(), label_smoothing=smoothing)
    criterion(reference(together[0][0]), together[0][1][0]).backward()
    for a, b, c in zip(models[0].parameters(), models[1].parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)
        assert c.grad is not None
        torch.testing.assert_close(a, c - LR * c.grad, rtol=1e-10, atol=1e-12)


def test_average_of_weights_follows_its_formula_and_is_put_in_and_taken_out():
    model = make_model()
    step = make_step(model, SGD(lr=LR), ema=torch.tensor([[0.9]], dtype=torch.float64))
    expected = step.forward.flat.tensor.clone()
    sums, lr = Sums.zero(step.forward.flat.tensor[:, 0]), torch.full((1, 1), LR, dtype=torch.float64)
    for number, (x, y) in enumerate(batches(100), start=1):
        step([[Batch(None, True, x, y)]], lr, number, sums)
        decay = min(0.9, (1 + number) / (10 + number))  # 0.9 from the 80th update on
        expected = decay * expected + (1 - decay) * step.forward.flat.tensor
    torch.testing.assert_close(step.state["ema"], expected)
    trained = model[0].weight.detach().clone()
    with step.averaged():
        assert not torch.equal(model[0].weight, trained)
    assert torch.equal(model[0].weight, trained)


def test_the_average_forgets_the_first_weights_however_near_one_its_decay():
    step = make_step(make_model(), SGD(lr=0.0), ema=torch.tensor([[0.9999]], dtype=torch.float64))
    params = step.forward.flat.tensor
    params.zero_()
    step.state["ema"].fill_(1.0)  # what is left of it is the share of the first weights
    for number in range(1, 171):
        with torch.no_grad():
            params.zero_()
            step.forward.grads.zero_()
            step.apply(Moment.of(torch.zeros(1, 1, dtype=torch.float64), number))
    assert step.state["ema"].max().item() < 1e-9


def test_l2_leaves_biases_and_norm_parameters_alone():
    plain, penalised = make_model(), make_model()
    advance(make_step(plain, SGD(lr=LR)), batches(1))
    advance(make_step(penalised, SGD(lr=LR), L2(weight=0.5)), batches(1))
    for (name, a), b in zip(plain.named_parameters(), penalised.parameters(), strict=True):
        assert torch.equal(a, b) == (a.dim() < 2), name


def test_max_norm_holds_after_every_update():
    model = make_model()
    advance(make_step(model, SGD(lr=LR), MaxNorm(max_norm=0.3)), batches(3))
    for weight in (model[0].weight, model[3].weight):
        assert float(weight.detach().norm(dim=1).max()) <= 0.3 + 1e-9


def test_auxiliary_losses_enter_with_their_weights():
    class TwoHeads(nn.Module):
        def __init__(self):
            super().__init__()
            self.main, self.side = nn.Linear(6, 4), nn.Linear(6, 4)
            self.aux_weights = [0.3]

        def forward(self, x):
            return [self.main(x), self.side(x)] if self.training else self.main(x)

    model = TwoHeads().double()
    reference = copy.deepcopy(model)
    advance(make_step(model, SGD(lr=LR)), batches(1))
    ((x, y),) = batches(1)
    main, side = reference(x)
    (nn.functional.cross_entropy(main, y[0]) + 0.3 * nn.functional.cross_entropy(side, y[0])).backward()
    torch.testing.assert_close(model.side.weight, reference.side.weight - LR * present(reference.side.weight.grad))
    torch.testing.assert_close(model.main.weight, reference.main.weight - LR * present(reference.main.weight.grad))


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_mixed_precision_learns_nearly_what_full_precision_does(precision):
    x = batches(1, size=64, dtype=torch.float32)[0][0]
    data = [(x, x[:, :4].argmax(1)[None])] * 40
    losses = {}
    for name in ("fp32", precision):
        step = make_step(make_model().float(), SGD(lr=LR), precision=name)
        losses[name] = [
            advance(step, data[:1]).mean_loss()[0],
            advance(step, data).mean_loss()[0],
            advance(step, data).mean_loss()[0],
        ]
    assert losses[precision][2] < 0.8 * losses[precision][0]
    assert losses[precision] == pytest.approx(losses["fp32"], rel=0.02)
    assert losses[precision] != losses["fp32"]


def test_overflow_in_fp16_undoes_the_update_and_halves_the_scale():
    model = make_model().float()
    step = make_step(model, Momentum(lr=LR), precision="fp16")
    scale = float(step.state["loss_scale"])
    before = {name: value.clone() for name, value in step.state.items()}
    params = step.forward.flat.tensor.clone()
    x, y = batches(1, dtype=torch.float32)[0]
    advance(step, [(x * 1e30, y)])
    assert torch.equal(step.forward.flat.tensor, params)
    assert all(torch.equal(step.state[name], before[name]) for name in before if name.startswith("rule."))
    assert float(step.state["loss_scale"]) == scale / 2


def test_each_accumulated_batch_is_seeded_once_before_it_runs():
    class Noted(nn.Module):
        """Notes the examples that it saw."""

        def __init__(self):
            super().__init__()
            self.linear, self.seen = nn.Linear(6, 4), []

        def forward(self, x):
            self.seen.append(("ran", len(x)))
            return self.linear(x)

    model = Noted().double()
    step = make_step(model, SGD(lr=LR))
    data = [[Batch(None, True, x, y)] for x, y in batches(3)]
    sums, lr = Sums.zero(step.forward.flat.tensor[:, 0]), torch.full((1, 1), LR, dtype=torch.float64)
    step(data, lr, 1, sums, lambda place: model.seen.append(("seeded", place)))
    assert model.seen == [(kind, value) for i in range(3) for kind, value in (("seeded", i), ("ran", 8))]
