"""What autoencoders are trained towards: their own inputs, as the model takes them, before anything corrupts them."""

import pytest
import torch

from dlexp.augment.compose import Compose
from dlexp.augment.cutout import Cutout
from dlexp.augment.draw import Stream
from dlexp.augment.flip_crop import FlipCrop
from dlexp.augment.noise import Noise
from dlexp.build.components import Components
from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.engine.answer.inputs import as_targets, clean, errors, mean_input
from dlexp.engine.task import epoch_batches
from dlexp.normalize import MinMax, Standard

SMALL = ["task=reconstruct", "data.limit=60", "model.widths=[4]", "trainer.batch_size=16", "tracking=none"]


def stream():
    return Stream.of(7, torch.tensor(7))


def test_targets_are_in_the_order_of_a_flattened_picture():
    x = torch.arange(24.0).view(1, 2, 3, 4).to(memory_format=torch.channels_last)
    assert as_targets(x, is_image=True)[0].tolist() == list(range(24))


def test_error_and_spread_by_their_formulas():
    x_BD, z_BD = torch.tensor([[1.0, 3.0], [0.0, 0.0]]), torch.tensor([[2.0, 0.0], [0.0, 4.0]])
    both = errors(z_BD[None], x_BD, torch.ones(1, 2), is_image=False)[0]
    assert both[:, 0].tolist() == pytest.approx([(10 / 2) ** 0.5, (16 / 2) ** 0.5])
    assert both[:, 1].tolist() == pytest.approx([(0 + 4) / 2, (1 + 1) / 2])


@pytest.mark.parametrize("kind", [Standard, MinMax])
def test_the_mean_is_that_of_the_normalised_training_part(kind):
    images = torch.randint(0, 256, (20, 3, 4, 2), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    rows = torch.arange(5, 17)
    affine = kind().fit(images, rows)
    expected = affine.apply(images[rows], dtype=torch.float64).movedim(-1, 1).flatten(1).mean(0)
    torch.testing.assert_close(mean_input(images, rows, affine), expected[None])


def test_what_corrupts_leaves_the_target_and_what_moves_moves_it():
    images = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    labels = torch.zeros(5)
    for corrupting in (Noise(0.3), Cutout(4), Compose([Noise(0.3), Cutout(4)])):
        assert torch.equal(clean(corrupting, images, labels, stream()), images)
    moving = FlipCrop(padding=2)
    assert torch.equal(clean(moving, images, labels, stream()), moving(images, labels, stream())[0])
    # of both, the move is the very one that the corrupted picture has: cutting out nothing but noise shows it
    both = Compose([Cutout(3), moving])
    seen, target = both(images, labels, stream())[0], clean(both, images, labels, stream())
    untouched = seen == target
    assert not torch.equal(target, images)
    assert 0.7 < untouched.float().mean() < 1


@pytest.mark.parametrize("augment", ["none", "noise", "flip_crop"])
def test_a_batch_has_its_normalised_inputs_as_targets(augment):
    program = assemble(resolve([*SMALL, f"augment={augment}"]).config)
    task, run = program.run.task, program.run
    (batch,) = next(task.gather(epoch_batches(task, run.trainer, run.seeds, 0), is_augmented=True))
    made = task.prepare_training(batch, run.seeds, 0)
    assert made.targets.shape == (1, 16, 64)
    given = made.x if made.is_shared else made.x[0]
    difference = (given.flatten(1) - made.targets[0]).abs().max()
    assert (difference > 0.1) == (augment == "noise")
    assert difference == 0 or augment != "none"


def test_the_loss_of_a_constant_is_that_of_all_zeros_in_normalised_units():
    program = assemble(resolve(SMALL).config)
    rows = program.dataset.train
    targets = program.run.task.objective(rows, 0)
    whole = Components.of(resolve(SMALL).config).affine.apply(program.dataset.inputs[rows], dtype=torch.float64)
    torch.testing.assert_close(targets.square().mean().double(), whole.square().mean(), rtol=1e-5, atol=0)
