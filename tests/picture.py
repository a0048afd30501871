"""Figures of tests are made of what runs give; they are turned into pictures only where a test says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dlexp.figure.style import canvas

_render = canvas.render
_BLANKS = {"svg": b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'}  # pages parse it


@contextmanager
def blank() -> Iterator[None]:
    """Figures are laid out by nobody: three of them take five times as long as the small run that they are of."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canvas, "render", lambda _figure, suffix, _dpi=None: _BLANKS.get(suffix, b"a picture"))
        yield


@contextmanager
def rendered() -> Iterator[None]:
    """Figures become pictures, as users get them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canvas, "render", _render)
        yield


OF_CLASSES = ("confusion", "confusion_percent", "roc", "precision_recall", "reliability")
OF_PICTURES = ("most_wrong", "least_sure")


def are_pictures(folder: Path, *names: str) -> bool:
    """Say whether the figures of a folder are these, by name, and each a picture."""
    files = sorted(folder.iterdir())
    return [file.stem for file in files] == sorted(names) and all(file.read_bytes()[1:4] == b"PNG" for file in files)
