"""From a configuration to a run: what is built of it."""

import pytest
import torch

from dlexp.error import ConfigError
from dlexp.job.assemble import assemble
from dlexp.job.config import resolve

SMALL = ["data.limit=60", "tracking=none", "trainer.threads=1"]


def make(*overrides: str):
    return assemble(resolve([*SMALL, *overrides]).config)


def test_the_seed_gives_the_weights_and_init_has_one_of_its_own():
    first, same, own, other = (
        make(*o).run.step.forward.flat.tensor
        for o in ([], [], ["seed=5", "seeds.init=0"], ["seed=5"])
    )  # fmt: skip
    assert torch.equal(first, same)
    assert torch.equal(first, own)
    assert not torch.equal(first, other)


def test_global_random_state_and_threads():
    before = torch.random.get_rng_state()
    built = make("model=cnn", "init=torch")
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.get_num_threads() == 1
    assert built.device_line.endswith("1 thread(s)")


def test_normalisation_is_fitted_on_the_training_part_only():
    built = make("data=breast_cancer", "trainer.batch_size=60")
    task, data = built.run.task, built.dataset
    (batch,) = [x for x, _ in task.feed.batches([data.train])]
    x = task.prepare(batch)
    torch.testing.assert_close(x.mean(0), torch.zeros(30), atol=1e-5, rtol=0)
    torch.testing.assert_close(x.var(0, correction=0), torch.ones(30), atol=1e-4, rtol=0)


def test_the_monitor_is_the_tasks_first_or_one_that_exists():
    assert make().run.monitor == "val/accuracy"
    assert make("data=diabetes").run.monitor == "val/loss"
    assert make("trainer.monitor=val/f1_macro").run.monitor == "val/f1_macro"
    with pytest.raises(ConfigError, match=r"trainer\.monitor: got val/f2; choose one of val/loss, val/accuracy, "):
        make("trainer.monitor=val/f2")


def test_zeros_in_hidden_layers_are_warned_of():
    assert "hidden layers stay as one unit each" in make("init=zeros").warnings[0]
    assert make("init=zeros", "model=softmax").warnings == []


@pytest.mark.parametrize(("task", "outputs"), [("auto", 1), ("multiclass", 2)])
def test_two_classes_take_one_logit_or_two(task, outputs):
    assert make("data=breast_cancer", f"task={task}").run.step.rules.loss.num_outputs == outputs


def test_decay_spares_biases_unless_told():
    spared, all_decay = (
        make("optimizer=momentum", "optimizer.weight_decay=0.1", f"optimizer.biases={biases}")
        for biases in ("false", "true")
    )
    assert spared.run.steps_per_epoch == all_decay.run.steps_per_epoch == 2
    assert spared.model.state_dict().keys() == all_decay.model.state_dict().keys()
