"""A network of torchvision in a training run: weights from a file, frozen parts that stay, stacks."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import assemble, make_program
from dlexp.config.resolve import resolve
from dlexp.engine.event import EpochEnd
from dlexp.job.train import train

SMALL = ["data=fake", "data.num_classes=3", "data.num_train=48", "data.num_val=12", "trainer.batch_size=16"]
COMMON = [*SMALL, "model=torchvision", "tracking=none", "trainer.threads=1", "trainer.epochs=1"]
DECAYING = ["optimizer=momentum", "optimizer.weight_decay=0.1", "optimizer.biases=true", "regularizer=l2"]
FROZEN = "freeze=[conv1,bn1,layer*]"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A resnet18 for 1,000 classes in a file, as if it had been downloaded."""
    import torchvision

    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = torchvision.models.resnet18(weights=None).state_dict()
    path = tmp_path_factory.mktemp("weights") / "resnet18.safetensors"
    save_file(state, path)
    return path


def trained(folder: Path, *overrides: str):
    composed = resolve([*COMMON, f"runs_dir={folder}", *overrides])
    outcome = train.start(composed, announce=lambda about: lambda event: None)
    assert outcome.exit_code == 0
    return load_file(Path(outcome.result["run_dir"]) / "checkpoints" / "last" / "weights.safetensors")


def test_an_epoch_moves_every_parameter(tmp_path):
    before = assemble(resolve([*COMMON, "model.name=resnet18"]).config).model
    after = trained(tmp_path, "model.name=resnet18")
    for name, value in before.named_parameters():
        assert not torch.equal(after[name], value), name
        assert after[name].isfinite().all(), name


def test_what_is_frozen_stays_as_the_file_has_it_under_every_decay(tmp_path, file):
    read, after = load_file(file), trained(tmp_path, f"model.weights={file}", FROZEN, *DECAYING)
    parameters = [name for name in read if not name.endswith(("running_mean", "running_var", "num_batches_tracked"))]
    assert len(parameters) == 62
    for name in parameters:
        if not name.startswith("fc."):
            assert torch.equal(after[f"net.{name}"], read[name]), name
    assert after["net.fc.weight"].shape == (3, 512)
    start = assemble(resolve([*COMMON, f"model.weights={file}", FROZEN]).config).model
    assert not torch.equal(after["net.fc.weight"], start.get_parameter("net.fc.weight"))


def test_weights_of_the_file_are_where_training_starts(file):
    model = assemble(resolve([*COMMON, f"model.weights={file}"]).config).model
    for name, value in load_file(file).items():
        if not name.startswith("fc."):
            assert torch.equal(model.state_dict()[f"net.{name}"], value), name


def test_a_stack_of_frozen_nets_trains_as_each_alone(file):
    configs = [
        resolve([*COMMON, "trainer.precision=fp64", f"model.weights={file}", FROZEN, *DECAYING, f"seed={seed}"]).config
        for seed in range(2)
    ]
    data = load_data(configs[0])
    stacked = losses(make_program(components_of(configs, [data] * 2), "vmapped").run)
    for row, config in enumerate(configs):
        assert stacked[row] == pytest.approx(losses(assemble(config, data).run)[0], rel=1e-9)


def losses(run):
    return {event.trial: event.metrics["train/loss"] for event in run.events() if isinstance(event, EpochEnd)}
