"""Colours that stand out from white (contrast at least 3:1) and from each other, also for the colour-blind.

References: Okabe and Ito (2008), Color Universal Design; WCAG 2.2, success criterion 1.4.11 and its contrast ratio.
"""

import math
from typing import Any

from matplotlib import colormaps
from matplotlib.colors import Colormap, ListedColormap, to_rgb

SPLITS = {"train": "#0072b2", "val": "#d55e00", "test": "#009e73"}  # the same in every figure
NEUTRAL = "#767676"
MARKED = "#111111"  # a winner, a mean, a best epoch
FAILED = "#c1121f"
VERDICTS = {"a": SPLITS["train"], "b": SPLITS["train"], "cannot tell": NEUTRAL}
LIGHTEST = 0.58  # share of viridis beyond which it has less than 3:1 on white


def contrast(color: Any, background: Any = "white") -> float:
    """Return WCAG's contrast ratio, (lighter + 0.05) / (darker + 0.05), from 1 to 21."""
    first, second = (_luminance(to_rgb(each)) for each in (color, background))
    return (max(first, second) + 0.05) / (min(first, second) + 0.05)


def ranked_map() -> Colormap:
    """Return viridis without its light end: from dark for the first to green for the last."""
    return ListedColormap(colormaps["viridis"]([LIGHTEST * step / 255 for step in range(256)]), "ranked")


def shades(num: int) -> list[Any]:
    """Return a colour for each rank, the first the darkest."""
    return [ranked_map()(rank / max(num - 1, 1)) for rank in range(num)]


def _luminance(rgb: tuple[float, float, float]) -> float:
    linear = [value / 12.92 if value <= 0.04045 else math.pow((value + 0.055) / 1.055, 2.4) for value in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
