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

MIB = 2**20


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


class Card:
    """The memory of a card: what libraries take once, each stream for good, and programs in steps of 20 MiB."""

    STEP, LIBRARIES, WORK_SPACE, GRAPH = 20, 700, 32, 6  # MiB

    def __init__(self, monkeypatch: pytest.MonkeyPatch, total: int, each: float) -> None:
        self.total, self.each = total, each
        self.lasting = self.allocated = self.peak = self.streams = 0.0
        self.reserved = 0
        monkeypatch.setattr(module, "make_program", lambda trials, _kind: Load(self, len(trials)))
        monkeypatch.setattr(module, "_calls", lambda load: [load.update, load.update])
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (round(self.free * MIB), total * MIB))
        monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _device: self.reserved * MIB)
        monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _device: round(self.allocated * MIB))
        monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _device: round(self.peak * MIB))
        monkeypatch.setattr(torch.cuda, "synchronize", lambda _device: None)
        monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
        monkeypatch.setattr(
            torch.cuda, "reset_peak_memory_stats", lambda _device: setattr(self, "peak", self.allocated)
        )
        monkeypatch.setattr(Components, "place", (torch.device("cuda:0"), ""))

    @property
    def free(self) -> float:
        return self.total - self.lasting - self.reserved


class Load:
    """A program of some trials."""

    def __init__(self, card: Card, trials: int) -> None:
        self.card, self.trials, self.is_there = card, trials, False

    def update(self) -> None:
        card = self.card
        card.lasting = max(card.lasting, card.LIBRARIES)
        new_streams = max(0, min(self.trials, 8) - card.streams)
        card.lasting += new_streams * card.WORK_SPACE
        card.streams += new_streams
        if not self.is_there:
            self.is_there = True
            card.allocated += self.trials * card.each
            card.peak = max(card.peak, card.allocated)
            card.reserved = -(-round(self.trials * card.each) // card.STEP) * card.STEP + card.GRAPH
        if card.free < 0:
            raise torch.OutOfMemoryError("CUDA out of memory")

    def __del__(self) -> None:
        self.card.allocated -= self.trials * self.card.each * self.is_there
        self.card.reserved = 0


@pytest.mark.parametrize("each", [2.5, 60, 300])
def test_a_card_is_filled_with_what_it_has_room_for(monkeypatch, each):
    card = Card(monkeypatch, total=40_000, each=each)
    planned = num_fitting(many(16), "graphed")
    room = 0.85 * (40_000 - card.LIBRARIES - 8 * card.WORK_SPACE) / each
    assert 0.9 * room < planned <= room


@pytest.mark.parametrize(("total", "expected"), [(1_000, 1), (1_900, 1), (2_000, 2), (2_500, 2)])
def test_a_card_that_is_too_small_for_what_is_weighed_has_room_for_what_ran(monkeypatch, total, expected):
    Card(monkeypatch, total=total, each=500)  # 700 of libraries, 256 of work space; two take 1,006
    assert num_fitting(many(16), "graphed") == expected


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("kind", ["batched", "graphed"])
def test_what_a_card_loses_covers_what_its_allocator_reserves(kind):
    components = many(4, **{"trainer.device": "cuda", "model.widths": "[512,512]"})
    device = torch.device("cuda:0")
    module.card_bytes(components, kind, device)
    two, four = (module.card_bytes(components[:num], kind, device) for num in (2, 4))
    weights = 4 * (64 * 512 + 512 * 512 + 512 * 10)
    built, tensors, held, evaluated = four
    assert built > two[0]
    assert held >= tensors > two[1]
    assert evaluated > two[3]
    assert built > 4 * 2 * weights  # weights and gradients at the least
    assert max(held, tensors) > 4 * 3 * weights  # and the gradients of a backward pass
    assert evaluated > tensors
