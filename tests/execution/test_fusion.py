"""How a group trains is measured, and kept."""

import json

import pytest
import torch

from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve
from dlexp.execution import fusion as module
from dlexp.execution.fusion import best_of, choose, even_size


def made(trials: int, *overrides: str):
    configs = [resolve(["tracking=none", "trainer.threads=1", *overrides, f"seed={i}"]).config for i in range(trials)]
    return components_of(configs, [load_data(configs[0])] * trials)


def test_one_trial_or_fuse_off_is_solo():
    assert choose(made(1)).engine == "solo"
    off = choose(made(4, "trainer.fuse=off"))
    assert (off.engine, off.size, off.reason) == ("solo", 1, "trainer.fuse=off")


def test_a_number_forces_a_stack_of_at_most_that_many():
    assert (choose(made(5, "trainer.fuse=3")).engine, choose(made(5, "trainer.fuse=3")).size) == ("batched", 3)
    assert choose(made(2, "trainer.fuse=9")).size == 2


def test_auto_takes_the_fastest_it_timed_and_keeps_the_answer(tmp_path):
    group = made(16, "model.widths=[16,16]")
    cache = tmp_path / "fuse.json"
    choice = choose(group, cache)
    named = f"{choice.engine}:{choice.size}"
    assert choice.seconds[named] <= 1.05 * min(choice.seconds.values()) or choice.gain == 1.0
    ((_, stored),) = json.loads(cache.read_text()).items()
    assert stored["size"] == choice.size
    cache.write_text(cache.read_text().replace(f'"size": {choice.size}', '"size": 2'))
    assert choose(group, cache).size == 2


def test_a_damaged_cache_is_measured_anew(tmp_path):
    cache = tmp_path / "fuse.json"
    cache.write_text("{")
    assert choose(made(4, "trainer.fuse=2"), cache).size == 2


def test_a_model_that_cannot_be_stacked_trains_alone_and_the_reason_is_named():
    small = ["model=densenet", "model.depth=40", "model.growth_rate=2", "data=fake", "trainer.batch_size=4"]
    choice = choose(made(3, *small, "model.checkpointing=true"))
    assert (choice.engine, choice.size, choice.gain) == ("solo", 1, 1.0)
    assert choice.reason.startswith(
        "the model cannot be stacked: batched: its backward pass leaves other gradients or "
    )
    assert "vmapped: model.checkpointing=true computes again in the backward pass" in choice.reason


def test_a_stack_that_runs_out_of_memory_while_it_is_timed_is_not_taken(monkeypatch):
    make_program = module.make_program

    def scarce(components, engine="solo"):
        if engine == "vmapped" or len(components) > 4:
            raise torch.OutOfMemoryError("no memory for so many")
        return make_program(components, engine)

    monkeypatch.setattr(module, "make_program", scarce)
    choice = choose(made(16, "model.widths=[16,16]"))
    assert set(choice.seconds) == {"solo:1", "batched:4"}
    monkeypatch.setattr(module, "is_plenty", lambda *_: False)
    monkeypatch.setattr(module, "num_fitting", lambda *_: 1)
    for overrides in (["model.widths=[16,16]"], ["model=cnn", "model.channels=[4,4]"]):
        alone = choose(made(16, *overrides))
        assert alone.reason == "the memory has room for one trial at a time"
        assert (alone.engine, alone.size) == ("solo", 1)
    monkeypatch.setattr(module, "equal_forms", lambda *_: ([], ["batched"]))
    alone = choose(made(16, "model.widths=[16,16]"))
    assert (alone.engine, alone.size) == ("batched", 1), "the bits of a stack of one are those of the stack"


def told(monkeypatch, seconds: dict[str, float]) -> None:
    """Have the timing of every engine told by a table of seconds an update."""
    monkeypatch.setattr(module, "_time", lambda _solo, _components, kind: (seconds["solo"], seconds[kind]))


@pytest.mark.parametrize("gain", [0.4, 0.9, 1.1, 3.0])
def test_a_stopwatch_decides_between_equal_bits_alone(monkeypatch, gain):
    """Dense and convolution nets round alike, alone or stacked; where a stack has its own rounding, it stays."""
    told(monkeypatch, {"solo": 1.0, "batched": 4 / gain, "vmapped": 0.001})
    for overrides in (["model.widths=[16]"], ["model=cnn", "model.channels=[4,4]"]):
        choice = choose(made(4, *overrides, "data.limit=100"))
        assert (choice.engine, choice.is_exact) == ("batched" if gain >= module.MIN_GAIN else "solo", True)
    monkeypatch.setattr(module, "equal_forms", lambda *_: ([], ["batched"]))
    choice = choose(made(4, "model.widths=[16]", "data.limit=100"))
    assert (choice.engine, choice.is_exact) == (("solo", False) if gain < module.UNBEARABLE else ("batched", True))


def test_where_no_form_equals_another_the_choice_is_told(monkeypatch):
    monkeypatch.setattr(module, "equal_forms", lambda *_: ([], []))
    told(monkeypatch, {"solo": 1.0, "batched": 1.0, "vmapped": 2.0})
    choice = choose(made(4, "model.widths=[16]", "data.limit=100"))
    assert (choice.engine, choice.is_exact) == ("batched", False)


def test_what_was_chosen_for_a_sweep_or_cv_stays(tmp_path, monkeypatch):
    record, group = tmp_path / "engines.json", made(4, "model.widths=[16]", "data.limit=100")
    told(monkeypatch, {"solo": 1.0, "batched": 1.0, "vmapped": 2.0})
    first = choose(group, None, record)
    assert (first.engine, first.size) == ("batched", 4)
    monkeypatch.setattr(module, "_measure", None)  # nothing is timed again
    assert choose(group, None, record) == first
    assert choose(group[:1], None, record).engine == "batched", "the last that a kill left over"
    assert choose(group[:1]).engine == "solo"


@pytest.mark.parametrize(
    ("size", "num", "limit", "expected"),
    [(16, 100, 100, 17), (16, 24, 24, 12), (16, 20, 20, 20), (16, 20, 16, 16), (4, 1, 1, 1), (64, 100, 100, 50)],
)
def test_programs_are_as_many_as_come_nearest_to_the_size_and_all_alike(size, num, limit, expected):
    assert even_size(size, num, limit) == expected


def test_what_an_epoch_costs_whatever_the_size_makes_larger_stacks_cheaper():
    seconds = {"solo:1": 3.0, "batched:4": 1.04, "batched:32": 1.0}
    assert best_of(seconds, 1.15).size == 4
    assert best_of(seconds, 1.15, epoch_share=0.4).size == 32, "1.04 + 0.4 / 4 against 1 + 0.4 / 32"
