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
    Case("modes and kinds", modes, WHOLE | {"num": 29}, ["1 picture of several frames or pages"]),
]

REFUSED = [
    Case("broken", broken(), refusal=r"2 of 24 images .* red/03.png \(empty file\), red/04.png \(cannot be decoded"),
    Case("too deep", deep(4095, "data.depth=10"), refusal=r"data.depth=10 goes from 0 to 1023"),
    Case("two names of a part", parts("Train", "training"), refusal=r"one folder is the train part"),
]
