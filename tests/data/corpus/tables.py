"""Tables as people have them, with the right value beside each."""

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.feather
import pyarrow.parquet

from tests.data.corpus.case import Case

NUM = 60
DRAW = np.random.default_rng(5)
X = DRAW.normal(size=NUM).round(3)
WORDS = ["red", "green", "blue"]
CLASSES = ["no", "yes"]
GAPS = ["", "NA", "N/A", "nan", "NaN", "null", "NULL", "<NA>"]
BIG = 1234567890123456789


def zstd(content: bytes) -> bytes:
    sink = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


def csv(header: str, row: Callable[[int], str], *overrides: str, name: str = "t.csv", codec: str = "utf-8", num=NUM):
    """Return a function that writes a .csv of one row for each number."""

    def write(folder: Path) -> list[str]:
        content = "\n".join([header, *map(row, range(num))]).encode(codec)
        pack = {".gz": gzip.compress, ".bz2": bz2.compress, ".zst": zstd}.get(Path(name).suffix, bytes)
        (folder / name).write_bytes(pack(content))
        target = [] if any("data.target" in text for text in overrides) else ["data.target=y"]
        return ["data=csv", f"data.path={folder / name}", *target, *overrides]

    return write


def parquet(columns: dict, *overrides: str, name: str = "t.parquet"):
    """Return a function that writes columns to a .parquet or .feather file, or to a folder of two."""

    def write(folder: Path) -> list[str]:
        table = pyarrow.table(columns)
        if name.endswith(".feather"):
            pyarrow.feather.write_feather(table, folder / name)
        elif name.endswith(".arrow"):
            with pyarrow.ipc.new_file(folder / name, table.schema) as file:
                file.write_table(table)
        elif name.endswith(".parquet"):
            pyarrow.parquet.write_table(table, folder / name)
        else:
            (folder / name).mkdir()
            for i in range(2):
                pyarrow.parquet.write_table(table.slice(i * 30, 30), folder / name / f"part-{i}.parquet")
        return ["data=csv", f"data.path={folder / name}", "data.target=y", *overrides]

    return write


def three_files(folder: Path) -> list[str]:
    for k in range(3):
        csv("x,y", lambda i, k=k: plain(20 * k + i), num=20, name=f"t{k}.csv")(folder)
    return ["data=csv", f"data.path='{folder}/t*.csv'", "data.target=y"]


def plain(i: int) -> str:
    return f"{X[i]},{CLASSES[i % 2]}"


PLAIN = {"task": "binary", "class_names": CLASSES, "feature_names": ["x"], "num": NUM, "inputs": [X[0]]}
LABELS = [CLASSES[i % 2] for i in range(NUM)]

READ = [
    Case("plain", csv("x,y", plain), PLAIN, []),
    Case("byte-order mark", csv("x,y", plain, codec="utf-8-sig"), PLAIN, []),
    Case("utf-16", csv("x,y", plain, codec="utf-16"), PLAIN, []),
    Case(
        "latin-1 stated",
        csv(
            "x,größe,y",
            lambda i: f"{X[i]},{'äö'[i % 2]},{CLASSES[i // 2 % 2]}",
            "data.encoding=latin-1",
            codec="latin-1",
        ),
        {"feature_names": ["x", "größe=ä", "größe=ö"], "inputs": [X[0], 1, 0]},
    ),
    Case(
        "semicolons and decimal commas",
        csv(
            "x;y", lambda i: f"{str(X[i]).replace('.', ',')};{CLASSES[i % 2]}", "data.delimiter=';'", "data.decimal=','"
        ),
        PLAIN,
    ),
    Case("tabs", csv("x\ty", lambda i: plain(i).replace(",", "\t"), "data.delimiter=tab"), PLAIN),
    Case(
        "thousands",
        csv("x,y", lambda i: f'"{1_000_000 + 1000 * i:,}.5",{CLASSES[i % 2]}', "data.thousands=','"),
        {"feature_names": ["x"], "inputs": [1_000_000.5]},
    ),
    Case("quoted line breaks", csv('x,"a\nb",y', lambda i: f'{X[i]},"u\n{i % 2}",{CLASSES[i % 2]}'), {"num": NUM}),
    Case("blank rows", csv("x,y", lambda i: plain(i) + "\n"), PLAIN),
    Case(
        "a comment before the header",
        csv("# from a bank\nx,y", plain),
        PLAIN,
        ["1 comment line before the header left out"],
    ),
    Case("spaces around", csv(" x , y ", lambda i: f" {X[i]} , {CLASSES[i % 2]} "), PLAIN),
    Case("a line break before the header", csv("\n\nx,y", plain), PLAIN, []),
    Case(
        "Namibia stated",
        csv("c,x,y", lambda i: f"{['NA', 'US'][i // 2 % 2]},{plain(i)}", "data.gaps=[]"),
        {"inputs": [1, 0, X[0]]},
    ),
    Case("carriage returns", csv("x,y\r", lambda i: plain(i) + "\r"), PLAIN),
    Case("gz", csv("x,y", plain, name="t.csv.gz"), PLAIN),
    Case("bz2", csv("x,y", plain, name="t.csv.bz2"), PLAIN),
    Case("zst", csv("x,y", plain, name="t.csv.zst"), PLAIN),
    Case("several files", three_files, PLAIN),
    Case("names of any script", csv("身長,y", plain), {"feature_names": ["身長"]}),
    Case("columns called 0 and 1", csv("0,1", plain, "data.target=1"), {"feature_names": ["0"], "inputs": [X[0]]}),
    Case(
        "gaps of every spelling",
        csv(
            "x,y",
            lambda i: f"{GAPS[i // 2] if i < 16 else X[i]},{CLASSES[i % 2]}",
            "data.missing=impute",
        ),
        {"feature_names": ["x"], "inputs": [np.nan]},
    ),
    Case(
        "booleans",
        csv("b,x,y", lambda i: f"{['TRUE', 'false', 'True'][i % 3]},{X[i]},{CLASSES[i % 2]}"),
        {"feature_names": ["b=False", "b=True", "x"], "inputs": [0, 1, X[0]]},
    ),
    Case("one value", csv("k,x,y", lambda i: f"7,{plain(i)}"), {"inputs": [7, X[0]]}),
    Case(
        "names with zeros",
        csv("id,x,y", lambda i: f"{i:03d},{plain(i)}", "data.id=id"),
        PLAIN | {"ids": ["000", "001"]},
    ),
    Case(
        "codes with zeros as input",
        csv("c,x,y", lambda i: f"{'07' if i == 50 else i * 7 // 3 % 5},{plain(i)}"),
        {"inputs": [0, X[0]]},
        ["column c is taken as numbers, without the zeros that entries such as 07 begin with"],
    ),
    Case(
        "a label with and without a point",
        csv("x,y", lambda i: f"{X[i]},{['1', '1.0', '2'][i % 3]}"),
        {"class_names": ["1", "2"], "num": NUM},
        ["column y: taken as the same category: '1' (20) and '1.0' (20)"],
    ),
    Case(
        "a day and its midnight",
        csv("day,x,y", lambda i: f"2021-03-{1 + i // 10:02d}{' 00:00' * (i % 2)},{plain(i)}", "data.time=day"),
        PLAIN,
        ["taken as the same moment: '2021-03-01' (5) and '2021-03-01 00:00' (5)", "a moment is never divided"],
    ),
    Case("codes with zeros", csv("x,y", lambda i: f"{X[i]},00{i % 3}"), {"class_names": ["000", "001", "002"]}),
    Case(
        "labels of 19 digits",
        csv("x,y", lambda i: f"{X[i]},{BIG + i % 2}"),
        {"class_names": [str(BIG), str(BIG + 1)], "task": "binary"},
    ),
    Case(
        "names of 19 digits",
        csv("id,site,x,y", lambda i: f"{BIG + i},{BIG + i // 4},{plain(i)}", "data.id=id", "data.group=site"),
        PLAIN | {"ids": [str(BIG), str(BIG + 1)]},
    ),
    Case(
        "fractions as classes",
        csv("x,y", lambda i: f"{X[i]},{1 + i % 4 / 2}", "task=multiclass"),
        {"class_names": ["1.0", "1.5", "2.0", "2.5"]},
    ),
    Case(
        "many whole numbers",
        csv("x,y", lambda i: f"{X[i]},{i}"),
        {"task": "regression", "targets": [0, 1, 2]},
        ["60 different whole numbers in 60 examples are taken as values"],
    ),
    Case("seconds", csv("x,y", lambda i: f"{1_700_000_000 + i % 7},{CLASSES[i % 2]}"), {"inputs": [1_700_000_000]}),
    Case("beyond float32", csv("x,y", lambda i: f"{X[i]}e39,{CLASSES[i % 2]}"), {"inputs": [float(f"{X[0]}e39")]}),
    Case("tiny", csv("x,y", lambda i: f"{X[i]}e-13,{CLASSES[i % 2]}"), {"inputs": [float(f"{X[0]}e-13")]}),
    Case(
        "a wide column that is dropped",
        csv("x,w,y", lambda i: f"{X[i]},{'w' * 25_000},{CLASSES[i % 2]}", "data.drop=[w]"),
        PLAIN,
    ),
    Case("dollars", csv("x,y", lambda i: f"{X[i]},{['<$50k', '>$50k'][i % 2]}"), {"class_names": ["<$50k", ">$50k"]}),
    Case("24 rows", csv("x,y", plain, num=24), PLAIN | {"num": 24}),
    Case("row labels of pandas", parquet({"x": X, "y": LABELS, "__index_level_0__": np.arange(NUM)}), PLAIN, []),
    Case("row numbers", csv("row,x,y", lambda i: f"{i},{plain(i)}"), {}, ["column row counts the rows"]),
    Case(
        "a copy of the class",
        csv("c,x,y", lambda i: f"{'ab'[i % 2]},{plain(i)}"),
        {},
        ["column c tells the class alone"],
    ),
    Case(
        "decimals as names",
        parquet(
            {
                "n": pyarrow.array([str(BIG + i) for i in range(NUM)]).cast(pyarrow.decimal128(20, 0)),
                "x": X,
                "y": LABELS,
            },
            "data.id=n",
        ),
        PLAIN | {"ids": [str(BIG), str(BIG + 1)]},
    ),
    Case("arrow", parquet({"x": X, "y": LABELS}, name="t.arrow"), PLAIN, []),
    Case("feather", parquet({"x": X, "y": LABELS}, name="t.feather"), PLAIN, []),
    Case("a folder of parquet", parquet({"x": X, "y": LABELS}, name="parts"), PLAIN),
    Case(
        "types that nothing asks for",
        parquet(
            {
                "x": X,
                "y": LABELS,
                "list": pyarrow.array([[i] for i in range(NUM)]),
                "struct": pyarrow.array([{"a": i} for i in range(NUM)]),
                "binary": pyarrow.array([b"\xff"] * NUM),
                "nothing": pyarrow.nulls(NUM),
            },
            "data.drop=[list,struct,binary,nothing]",
        ),
        PLAIN,
    ),
    Case(
        "durations are seconds",
        parquet({"x": pyarrow.array([1500 * i for i in range(NUM)], pyarrow.duration("ms")), "y": LABELS}),
        {"inputs": [0.0], "feature_names": ["x"]},
    ),
    Case(
        "days in order",
        csv("day,x,y", lambda i: f"2021-{1 + i // 28:02d}-{1 + i % 28:02d},{plain(i)}", "data.time=day"),
        PLAIN,
        [],
    ),
    Case(
        "days in a stated form",
        csv(
            "day,x,y",
            lambda i: f"{1 + i % 28}/{1 + i // 28}/2021,{plain(i)}",
            "data.time=day",
            "data.time_format='%d/%m/%Y'",
        ),
        PLAIN,
        [],
    ),
    Case(
        "moments of several rows",
        csv("day,x,y", lambda i: f"{i // 7},{plain(i)}", "data.time=day"),
        PLAIN,
        ["7 validation and 11 test examples instead of 12 and 12"],
    ),
]
