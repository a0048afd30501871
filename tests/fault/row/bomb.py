"""Files that are more or less than they seem: archives, YAML, pictures; each is one line in bounded time."""

import io
import struct
import zipfile
import zlib
from pathlib import Path

from tests.fault.process import dlexp, one_line
from tests.fault.promise import Attempt, Row
from tests.fault.row.foreign import Attack, copied, refused


def archives(attempt: Attempt) -> int:
    """Give archives that are no arrays of honest size as data and as examples to predict."""
    folder = copied(attempt)
    held = len(ARCHIVES)
    for kind in ARCHIVES:
        Path("bad.npz").write_bytes(archive(kind))
        refused(dlexp("train", "data=arrays", "data.path=bad.npz", "tracking=none", "trainer.epochs=1"), 1, 2)
        refused(dlexp("predict", folder.name.partition("-")[0], "bad.npz", "--runs-dir", "runs"), 1, 2)
    outside = [path for path in attempt.place.parent.glob("escaped*")]
    assert not outside, outside
    return 2 * held


ARCHIVES = ("outside", "absolute", "bomb", "claims", "twice", "no array", "encrypted", "objects")


def archive(kind: str) -> bytes:
    """Return a .npz file that is not what it seems."""
    import numpy as np

    buffer, plain = io.BytesIO(), io.BytesIO()
    if kind == "objects":
        np.savez(buffer, x=np.array([Attack()], dtype=object), y=np.zeros(1))
        return buffer.getvalue()
    np.save(plain, np.zeros((4, 2), dtype=np.float32))
    head = b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 3), }"
    members: dict[str, list[tuple[str, bytes]]] = {
        "outside": [("../escaped.npy", plain.getvalue())],
        "absolute": [("/tmp/escaped-dlexp.npy", plain.getvalue())],
        "bomb": [("x.npy", bytes(200 * 2**20))],
        "claims": [("x.npy", head.ljust(127) + b"\n"), ("y.npy", head.ljust(127) + b"\n")],
        "twice": [("x.npy", plain.getvalue()), ("./x.npy", plain.getvalue()[:-3])],
        "no array": [("x.npy", b"hello")],
        "encrypted": [("x.npy", plain.getvalue())],
    }
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members[kind]:
            file.writestr(name, content)
    content = buffer.getvalue()
    if kind == "encrypted":  # the bit that says so, in both headers
        content = content.replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01")
        content = content.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    return content


def yaml_bomb(attempt: Attempt) -> int:
    """Give YAML files that stand for far more than they hold."""
    bombs = {
        "aliases": "a: &a0 [1]\n" + "".join(f"b{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)),
        "references": "a0: xxxxx\n" + "".join(f"a{i}: '{f'${{.a{i - 1}}}' * 10}'\n" for i in range(1, 13)),
        "lists": "a0: [1]\n" + "".join(f"a{i}: [{', '.join([f'${{..a{i - 1}}}'] * 10)}]\n" for i in range(1, 13)),
        "chain": "a0: 1\n" + "".join(f"a{i}: ${{.a{i - 1}}}\n" for i in range(1, 9000)),
        "many": f"widths: [{', '.join(['${seed}'] * 19_000)}]\n",
        "long": "widths: '" + "${seed}" * 100_000 + "'\n",
        "computed": "b: a\na: '${model.${.b}}'\n",
        "deep": "a: " + "[" * 5000 + "]" * 5000,
        "huge": "a: " + "x" * 2_000_000,
        "python": "a: !!python/object/apply:os.system ['touch pwned']\n",
        "merge": "a: &a {<<: *a}\n",
        "itself": "a: ${.a}\n",
        "number": "a: " + "9" * 20_000,
    }
    Path("own", "model").mkdir(parents=True)
    for name, text in bombs.items():
        for path in Path("own", "model").iterdir():
            path.unlink()
        Path("own", "model", f"{name}.yaml").write_text("defaults: [mlp, _self_]\n" + text)
        refused(dlexp("config", "--config-dir", "own", f"model={name}"), 2)
    for place in ("/", "/proc", "/dev"):
        refused(dlexp("config", "--config-dir", place), 0, 2)
    return len(bombs) + 3


def pixels(attempt: Attempt) -> None:
    """Have a picture claim more pixels than memory has; it is one line that names it."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    side = attempt.chance.choice([10_001, 50_000, 2**31 - 1])
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    claims = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(999))) + chunk(b"IEND", b"")
    )
    for label in ("a", "b"):
        Path("pictures", label).mkdir(parents=True)
        for i in range(4):
            Path("pictures", label, f"{i}.png").write_bytes(claims)
    done = dlexp("train", "data=images", "data.path=pictures", "tracking=none")
    refused(done, 1, 2)
    one_line(done, 1, 2)


ROWS = [
    Row(
        "archive-refused",
        "An archive that is not what it seems is one line, in bounded time, and writes nothing",
        f"{', '.join(ARCHIVES)}: as data of train and as examples of predict",
        archives,
        fast=0,
        full=3,
        each=2 * len(ARCHIVES),
    ),
    Row(
        "yaml-refused",
        "YAML that stands for far more than it holds is one line, in bounded time",
        "bombs of aliases, references and lists, chains, depth, length, Python's tags; `--config-dir` of `/`, `/proc`",
        yaml_bomb,
        fast=0,
        full=3,
        each=16,
    ),
    Row(
        "pixels",
        "A picture that claims too many pixels is one line that names it, before it is decoded",
        "PNGs of 1 kB that claim up to 4e18 pixels",
        pixels,
        fast=1,
        full=6,
    ),
]
