"""A matplotlib figure without pyplot's global state, written atomically as PNG, PDF or SVG."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dlexp.durable import write_bytes
from dlexp.error import ConfigError
from dlexp.report.style.text import use_fonts

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

DPI = 200
PANEL = 3.15  # inches, 8 cm: one panel is read at the width of a paper's column
FORMATS = ("png", "pdf", "svg")
FONT = 8  # points
STYLE: "dict[RcKeyType, Any]" = {
    "font.size": FONT,
    "axes.titlesize": FONT + 1,
    "axes.labelsize": FONT,
    "xtick.labelsize": FONT - 1,
    "ytick.labelsize": FONT - 1,
    "legend.fontsize": FONT - 1,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "svg.fonttype": "none",
    "svg.hashsalt": "dlexp",
    "pdf.fonttype": 42,
}


@contextmanager
def styled() -> Iterator[None]:
    """Make and write figures in one style, of which nothing stays; a context and a decorator."""
    with rc_context(STYLE):
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches, laid out to fit its labels."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def panels(num: int, columns: int, height: float = 2.5, width: float = PANEL) -> tuple[Figure, list[Axes]]:
    """Return a figure of panels, at most `columns` a row and evenly many, and their axes, none empty."""
    rows = -(-num // columns)
    columns = -(-num // rows)
    figure = new_figure(width * columns, height * rows)
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axis in axes[num:]:
        axis.remove()
    return figure, axes[:num]


def render(figure: Figure, suffix: str, dpi: float = DPI) -> bytes:
    """Return the file of a figure.

    Args:
        figure: Drawn under `styled`.
        suffix: png, pdf or svg.
        dpi: Dots an inch, of PNG.
    """
    content = io.BytesIO()
    metadata = {"Date": None} if suffix == "svg" else {"CreationDate": None} if suffix == "pdf" else None
    with styled():
        use_fonts(figure)
        figure.savefig(content, format=suffix, dpi=dpi, metadata=metadata)
    return content.getvalue()


def save(figure: Figure, path: Path, dpi: float = DPI) -> Path:
    """Write a figure in the format that its name ends with and return its path.

    Raises:
        ConfigError: The name ends with another format.
    """
    suffix = path.suffix.removeprefix(".").lower()
    if suffix not in FORMATS:
        raise ConfigError(f"{path}: got a figure named {path.name}; names end with {', '.join(FORMATS)}")
    content = render(figure, suffix, dpi)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, content)
    return path
