"""What every augmentation promises, for each option of conf/augment."""

from pathlib import Path

import pytest
import torch
import yaml

from dlexp.build.node import build
from dlexp.error import ConfigError

FILES = sorted((Path(__file__).parents[2] / "conf" / "augment").glob("[!_]*.yaml"))
NODES = {path.stem: yaml.safe_load(path.read_text()) for path in FILES}
NODES["compose"]["steps"] = [NODES["flip_crop"], NODES["mixup"], NODES["cutout"]]
MIXING = {"mixup", "cutmix", "compose"}
MOVING_PIXELS = {"none", "flip_crop", "cutout", "cutmix"}

NUM, NUM_CLASSES = 32, 5
DRAW = torch.Generator().manual_seed(0)
IMAGES = {
    "bytes": torch.randint(0, 256, (NUM, 16, 12, 3), generator=DRAW, dtype=torch.uint8).permute(0, 3, 1, 2),
    "floats": torch.rand(NUM, 1, 16, 12, generator=DRAW),
}
TARGETS = torch.arange(NUM) % NUM_CLASSES


def make(name):
    return build(NODES[name], num_classes=NUM_CLASSES)


def apply(name, images, seed=1, targets=TARGETS):
    return make(name)(images, targets, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.parametrize("name", NODES)
def test_contract(name, kind):
    images, before = IMAGES[kind], IMAGES[kind].clone()
    state = torch.get_rng_state()
    out, targets = apply(name, images)
    assert out.shape == images.shape
    assert out.dtype == (images.dtype if name in MOVING_PIXELS else torch.float32)
    assert out.isfinite().all()
    if out.dtype == torch.float32:
        assert out.min() >= 0
        assert out.max() <= 1 + 1e-6
    if name in MIXING:
        assert targets.shape == (NUM, NUM_CLASSES)
        torch.testing.assert_close(targets.sum(1), torch.ones(NUM))
        assert (targets.gather(1, TARGETS[:, None]) > 0).any()
    else:
        assert targets.equal(TARGETS)
    assert images.equal(before)
    assert torch.get_rng_state().equal(state)
    again, same = apply(name, images)
    assert again.equal(out)
    assert same.equal(targets)


@pytest.mark.parametrize("name", sorted(set(NODES) - {"none"}))
def test_each_image_has_its_own_draw(name):
    twins = torch.rand(1, 1, 16, 12, generator=torch.Generator().manual_seed(5)).expand(NUM, -1, -1, -1)
    if name in {"mixup", "cutmix"}:
        twins = twins * torch.linspace(0, 1, NUM).view(-1, 1, 1, 1)  # equal partners would mix to themselves
        _, targets = apply(name, twins, targets=torch.arange(NUM) % 2)
        assert len(targets.max(1).values.unique()) > 3
        return
    out, _ = apply(name, twins)
    assert len(out.float().flatten(1).unique(dim=0)) > 2
    assert not out.equal(apply(name, twins, seed=2)[0])


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_values_are_mixed_for_regression(name):
    augment = build(NODES[name], num_classes=0)
    values = torch.arange(NUM).float()
    _, mixed = augment(IMAGES["floats"], values, torch.Generator().manual_seed(0))
    assert mixed.shape == (NUM,)
    assert mixed.min() >= 0
    assert mixed.max() <= NUM - 1
    assert not mixed.equal(values)


@pytest.mark.parametrize("name", sorted(set(NODES) - {"none", "mixup", "compose"}))
def test_vectors_are_refused(name):
    with pytest.raises(ConfigError, match=f"augment: {name} needs images; the data have vectors of 7 features"):
        apply(name, torch.zeros(NUM, 7))


def test_vectors_may_be_blended():
    vectors = torch.randn(NUM, 7, generator=torch.Generator().manual_seed(0))
    out, targets = apply("mixup", vectors)
    assert out.shape == vectors.shape
    assert targets.shape == (NUM, NUM_CLASSES)
