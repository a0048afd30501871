"""Every source of the corpus is read to its right value, or refused by one line that names the place."""

import numpy as np
import pytest

from dlexp.build.node import build
from dlexp.config.resolve import resolve
from dlexp.error import DlexpError
from tests.data.corpus import folders, refused, tables

READ = [*tables.READ, *folders.READ]
REFUSED = [*refused.REFUSED, *folders.REFUSED]


def load(case, folder):
    config = resolve(case.write(folder)).config
    return build(config["data"]).load(config["task"])


def check(data, expected):
    facts = {
        "num": len(data.targets),
        "inputs": data.inputs[0].double().flatten().tolist(),
        "targets": data.targets[: len(expected.get("targets", []))].tolist(),
        "ids": (data.ids or [])[: len(expected.get("ids", []))],
    }
    for name, value in expected.items():
        got = facts[name] if name in facts else getattr(data, name)
        if name == "inputs":
            np.testing.assert_array_equal(got, value)
        else:
            assert got == value, name


@pytest.mark.parametrize("case", READ, ids=lambda case: case.name)
def test_right_values(case, tmp_path):
    data = load(case, tmp_path)
    check(data, case.expected)
    if case.notes is not None:
        assert len(data.notes) == len(case.notes), data.notes
        for note, piece in zip(data.notes, case.notes, strict=True):
            assert piece in note


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_refusals(case, tmp_path):
    with pytest.raises(DlexpError, match=case.refusal) as error:
        load(case, tmp_path)
    assert error.value.exit_code == 2
    assert "\n" not in str(error.value)


def test_channels_of_colors(tmp_path):
    """Pictures of every kind that are red are red."""
    data = load(next(case for case in folders.READ if case.name == "modes and kinds"), tmp_path)
    for i, target in enumerate(data.targets.tolist()):
        red, green, blue = data.inputs[i, 3, 3].tolist()
        assert (red > 200, blue > 200, green < 60) == (target == 1, target == 0, True), data.ids[i]


def test_deep_pictures_use_the_whole_range(tmp_path):
    scaled = load(next(case for case in folders.READ if case.name == "12 bits in 16"), tmp_path)
    assert int(scaled.inputs.max()) == 255
    assert int(scaled.inputs[12].max()) == round(2047 / 4095 * 255)
