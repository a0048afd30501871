"""Paths over a surface as an animated GIF. Shapes: S points."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from dlexp.disk.durable import write_bytes
from dlexp.figure.path.contour import SIDE, Field, Track, draw_field, style_of
from dlexp.figure.style.canvas import add_legend, new_figure, styled
from dlexp.figure.style.color import MARKED

FRAMES = 60
PAUSE = 80  # milliseconds of a frame; the last is shown 20 times as long
DPI = 110
TURN = 1.5  # of the share of steps: early steps, where rules differ most, get more frames


@styled()
def write_film(field: Field, tracks: Sequence[Track], path: Path) -> None:
    """Write the paths as they grow, all at the same number of steps in a frame.

    Args:
        field: The function.
        tracks: At least one.
        path: The GIF.
    """
    figure = new_figure(SIDE, SIDE * 0.85)
    axis = figure.subplots()
    draw_field(axis, field)
    lines, heads = [], []
    for number, track in enumerate(tracks):
        color, dash = style_of(number)
        lines.append(axis.plot([], [], dash, color=color, lw=1.2, label=track.label)[0])
        heads.append(axis.plot([], [], "o", color=color, ms=5)[0])
    axis.plot(*tracks[0].points_S2[0], "s", color=MARKED, ms=5)
    counter = axis.text(0.02, 0.97, "", transform=axis.transAxes, va="top")
    add_legend(figure, is_below=True)
    figure.set_dpi(DPI)
    frames = []
    for step in frame_steps(max(len(track.points_S2) for track in tracks) - 1):
        for track, line, head in zip(tracks, lines, heads, strict=True):
            passed_S2 = track.points_S2[: step + 1]
            line.set_data(*passed_S2.T)
            head.set_data(*passed_S2[-1:].T)
        counter.set_text(f"step {step}")
        frames.append(_picture(figure.canvas))
    content = io.BytesIO()
    pauses = [PAUSE] * (len(frames) - 1) + [20 * PAUSE]
    frames[0].save(content, format="GIF", save_all=True, append_images=frames[1:], duration=pauses, loop=0)
    write_bytes(path, content.getvalue())


def frame_steps(last: int) -> list[int]:
    """Return the steps that are shown, from 0 to the last, at most `FRAMES`, closer in the beginning."""
    shares = np.linspace(0, 1, FRAMES) ** TURN
    return sorted({round(float(share) * last) for share in shares})


def _picture(canvas: Any) -> Image.Image:
    assert isinstance(canvas, FigureCanvasAgg)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()).quantize(64)
