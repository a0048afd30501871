"""One image file as an array of bytes of a wanted size: decoded, turned upright, flattened, resized.

Deep (16-bit) images are scaled to 8 bits, CMYK and palettes converted, transparency laid over white.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from dlexp.error import DataError

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm"}
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
    """

    size: int | None
    fit: Literal["crop", "stretch", "pad"]
    color: Literal["rgb", "grey"]

    @property
    def num_channels(self) -> int:
        """3 or 1."""
        return 3 if self.color == "rgb" else 1


def decode(path: Path, form: Format) -> np.ndarray:
    """Return the picture as (H, W, C) bytes.

    Raises:
        DataError: The reason alone, without the path: the caller lists many.
    """
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
    mode = "RGB" if form.color == "rgb" else "L"
    if form.size is not None and form.fit != "pad":
        # A JPEG decodes at 1/2, 1/4 or 1/8 of its size for a fraction of the time; a no-op for other kinds.
        image.draft(mode, (2 * form.size, 2 * form.size))
    flat = _flatten(ImageOps.exif_transpose(image), mode)
    if form.size is not None:
        flat = _resize(flat, form.size, form.fit)
    return np.asarray(flat).reshape(flat.height, flat.width, form.num_channels)


def _flatten(image: Image.Image, mode: str) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        return _from_deep(image).convert(mode)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        colors = image.convert("RGBA")
        white = Image.new("RGBA", colors.size, "white")
        return Image.alpha_composite(white, colors).convert(mode)
    return image.convert(mode)


def _from_deep(image: Image.Image) -> Image.Image:
    """Scale 16-bit values to 8 bits; Pillow's own conversion cuts them off at 255."""
    values = np.asarray(image)
    if values.dtype.kind == "f" or values.min() < 0 or values.max() > 65535:
        raise DataError(f"values from {values.min()} to {values.max()}; 8 or 16 bits a channel are needed")
    return Image.fromarray((values.astype(np.uint32) // 257).astype(np.uint8), mode="L")


def _resize(image: Image.Image, size: int, fit: str) -> Image.Image:
    if image.size == (size, size):
        return image
    if fit == "crop":
        return ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    if fit == "pad":
        return ImageOps.pad(image, (size, size), Image.Resampling.BILINEAR)
    return image.resize((size, size), Image.Resampling.BILINEAR)
