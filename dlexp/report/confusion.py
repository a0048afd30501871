"""The confusion matrix as a picture: rows are true classes, columns predicted ones."""

from pathlib import Path

import numpy as np

from dlexp.report.canvas import new_figure, plain, save

MAX_NUMBERS = 30


def draw(counts_KK: np.ndarray, class_names: list[str], path: Path) -> Path:
    """Draw counts (K, K), shaded by the share of their row.

    Args:
        counts_KK: Examples of true class i predicted as class j.
        class_names: A label for each class.
        path: The PNG to write.
    """
    num_classes = len(class_names)
    side = min(3 + 0.42 * num_classes, 14)
    figure = new_figure(side + 0.8, side)
    axis = figure.subplots()
    shares = counts_KK / np.maximum(counts_KK.sum(axis=1, keepdims=True), 1)
    image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axis, label="share of the true class", shrink=0.8)
    axis.set(title="validation: confusion matrix", xlabel="predicted", ylabel="true")
    if num_classes <= MAX_NUMBERS:
        names = [plain(name) for name in class_names]
        axis.set_xticks(range(num_classes), names, rotation=90)
        axis.set_yticks(range(num_classes), names)
        for i, j in np.argwhere(counts_KK > 0):
            color = "white" if shares[i, j] > 0.5 else "black"
            axis.text(j, i, str(int(counts_KK[i, j])), ha="center", va="center", color=color, fontsize=8)
    return save(figure, path)
