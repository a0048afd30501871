import pytest
import torch
from torch.nn import functional as F

from dlexp.augment.flip_crop import FlipCrop
from dlexp.error import ConfigError

IMAGES = torch.randint(0, 256, (200, 3, 6, 5), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
MODES = {"zeros": "constant", "edge": "replicate", "reflect": "reflect"}


def windows(image, padding, fill):
    """All crops, mirrored and not, cut one by one."""
    padded = F.pad(image[None].float(), [padding] * 4, mode=MODES[fill])[0].to(torch.uint8)
    height, width = image.shape[1:]
    for top in range(2 * padding + 1):
        for left in range(2 * padding + 1):
            crop = padded[:, top : top + height, left : left + width]
            yield crop
            yield crop.flip(-1)


@pytest.mark.parametrize("fill", MODES)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_every_result_is_a_window_and_all_occur(fill, dtype):
    out, _ = FlipCrop(1, 0.5, fill)(IMAGES.to(dtype), torch.zeros(200), torch.Generator().manual_seed(0))
    used = set()
    for image, result in zip(IMAGES, out, strict=True):
        match = [i for i, window in enumerate(windows(image, 1, fill)) if window.equal(result.to(torch.uint8))]
        assert match
        used.update(match)
    assert used == set(range(18))


def test_no_padding_only_mirrors():
    out, _ = FlipCrop(0, 1.0)(IMAGES, torch.zeros(200), torch.Generator())
    assert out.equal(IMAGES.flip(-1))


def test_no_mirroring_only_shifts():
    bars = torch.zeros(300, 1, 9, 9)
    bars[..., 4] = 1
    out, _ = FlipCrop(3, 0.0)(bars, torch.zeros(300), torch.Generator().manual_seed(0))
    place = out.sum(2)[:, 0].argmax(-1)
    counts = torch.bincount(place, minlength=9)
    assert counts[[0, 8]].tolist() == [0, 0]
    assert counts[1:8].min() > 20  # 300 / 7 = 43 expected


def test_a_mirror_is_smaller_than_the_picture():
    images = torch.zeros(2, 1, 4, 9)
    assert FlipCrop(3, 0.5, "reflect")(images, torch.zeros(2), torch.Generator())[0].shape == images.shape
    with pytest.raises(ConfigError, match=r"augment.padding: got 4; fill=reflect .* 4 pixels: at most 3, or fill=edge"):
        FlipCrop(4, 0.5, "reflect")(images, torch.zeros(2), torch.Generator())
