import importlib.util
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dlexp.data.picture.form import DeepError, Format, decode
from dlexp.error import DataError
from tests.present import present

RAMP = np.linspace(0, 255, 64).round().astype(np.uint8).reshape(8, 8)
SAME = Format(None, "crop", "rgb")


def save(path, image, **options):
    image.save(path, **options)
    return path


def png(header, rows):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def huge_png(width, height):
    return png(struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0), b"\0")


def test_plain_colors_and_grey(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    path = save(tmp_path / "a.png", Image.fromarray(pixels))
    assert (decode(path, SAME) == pixels).all()
    grey = decode(path, Format(None, "crop", "grey"))
    luma = pixels @ [0.299, 0.587, 0.114]
    assert grey.shape == (5, 7, 1)
    assert np.abs(grey[..., 0] - luma).max() <= 1


def test_sixteen_bits_are_scaled(tmp_path):
    path = save(tmp_path / "deep.png", Image.fromarray(RAMP.astype(np.uint16) * 257))
    assert (decode(path, Format(None, "crop", "grey", span=(0, 65535)))[..., 0] == RAMP).all()
    picture = decode(path, Format(None, "crop", "rgb", depth=16))
    assert picture.dtype == np.float32
    assert (picture[..., 1] == (RAMP.astype(np.float64) * 257 / 65535).astype(np.float32)).all()


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_32_bits_need_a_span(tmp_path, kind):
    values = RAMP.astype(kind) - 100
    path = save(tmp_path / "f.tif", Image.fromarray(values))
    with pytest.raises(DeepError) as error:
        decode(path, SAME)
    assert (error.value.low, error.value.high) == (values.min(), values.max())
    span = (float(values.min()), float(values.max()))
    picture = decode(path, Format(None, "crop", "grey", span=span))[..., 0]
    assert np.abs(picture - (values - span[0]) / (span[1] - span[0]) * 255).max() <= 0.5


def test_cmyk(tmp_path):
    path = save(tmp_path / "c.jpg", Image.new("CMYK", (8, 8), (255, 0, 0, 0)), quality=100)
    red, green, blue = decode(path, SAME)[4, 4].tolist()
    assert red < 40
    assert min(green, blue) > 150


def test_transparency_is_white(tmp_path):
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 0))
    picture = decode(save(tmp_path / "t.png", image), SAME)
    assert picture[0, 1].tolist() == [255, 255, 255]
    assert picture[0, 0].tolist() == [255, 0, 0]
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([9, 9, 9, 0, 200, 0])
    palette.putpixel((0, 0), 0)
    picture = decode(save(tmp_path / "p.png", palette, transparency=0), SAME)
    assert picture[0, 0].tolist() == [255, 255, 255]
    assert picture[1, 1].tolist() == [0, 200, 0]


# EXIF 2.3, table 6: what has to be done to the stored rows and columns to see the picture upright.
UPRIGHT = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.transpose(1, 0, 2),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].transpose(1, 0, 2),
    8: lambda stored: np.rot90(stored, 1),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_photograph_stands_upright(tmp_path, orientation):
    photograph = (
        Path(present(present(importlib.util.find_spec("sklearn")).origin)).parent / "datasets" / "images" / "china.jpg"
    )
    with Image.open(photograph) as image:
        stored = np.asarray(image.resize((64, 40)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "o.jpg", Image.fromarray(stored), exif=exif, quality=100, subsampling=0)
    upright = UPRIGHT[orientation](stored)
    picture = decode(path, SAME)
    assert picture.shape == upright.shape
    assert np.abs(picture.astype(int) - upright).mean() < 2  # of 255: what a JPEG loses


def sixteen_bit_colors(folder, name):
    values = (np.arange(108).reshape(6, 6, 3) * 500).astype(">u2")
    path = folder / name
    if name.endswith(".ppm"):
        path.write_bytes(b"P6\n6 6\n65535\n" + values.tobytes())
    elif name.endswith(".png"):
        rows = b"".join(b"\0" + row.tobytes() for row in values)
        path.write_bytes(png(struct.pack(">IIBBBBB", 6, 6, 16, 2, 0, 0, 0), rows))
    else:
        tags = ((256, 6), (257, 6), (258, 346), (259, 1), (262, 2), (273, 8), (277, 3), (278, 6), (279, 216))
        entries = b"".join(
            struct.pack(">HHI", tag, 4 if tag in (273, 279) else 3, 3 if tag == 258 else 1)
            + (struct.pack(">I", value) if tag in (258, 273, 279) else struct.pack(">HH", value, 0))
            for tag, value in tags
        )
        head = b"MM\0*" + struct.pack(">I", 224)
        path.write_bytes(
            head + values.tobytes() + struct.pack(">H", 9) + entries + bytes(12) + struct.pack(">HHH", 16, 16, 16)
        )
    return path


@pytest.mark.parametrize("name", ["a.png", "a.ppm", "a.tif"])
def test_colors_of_16_bits_are_refused(tmp_path, name):
    """Pillow gives their upper 8 bits alone and does not say so."""
    path = sixteen_bit_colors(tmp_path, name)
    with Image.open(path) as image:
        assert np.asarray(image).max() == 107 * 500 // 256
    with pytest.raises(DataError, match="colors of more than 8 bits a channel; save them in 8 bits"):
        decode(path, SAME)


@pytest.mark.parametrize(("fit", "left", "top"), [("crop", 0, 0), ("stretch", 0, 0), ("pad", 0, 2)])
def test_fits(tmp_path, fit, left, top):
    wide = np.zeros((8, 16), np.uint8)
    wide[:, 4:12] = 200  # what a middle crop keeps
    picture = decode(save(tmp_path / "w.png", Image.fromarray(wide)), Format(8, fit, "grey"))[..., 0]
    assert picture.shape == (8, 8)
    if fit == "crop":
        assert (picture == 200).all()
    elif fit == "stretch":
        assert (picture[:, 3:5] == 200).all()
        assert (picture[:, 0] == 0).all()
    else:
        assert (picture[:2] == 0).all()
        assert (picture[6:] == 0).all()
        assert (picture[2:6, 3:5] == 200).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty file"),
        (b"no image at all", "no image, or of an unknown kind"),
        (huge_png(20_000, 20_000), "more than 89 megapixels"),
        (huge_png(11_000, 10_000), "more than 89 megapixels"),
        (huge_png(100, 100), "cannot be decoded"),
    ],
)
def test_bad_files(tmp_path, content, message):
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        decode(path, SAME)


def test_truncated_jpeg(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = save(tmp_path / "cut.jpg", Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(DataError, match="cannot be decoded: image file is truncated"):
        decode(path, SAME)
