"""A matplotlib figure without pyplot's global state, written atomically."""

import io
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dlexp.durable import write_bytes

DPI = 120


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches, laid out to fit its labels."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def plain(text: str) -> str:
    """Return a text that matplotlib shows as it is: no formula between dollars, no underscore that hides a legend."""
    shown = text.replace("$", r"\$")
    return f"\u200b{shown}" if shown.startswith("_") else shown


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG and return its path."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DPI)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, content.getvalue())
    return path
