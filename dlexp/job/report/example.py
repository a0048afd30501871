"""The examples that a classifier gets most wrong, and those that it is least sure of: as pictures where they are such.

Shapes: N examples, K classes.
"""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dlexp.error import DlexpError
from dlexp.figure.answer.order import least_sure, most_wrong
from dlexp.job.cv.document import Suspects
from dlexp.job.report.answer import Answers
from dlexp.number import noun
from dlexp.report.model import Pictures, Row, Table, Text
from dlexp.run.folder import RunFolder
from dlexp.statistic import score

if TYPE_CHECKING:
    from dlexp.data.dataset import Dataset

SHOWN = 32  # of each kind: 64 tiles on a page
COLUMNS = 8
LARGEST = 64  # pixels of a tile's side in the file


def example_blocks(answers: Answers, names: Sequence[str], data: "Dataset | None") -> list[Pictures | Table]:
    """Return the most wrong and the least sure examples.

    Args:
        answers: On the validation part.
        names: Of the classes.
        data: The run's, of pictures; None for those of a table, or where it cannot be had.
    """
    link = answers.measure.link
    kinds = {
        "Most wrong": (
            most_wrong(answers.outputs, answers.targets, link, SHOWN),
            "wrong, and the true class had the least probability",
        ),
        "Least sure": (
            least_sure(answers.outputs, link, SHOWN),
            "the two likeliest classes are closest, right or wrong",
        ),
    }
    return [_block(title, rows, why, answers, names, data) for title, (rows, why) in kinds.items() if rows]


def _block(
    title: str, rows: list[int], why: str, answers: Answers, names: Sequence[str], data: "Dataset | None"
) -> Pictures | Table:
    p_NK = score.probabilities(answers.outputs[rows], answers.measure.link)
    called: list[int] = score.called(answers.outputs[rows]).tolist()
    truth: list[int] = answers.targets[rows].astype(int).tolist()
    finding = f"{noun(len(rows), 'example')}: {why}."
    if data is None:
        cells = [
            Row((str(answers.ids[row]), names[t], names[c], float(p[c]), float(p[t])))
            for row, t, c, p in zip(rows, truth, called, p_NK, strict=True)
        ]
        return Table(f"{title}: {finding}", ("example", "true", "called", "probability", "of the true class"), cells)
    captions = [f"{names[t]}, called {names[c]} at {p[c]:.0%}" for t, c, p in zip(truth, called, p_NK, strict=True)]
    return Pictures(title, finding, sprite(data, [str(answers.ids[row]) for row in rows]), COLUMNS, captions)


def suspect_block(suspects: Suspects, data: "Dataset | None") -> Pictures | Table | Text:
    """Return the examples whose label is probably wrong, as the result of a cv lists them.

    Args:
        suspects: Of the result.
        data: The cv's, of pictures; None for those of a table, or where it cannot be had.
    """
    num, examples = suspects["num"], suspects["examples"]
    of = f"of {noun(suspects['num_examples'], 'example')} that folds held out"
    if not num:
        return Text(f"No label looks wrong, {of}.")
    shown = examples[: 2 * SHOWN]
    rest = f"; the {len(shown)} most suspect are shown, `dlexp cv --json` has more" if num > len(shown) else ""
    note = suspects.get("note", "")
    doubt = f" {note[0].upper()}{note[1:]}." if note else ""
    finding = f"{noun(num, 'label')} {of} {'looks' if num == 1 else 'look'} wrong{rest}.{doubt}"
    if data is None:
        columns = ("example", "label", "its probability", "likelier", "its probability ")
        keys = ("id", "label", "label_probability", "likelier", "likelier_probability")
        return Table(finding, columns, [Row([example[key] for key in keys]) for example in shown])
    captions = [f"{e['id']}: labelled {e['label']}, likelier {e['likelier']}" for e in shown]
    return Pictures("Label suspects", finding, sprite(data, [e["id"] for e in shown]), COLUMNS, captions)


def sprite(data: "Dataset", ids: list[str]) -> bytes:
    """Return pictures of a data set as one PNG of square tiles.

    Args:
        data: Of pictures.
        ids: Names of examples outside its test part.
    """
    import torch
    from PIL import Image

    from dlexp.image import as_float

    known = torch.cat([data.train, data.val])
    rows = dict(zip(data.sample_ids(known), known.tolist(), strict=True))
    pictures_NHWC = as_float(data.pictures(torch.tensor([rows[name] for name in ids]))).clamp(0, 1)
    side = min(LARGEST, max(pictures_NHWC.shape[1:3]))
    sheet = Image.new("RGB", (COLUMNS * side, -(-len(ids) // COLUMNS) * side), "white")
    for place, picture_HWC in enumerate(pictures_NHWC):
        shown = picture_HWC[:, :, :3] if picture_HWC.shape[2] >= 3 else picture_HWC[:, :, 0]
        tile = Image.fromarray((shown * 255).round().byte().numpy()).convert("RGB")
        scale = side / max(tile.size)
        size = max(1, round(tile.width * scale)), max(1, round(tile.height * scale))
        corner = place % COLUMNS * side, place // COLUMNS * side
        sheet.paste(tile.resize(size) if size != tile.size else tile, corner)
    content = io.BytesIO()
    quantized = sheet.convert("L") if data.inputs.shape[3] < 3 else sheet
    quantized.save(content, "PNG", optimize=True)
    return content.getvalue()


def read_pictures(folder: RunFolder) -> "Dataset | None":
    """Return the run's data where its examples are pictures and the data are there and the same; else None."""
    shapes = [each.manifest.get("in_shape") or [] for each in (folder, *folder.children()[:1])]
    if not any(len(shape) == 3 for shape in shapes):  # a cv's are told by its folds
        return None
    return read_data(folder)


def read_data(folder: RunFolder) -> "Dataset | None":
    """Return the run's data where they are there and the same; else None."""
    try:
        from dlexp.build.dataset import load_data
        from dlexp.run.stored import stored_config

        data = load_data(stored_config(folder))
    except (DlexpError, OSError):
        return None
    return data if data.fingerprint == folder.manifest["data"]["fingerprint"] else None
