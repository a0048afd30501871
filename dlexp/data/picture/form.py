"""One image file as an array of a wanted size: decoded, turned upright, flattened, resized.

Deep images (16 or 32 bits) are scaled to bytes from a stated span of values, or become floats of a stated depth; CMYK
and palettes are converted, transparency is laid over white, and of several pages or frames the first is taken.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from dlexp.data.file.guard import require_regular
from dlexp.error import DataError

SUFFIXES = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".jp2", ".png", ".apng", ".bmp", ".dib", ".gif", ".webp", ".avif"),
    *(".tif", ".tiff", ".tga", ".ppm", ".pgm", ".pbm", ".pnm"),
}
# Above this Pillow itself warns of a decompression bomb: a small file that fills the memory.
MAX_PIXELS = 89_478_485
_MEGAPIXELS = MAX_PIXELS // 1_000_000


@dataclass(frozen=True)
class Format:
    """How a picture is brought to its form.

    Attributes:
        size: Height and width in pixels; None keeps the file's.
        fit: crop: shorter side to `size`, the middle kept; stretch: both sides to `size`; pad: longer side to `size`,
            the rest black.
        color: rgb or grey.
        depth: Bits that values use; pictures then become floats in [0, 1]. None makes bytes.
        span: Values of deep pictures that become 0 and 255; None where there are none yet.
    """

    size: int | None
    fit: Literal["crop", "stretch", "pad"]
    color: Literal["rgb", "grey"]
    depth: int | None = None
    span: tuple[float, float] | None = None

    @property
    def num_channels(self) -> int:
        """3 or 1."""
        return 3 if self.color == "rgb" else 1

    @property
    def dtype(self) -> type[np.generic]:
        """Of the array that a picture becomes."""
        return np.uint8 if self.depth is None else np.float32


class DeepError(DataError):
    """A deep picture whose span of values has to be known first.

    Attributes:
        low: Its least value.
        high: Its largest.
    """

    def __init__(self, low: float, high: float):
        super().__init__(f"values from {low} to {high}, more than 8 bits")
        self.low = low
        self.high = high


def decode(path: Path, form: Format) -> np.ndarray:
    """Return the picture as (H, W, C) bytes, or floats in [0, 1] where the form states a depth.

    Raises:
        DeepError: The span of its values is needed.
        DataError: The reason alone, without the path: the caller lists many.
    """
    require_regular(path)
    if path.stat().st_size == 0:
        raise DataError("empty file")
    try:
        with Image.open(path) as image:
            return _decode(image, form)
    except DataError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"more than {_MEGAPIXELS} megapixels") from None
    except UnidentifiedImageError:
        raise DataError("no image, or of an unknown kind") from None
    except Exception as error:
        # Decoders of damaged files raise nearly anything: OSError, SyntaxError, struct.error, IndexError, ...
        raise DataError(f"cannot be decoded: {' '.join(str(error).split())[:80]}") from None


def _decode(image: Image.Image, form: Format) -> np.ndarray:
    if image.width * image.height > MAX_PIXELS:
        raise DataError(f"more than {_MEGAPIXELS} megapixels")
    _require_whole_channels(image)
    mode = "RGB" if form.color == "rgb" else "L"
    if form.size is not None and form.fit != "pad":
        # A JPEG decodes at 1/2, 1/4 or 1/8 of its size for a fraction of the time; a no-op for other kinds.
        image.draft(mode, (2 * form.size, 2 * form.size))
    upright = ImageOps.exif_transpose(image)
    is_deep = _is_deep(upright)
    flat = _from_deep(upright, form) if is_deep else _flatten(upright, mode)
    if form.size is not None:
        flat = _resize(flat, form.size, form.fit)
    pixels = np.asarray(flat).reshape(flat.height, flat.width, -1)
    if form.depth is not None and not is_deep:
        pixels = pixels.astype(np.float32) / 255
    return np.broadcast_to(pixels, (flat.height, flat.width, form.num_channels))


def _require_whole_channels(image: Image.Image) -> None:
    """Refuse colors of 16 bits a channel, of which Pillow gives the upper 8 alone.

    Raises:
        DataError: It holds such colors.
    """
    if _is_deep(image):
        return
    # What a decoder is told: the layout of its bytes, as RGB;16B; for .ppm that of a pixel, and the largest value.
    for tile in getattr(image, "tile", []):
        told = tile.args if isinstance(tile.args, tuple) else (tile.args,)
        is_cut = ";16" in str(told[0]) or (tile.codec_name == "ppm" and told[-1] > 255)
        if is_cut:
            raise DataError("colors of more than 8 bits a channel; save them in 8 bits, or each channel as grey")


def _is_deep(image: Image.Image) -> bool:
    return image.mode.startswith(("I", "F"))


def is_clear(image: Image.Image) -> bool:
    """Return whether a picture has an alpha channel or a color that is clear."""
    return image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info


def _flatten(image: Image.Image, mode: str) -> Image.Image:
    if is_clear(image):
        colors = image.convert("RGBA")
        white = Image.new("RGBA", colors.size, "white")
        return Image.alpha_composite(white, colors).convert(mode)
    return image.convert(mode)


def _from_deep(image: Image.Image, form: Format) -> Image.Image:
    """Scale 16- or 32-bit values to [0, 1] or to bytes; Pillow's own conversion cuts them off at 255."""
    values = np.asarray(image, dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(values).all():
        raise DataError("NaN or infinite values")
    if form.depth is not None:
        top = 2**form.depth - 1
        if low < 0 or high > top:
            raise DataError(f"values from {low:g} to {high:g}; data.depth={form.depth} goes from 0 to {top}")
        return Image.fromarray((values / top).astype(np.float32))
    if form.span is None:
        raise DeepError(low, high)
    least, most = form.span
    shares = (values - least) / (most - least) if most > least else np.zeros_like(values)
    return Image.fromarray((shares.clip(0, 1) * 255).round().astype(np.uint8))


def _resize(image: Image.Image, size: int, fit: str) -> Image.Image:
    if image.size == (size, size):
        return image
    if fit == "crop":
        return ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    if fit == "pad":
        return ImageOps.pad(image, (size, size), Image.Resampling.BILINEAR)
    return image.resize((size, size), Image.Resampling.BILINEAR)
