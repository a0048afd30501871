"""Picture folders as people have them, with the right value beside each."""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.data.corpus.case import Case

COLORS = {"red": (255, 0, 0), "blue": (0, 0, 255)}


def fill(folder: Path, num: int = 12, suffix: str = ".png") -> None:
    for name, color in COLORS.items():
        (folder / name).mkdir(parents=True)
        for i in range(num):
            Image.new("RGB", (6, 6), color).save(folder / name / f"{i:02d}{suffix}")


def named(folder: Path, *overrides: str) -> list[str]:
    return ["data=image_folder", f"data.path={folder}", "data.size=6", "data.cache=null", *overrides]


def plain(folder: Path) -> list[str]:
    fill(folder / "pets")
    return named(folder / "pets")


def capital(folder: Path) -> list[str]:
    fill(folder / "pets", suffix=".PNG")
    return named(folder / "pets")


def parts(train: str, test: str):
    def write(folder: Path) -> list[str]:
        fill(folder / "pets" / train)
        fill(folder / "pets" / test, 3)
        return named(folder / "pets")

    return write


def hidden(folder: Path) -> list[str]:
    overrides = plain(folder)
    fill(folder / "pets" / "red" / ".ipynb_checkpoints", 2)
    fill(folder / "pets" / "__MACOSX", 2)
    for name in ("._00.png", ".DS_Store", "Thumbs.db"):
        (folder / "pets" / "blue" / name).write_bytes(b"\0")
    return overrides


def broken(*overrides: str):
    def write(folder: Path) -> list[str]:
        whole_set = plain(folder)
        (folder / "pets" / "red" / "03.png").write_bytes(b"")
        whole = (folder / "pets" / "red" / "04.png").read_bytes()
        (folder / "pets" / "red" / "04.png").write_bytes(whole[:-30])
        return [*whole_set, *overrides]

    return write


def deep(top: int, *overrides: str):
    def write(folder: Path) -> list[str]:
        for k, name in enumerate(COLORS):
            (folder / "scans" / name).mkdir(parents=True)
            for i in range(12):
                values = np.linspace(0, top * (k + 1) // 2, 36).astype(np.uint16).reshape(6, 6)
                Image.fromarray(np.roll(values, i)).save(folder / "scans" / name / f"{i:02d}.png")
        return named(folder / "scans", "data.color=grey", *overrides)

    return write


def modes(folder: Path) -> list[str]:
    overrides = plain(folder)
    red = folder / "pets" / "red"
    Image.new("CMYK", (6, 6), (0, 255, 255, 0)).save(red / "20.jpg", quality=100)
    palette = Image.new("P", (6, 6), 0)
    palette.putpalette([255, 0, 0] * 256)
    palette.save(red / "21.gif", transparency=9)
    Image.new("RGB", (6, 6), COLORS["red"]).save(red / "22.webp", lossless=True)
    frames = [Image.new("RGB", (6, 6), (255, 0, i)) for i in (0, 200)]
    frames[0].save(red / "23.tiff", save_all=True, append_images=frames[1:])
    turned = Image.new("RGB", (6, 6), COLORS["red"]).getexif()
    turned[0x0112] = 6
    Image.new("RGB", (6, 6), COLORS["red"]).save(red / "24 größe 身長.jpg", exif=turned, quality=100)
    return overrides


def first(save, *overrides: str):
    """Return a function that makes a whole set with another picture in the place of the first, which is blue."""

    def write(folder: Path) -> list[str]:
        whole_set = plain(folder)
        (folder / "pets" / "blue" / "00.png").unlink()
        save(folder / "pets" / "blue")
        return [*whole_set, *overrides]

    return write


def moving(folder: Path) -> None:
    frames = [Image.new("P", (6, 6), k) for k in range(2)]
    for frame in frames:
        frame.putpalette([0, 0, 255, 255, 0, 0])
    frames[0].save(folder / "00.gif", save_all=True, append_images=frames[1:])


def clear_color(folder: Path) -> None:
    """Of a palette of clear and blue, a clear left half."""
    halves = Image.fromarray(HALVES.astype(np.uint8), "P")
    halves.putpalette([255, 0, 0, 0, 0, 255])
    halves.save(folder / "00.png", transparency=0)


def turned(folder: Path) -> None:
    """Stored lying, turned to the left (Exif 2.3, orientation 6: readers turn by 90 degrees to the right)."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(TURNED).astype(np.uint8) * 255).save(folder / "00.png", exif=exif)


def cut_jpeg(folder: Path) -> None:
    path = folder / "00.jpg"
    Image.effect_noise((60, 60), 90).save(path)
    path.write_bytes(path.read_bytes()[:-400])


def no_picture(folder: Path) -> None:
    (folder / "00.jpg").write_text("<html>not found</html>")


def labelled(folder: Path) -> list[str]:
    fill(folder / "pets")
    names = {"red": "größer", "blue": "0.5 m"}
    rows = [f"{color}/{i:02d}.png;{name}\n" for color, name in names.items() for i in range(12)]
    (folder / "labels.csv").write_bytes("".join(["file;label\n", *rows]).encode("latin-1"))
    return named(folder / "pets", f"data.labels={folder / 'labels.csv'}", "data.encoding=latin-1")


HALVES = np.repeat([[0, 0, 0, 1, 1, 1]], 6, 0)
TURNED = np.eye(6)[[5] * 5 + [0]]  # dark but for the last column, and in the last row the first
WHOLE = {"task": "binary", "class_names": ["blue", "red"], "num": 24}

READ = [
    Case("plain", plain, WHOLE, []),
    Case("capital endings", capital, WHOLE, []),
    Case("Train and Test", parts("Train", "Test"), WHOLE | {"num": 30}, []),
    Case("Training and Testing", parts("Training", "Testing"), WHOLE | {"num": 30}, []),
    Case("hidden", hidden, WHOLE, ["left out: 5 hidden entries"]),
    Case(
        "broken ones skipped", broken("data.broken=skip"), WHOLE | {"num": 22}, ["red/03.png (empty file), red/04.png"]
    ),
    Case("12 bits in 16", deep(4095), WHOLE, ["values 0 to 4095 became 0 to 255"]),
    Case("a stated depth", deep(4095, "data.depth=12"), WHOLE, []),
    Case(
        "an animation",
        first(moving),
        WHOLE | {"inputs": [0, 0, 255] * 36},
        ["1 picture of several frames or pages (blue/00.gif, ...): the first of each is taken"],
    ),
    Case(
        "a palette with a clear color",
        first(clear_color),
        WHOLE | {"inputs": ([255] * 9 + [0, 0, 255] * 3) * 6},
        ["1 picture with an alpha channel (blue/00.png, ...): laid over white"],
    ),
    Case("turned", first(turned), WHOLE | {"inputs": np.repeat(TURNED.flatten() * 255, 3).tolist()}, []),
    Case("labels in latin-1", labelled, WHOLE | {"class_names": ["0.5 m", "größer"]}, []),
    Case("modes and kinds", modes, WHOLE | {"num": 29}, ["1 picture of several frames or pages"]),
]

REFUSED = [
    Case("broken", broken(), refusal=r"2 of 24 images .* red/03.png \(empty file\), red/04.png \(cannot be decoded"),
    Case("a JPEG cut off", first(cut_jpeg), refusal=r"1 of 24 images .* blue/00.jpg \(cannot be decoded"),
    Case("no picture", first(no_picture), refusal=r"1 of 24 images .* blue/00.jpg \(no image, or of an unknown kind"),
    Case("too deep", deep(4095, "data.depth=10"), refusal=r"data.depth=10 goes from 0 to 1023"),
    Case("two names of a part", parts("Train", "training"), refusal=r"one folder is the train part"),
]
