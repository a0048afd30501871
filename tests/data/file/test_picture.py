import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from dlexp.data.file.picture import DeepError, Format, decode
from dlexp.error import DataError

RAMP = np.linspace(0, 255, 64).round().astype(np.uint8).reshape(8, 8)
SAME = Format(None, "crop", "rgb")


def save(path, image, **options):
    image.save(path, **options)
    return path


def huge_png(width, height):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


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


def test_orientation_is_undone(tmp_path):
    image = Image.new("RGB", (6, 4), "black")
    exif = image.getexif()
    exif[0x0112] = 6
    assert decode(save(tmp_path / "o.jpg", image, exif=exif), SAME).shape == (6, 4, 3)


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
