"""What a picture loses when it becomes flat: frames or pages after the first, and transparency."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from dlexp.data.picture.form import is_clear
from dlexp.number import noun

_FRAMED = {".gif", ".webp", ".avif", ".tif", ".tiff", ".png", ".apng"}
_CLEAR = {".tga", ".jp2", ".bmp", ".dib"}  # these and the framed ones may have an alpha channel


def say_flat(root: Path, files: Sequence[str]) -> list[str]:
    """Return a line about frames that are left out, and one about transparency."""
    seen = [(file, *_look_at(root / file)) for file in files]
    framed = [file for file, has_more, _ in seen if has_more]
    clear = [file for file, _, has_alpha in seen if has_alpha]
    lines = []
    if framed:
        more = "the first of each is taken"
        lines.append(f"{noun(len(framed), 'picture')} of several frames or pages ({framed[0]}, ...): {more}")
    if clear:
        lines.append(f"{noun(len(clear), 'picture')} with an alpha channel ({clear[0]}, ...): laid over white")
    return lines


def _look_at(path: Path) -> tuple[bool, bool]:
    """Return whether a file holds several frames or pages, and whether it has an alpha channel or a clear color."""
    if path.suffix.lower() not in _FRAMED | _CLEAR:
        return False, False
    try:
        with Image.open(path) as image:
            return getattr(image, "is_animated", False), is_clear(image)
    except Exception:  # whatever is wrong with it, decoding says so
        return False, False
