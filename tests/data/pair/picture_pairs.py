"""Pictures of writers for tests."""

from pathlib import Path

import numpy as np
from PIL import Image


def write_writers(folder: Path, num: int = 4, genuine: int = 4, forged: int = 3, size: int = 6) -> Path:
    """Write pictures of writers: genuine ones are alike, forged ones are blurred."""
    draw = np.random.default_rng(0)
    for writer in range(num):
        base = draw.integers(0, 255, (size, size))
        for kind, number, noise in (("genuine", genuine, 10), ("forged", forged, 90)):
            place = folder / f"w{writer}" / kind
            place.mkdir(parents=True)
            for i in range(number):
                pixels = np.clip(base + draw.normal(0, noise, (size, size)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(place / f"{i}.png")
    return folder
