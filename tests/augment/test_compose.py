import torch

from dlexp.augment.compose import Compose
from dlexp.augment.cutout import Cutout
from dlexp.augment.flip_crop import FlipCrop

IMAGES = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def test_steps_in_order_from_one_generator():
    steps = [FlipCrop(2), Cutout(3)]
    composed, _ = Compose(steps)(IMAGES, torch.zeros(6), torch.Generator().manual_seed(3))
    draw = torch.Generator().manual_seed(3)
    by_hand, _ = steps[1](*steps[0](IMAGES, torch.zeros(6), draw), draw)
    assert composed.equal(by_hand)
    swapped, _ = Compose(steps[::-1])(IMAGES, torch.zeros(6), torch.Generator().manual_seed(3))
    assert not composed.equal(swapped)


def test_no_steps():
    assert Compose()(IMAGES, torch.zeros(6), torch.Generator())[0] is IMAGES
