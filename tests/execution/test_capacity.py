"""How many trials fit: by what an update takes or an evaluation, and by the share of a card that a process has."""

import pytest
import torch

from benchmarks.case import Case
from benchmarks.equality import configure, divide
from dlexp import device as devices
from dlexp.build.components import Components, components_of
from dlexp.build.program import make_program
from dlexp.execution import capacity as module
from dlexp.execution.capacity import counted_bytes, is_plenty, num_fitting
from dlexp.launcher.local import SHARE


def many(num: int, **overrides: str) -> list[Components]:
    case = Case("many", {"model": "mlp", "model.widths": "[16]", **overrides}, [{"seed": str(i)} for i in range(num)])
    configs = configure(case, "fp32")
    return components_of(configs, divide(case, configs))


def test_an_evaluation_that_takes_more_than_an_update_counts():
    small = counted_bytes(many(2, **{"trainer.eval_batch_size": "8"}), "batched")
    large = counted_bytes(many(2, **{"trainer.eval_batch_size": "300"}), "batched")
    assert large > 1.5 * small  # the validation part has 359 rows of 64 floats, a batch of an update 8


def test_a_process_plans_with_its_share_of_the_free_memory(monkeypatch):
    components = many(4)
    taken = {2: 300, 4: 500}
    monkeypatch.setattr(module, "counted_bytes", lambda trials, _kind: taken[len(trials)])
    monkeypatch.setattr(devices, "free_bytes", lambda _device: 10_000)
    assert num_fitting(components, "batched") == 84  # 0.85 * 10,000 = 100 + 100 T
    monkeypatch.setenv(SHARE, "0.500")
    assert num_fitting(components, "batched") == 41  # 0.85 * 5,000 = 100 + 100 T


def test_small_programs_on_a_cpu_have_plenty(monkeypatch):
    alone = make_program(many(1))
    assert is_plenty(alone, 8)
    monkeypatch.setattr(devices, "free_bytes", lambda _device: 10_000)
    assert not is_plenty(alone, 8)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("kind", ["batched", "graphed"])
def test_what_a_card_loses_covers_what_its_allocator_reserves(kind):
    components = many(4, **{"trainer.device": "cuda", "model.widths": "[512,512]"})
    device = torch.device("cuda:0")
    module.lost_bytes(components[:2], kind, device)
    two, four = (module.lost_bytes(components[:num], kind, device) for num in (2, 4))
    weights = 4 * (64 * 512 + 512 * 512 + 512 * 10)
    assert four >= two
    assert four > 4 * 2 * weights  # weights and gradients at the least
