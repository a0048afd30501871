"""A matplotlib figure without pyplot's global state, written atomically as PNG, PDF or SVG."""

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dlexp.disk.durable import write_bytes
from dlexp.error import ConfigError
from dlexp.figure.attempt import Drawings, attempt
from dlexp.figure.style.look import CM, look, require_format
from dlexp.figure.style.text import FONT as KEY_FONT
from dlexp.figure.style.text import fit, use_fonts, wrap

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

PANEL = 3.15  # inches, 8 cm: one panel is read at the width of a paper's column
PAGE = 2 * PANEL  # the widest figure where no width is asked for
FONT = 8  # points
COLLAPSED = "constrained_layout not applied"  # how matplotlib's warning begins
SAMPLE = 8  # characters that the mark of a legend takes
LINE = 0.16  # inches of a line of a legend
KEY_LINE = 0.13  # inches of a line of a key
STYLE: "dict[RcKeyType, Any]" = {
    "font.size": FONT,
    "axes.titlesize": FONT + 1,
    "figure.titlesize": FONT + 1,
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
    "figure.constrained_layout.w_pad": 0.08,
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
    """Return an empty figure laid out to fit its labels.

    Args:
        width: Inches that it needs; it is as wide as the user asked, and else at most a page.
        height: Inches that it needs at that width.
    """
    figure = Figure(figsize=(width_for(width), height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def width_for(needed: float) -> float:
    """Return the width, in inches, of a figure that needs so many."""
    return look().width or min(needed, PAGE)


def panels(num: int, height: float = 2.5, width: float = PANEL) -> tuple[Figure, list[Axes]]:
    """Return a figure of panels, evenly many a row and as many as its width has room for, and their axes, none empty.

    Args:
        num: Panels.
        height: Of a panel, inches.
        width: That a panel needs, inches.
    """
    columns = max(1, int(width_for(num * width) / width + 0.01))
    rows = -(-num // columns)
    columns = -(-num // rows)
    figure = new_figure(width * columns, height * rows)
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axis in axes[num:]:
        axis.remove()
    return figure, axes[:num]


def is_narrow(figure: Figure) -> bool:
    """Say whether a figure is too narrow for two things beside each other."""
    return figure.get_figwidth() < 1.5 * PANEL


def add_legend(figure: Figure, key: Sequence[str] = (), *, is_below: bool = False) -> None:
    """Say once what the marks of all axes are: beside them where there is room, or below, where the figure grows.

    Args:
        figure: With labels at its marks.
        key: Lines below the axes that say what letters in labels stand for.
        is_below: Whether the marks stand below in any case.
    """
    marks = {name: mark for axis in figure.axes for mark, name in zip(*axis.get_legend_handles_labels(), strict=True)}
    lines = wrap(key, figure.get_figwidth())
    if marks and not (is_below or is_narrow(figure)):
        figure.legend(marks.values(), marks, loc="outside right upper")
        marks = {}
    columns = max(1, min(len(marks), fit(figure.get_figwidth()) // (max(map(len, marks), default=0) + SAMPLE)))
    height = KEY_LINE * len(lines) + LINE * -(-len(marks) // columns)
    figure.set_figheight(figure.get_figheight() + height + (0.12 if height else 0.0))
    if marks:
        title = {"title": "\n".join(lines), "title_fontsize": KEY_FONT, "alignment": "left", "frameon": not lines}
        figure.legend(marks.values(), marks, loc="outside lower center", ncols=columns, **title)
    elif lines:
        figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=KEY_FONT)


def render(figure: Figure, suffix: str, dpi: float | None = None) -> bytes:
    """Return the file of a figure.

    Args:
        figure: Drawn under `styled`.
        suffix: png, pdf or svg.
        dpi: Dots an inch, of PNG; None for those that the user asked for.

    Raises:
        ConfigError: The size that the user asked for has no room for the labels.
    """
    content = io.BytesIO()
    if (height := look().height) is not None:
        figure.set_figheight(height)
    metadata = {"Date": None} if suffix == "svg" else {"CreationDate": None} if suffix == "pdf" else None
    with styled(), warnings.catch_warnings():
        warnings.filterwarnings("error", COLLAPSED)
        use_fonts(figure)
        try:
            figure.savefig(content, format=suffix, dpi=dpi or look().dpi, metadata=metadata)
        except UserWarning as warning:
            if not str(warning).startswith(COLLAPSED):
                raise
            size = " x ".join(f"{side / CM:.3g} cm" for side in figure.get_size_inches())
            raise ConfigError(
                f"--figure-size: got {size}; the labels of the figure leave no room for its axes"
            ) from None
    return content.getvalue()


def save_all(figures: Drawings, folder: Path, log: Callable[[str], None]) -> list[Path]:
    """Draw figures and write them in the format that the user asked for; one that fails does not stop the others.

    Args:
        figures: What draws each, by its name.
        folder: For the files.
        log: Takes a line about each that failed.

    Returns:
        The files written.
    """
    paths = {name: folder / f"{name}.{look().format}" for name in figures}
    return [
        path
        for name, path in paths.items()
        if attempt(lambda draw=figures[name], path=path: save(draw(), path), log, f"the figure {name}")
    ]


def save(figure: Figure, path: Path) -> Path:
    """Write a figure in the format that its name ends with and return its path.

    Raises:
        ConfigError: The name ends with another format.
    """
    content = render(figure, require_format(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, content)
    return path
