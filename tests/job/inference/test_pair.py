"""What a model of pairs says of two files, of folders and of a table of paths."""

import shutil
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from dlexp.error import ConfigError, DataError, RunError
from dlexp.execution.save import saved_model
from dlexp.job.inference.ensemble import Averaged
from dlexp.job.inference.predict import predict, write
from dlexp.run.measure import FILE
from tests.data.pair.picture_pairs import write_writers
from tests.job.inference.test_predict import trained

PICTURES = ["data=pair_folder", "data.size=null", "data.cache=null", "data.test_fraction=0"]


@pytest.fixture(scope="module")
def signatures(tmp_path_factory) -> SimpleNamespace:
    root = tmp_path_factory.mktemp("signatures")
    folder = trained(root / "runs", *PICTURES, f"data.path={write_writers(root / 'writers')}")
    return SimpleNamespace(root=root, folder=folder, runs=root / "runs", writers=root / "writers")


def ask(signatures, *paths) -> list[dict[str, Any]]:
    predictions: list[Any] = predict("last", signatures.runs, [signatures.writers / path for path in paths])[
        "predictions"
    ]
    return predictions


def test_two_files_get_the_similarity_and_threshold_that_are_stored(signatures):
    stored = signatures.folder.predictions("val")
    assert len(stored["id"]) > 4
    threshold = saved_model.read(signatures.folder)["pairs"]["threshold"]
    assert np.unique(stored["output"][:, 0]).tolist() == pytest.approx([threshold])
    for k in (0, -1):
        names = str(stored["id"][k]).split(" | ")
        (said,) = ask(signatures, *names)
        assert said["similarity"] == pytest.approx(float(stored["output"][k, 1]), abs=1e-6)
        assert said["threshold"] == threshold
        assert said["class"] == ("same" if said["similarity"] > threshold else "different")
        assert said["id"] == " | ".join(str(signatures.writers / name) for name in names)
        (turned,) = ask(signatures, *names[::-1])
        assert turned["similarity"] == pytest.approx(said["similarity"], abs=1e-6)


def test_folders_are_compared_picture_by_picture_and_a_table_row_by_row(signatures):
    pairs = ask(signatures, "w0/genuine", "w1/genuine")
    assert [pair["id"].count("/genuine/") for pair in pairs] == [2, 2, 2, 2]
    lines = [f"w0/genuine/{i}.png,w1/genuine/{i}.png" for i in range(4)]
    for header in ("first,second", "mine,yours"):
        (signatures.writers / "list.csv").write_text("\n".join([header, *lines]) + "\n")
        listed = ask(signatures, "list.csv")
        assert [pair["similarity"] for pair in listed] == pytest.approx([pair["similarity"] for pair in pairs])
    document = predict("last", signatures.runs, [signatures.writers / "list.csv"])
    out = signatures.root / "said.csv"
    write(document, out)
    assert out.read_text().splitlines()[0] == "id,class,similarity,threshold"


def test_models_together_say_the_mean_similarity_and_threshold_of_one_kind(signatures, tmp_path):
    other = trained(tmp_path, *PICTURES, f"data.path={signatures.writers}", "seed=1")
    paths = ["w0/genuine/0.png", "w0/forged/0.png"]

    def together(*folders):
        models = [(folder, 1 / len(folders)) for folder in folders]
        inputs, about = [signatures.writers / path for path in paths], Averaged("", "", models)
        said: Any = predict("", tmp_path, inputs, averaged=about)["predictions"][0]
        return said

    alone, both = [together(folder) for folder in (signatures.folder, other)], together(signatures.folder, other)
    for name in ("similarity", "threshold"):
        assert both[name] == pytest.approx(sum(each[name] for each in alone) / 2)
    far = trained(tmp_path / "far", *PICTURES, f"data.path={signatures.writers}", "loss=contrastive")
    with pytest.raises(RunError, match="--ensemble: got models of pairs by cosine and by distance, which are no one s"):
        together(signatures.folder, far)
    farther = trained(
        tmp_path / "farther", *PICTURES, f"data.path={signatures.writers}", "loss=contrastive", "loss.margin=2"
    )
    with pytest.raises(RunError, match="got models of pairs by distances of margin 1 and 2, which are no one scale"):
        together(far, farther)


def test_what_is_not_two_is_refused_with_the_cure(signatures):
    picture = "w0/genuine/0.png"
    for paths in ([picture], [picture] * 3):
        with pytest.raises(ConfigError, match=r"the model compares two: give two files, or a \.csv of two columns"):
            ask(signatures, *paths)
    with pytest.raises(DataError, match="got 4 examples and 3; they are compared one by one"):
        ask(signatures, "w0/genuine", "w0/forged")
    with pytest.raises(DataError, match="no such file or folder"):
        ask(signatures, "none.csv")
    (signatures.writers / "bad.csv").write_text("a\nb\n")
    with pytest.raises(DataError, match="two columns of paths are needed"):
        ask(signatures, "bad.csv")


def test_a_run_without_a_threshold_says_how_to_get_one(signatures, tmp_path):
    shutil.copytree(signatures.runs, tmp_path / "runs")
    about = saved_model.read(signatures.folder)
    (run,) = (tmp_path / "runs").glob("*/*")
    (run / FILE).write_text(saved_model.sealed({**about, "pairs": {**about["pairs"], "threshold": None}}))
    with pytest.raises(RunError, match=r"no threshold yet.*--resume"):
        predict("last", tmp_path / "runs", [signatures.writers / "w0/genuine/0.png"] * 2)


def test_batches_of_any_size_give_the_same(signatures):
    model = saved_model.load(signatures.folder)
    inputs = torch.randint(0, 255, (10, 6, 6, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(model.outputs(inputs, 3), model.outputs(inputs))
