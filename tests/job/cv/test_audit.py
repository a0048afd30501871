"""No fitted number depends on held-out rows, whatever data, normalisation and imputation; and leaks are seen."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torchvision.datasets
from PIL import Image

from dlexp import normalize
from dlexp.build.dataset import deal_folds, load_data
from dlexp.config import catalog
from dlexp.config.resolve import resolve
from dlexp.data import fold, table
from dlexp.data.pair import draw
from dlexp.data.target_scale import TargetScale
from dlexp.engine.fitted.run import FittedRun
from dlexp.error import DataError
from dlexp.job.cv.audit import audit, fitted, perturb
from dlexp.job.cv.fold_run import configure
from tests.data.pair.picture_pairs import write_writers

QUICK = ["cv.k=2", "trainer.threads=1", "tracking=none", "trainer.batch_size=8"]
NORMALIZE = ["standard", "minmax", "none"]


def files(folder: Path) -> dict[str, list[str]]:
    """Return the data options, each with overrides that make it small and need no network."""
    draw = np.random.default_rng(0)
    np.savez(
        folder / "a.npz",
        x=draw.integers(0, 256, (60, 6, 6, 3), dtype=np.uint8),
        y=np.arange(60) % 3,
        who=np.arange(60) // 4,
    )
    rows = [f"{i if i % 5 else ''},{'once' if i % 9 == 1 else 'abc'[i % 3]},{i % 7},{i % 2}" for i in range(60)]
    for i in range(48):
        path = folder / "pictures" / ["cat", "dog", "eel"][i % 3] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 256, (7, 8, 3), dtype=np.uint8)).save(path)
    (folder / "t.csv").write_text("\n".join(["x,kind,part,y", *rows]))
    return {
        "digits": ["data.limit=140"],
        "iris": ["loss=cross_entropy", "loss.class_weight=balanced"],
        "wine": [],
        "breast_cancer": [],
        "diabetes": [],
        "linnerud": [],
        "spirals": ["data.num=90"],
        "fake": ["data.shape=[1,6,6]", "data.num_train=50", "data.num_val=20", "data.num_test=10"],
        "arrays": [f"data.path={folder / 'a.npz'}", "data.group=who"],
        "csv": [f"data.path={folder / 't.csv'}", "data.target=y", "data.missing=impute", "data.group=part"],
        "image_folder": [f"data.path={folder / 'pictures'}", "data.size=6", "data.cache=null"],
        **{name: [f"data.path={path}", *PICTURES] for name, path in write_pairs(folder).items()},
        # what is downloaded, stood in for by the constructors below
        **{name: [f"data.root={folder}", "data.limit=40", "model=softmax"] for name in DOWNLOADED},
    }


DOWNLOADED = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST", "cifar10": "CIFAR10", "cifar100": "CIFAR100"}
DOWNLOADED["svhn"] = "SVHN"
PICTURES = ["data.size=6", "data.cache=null", "data.test_fraction=0.3"]


def write_pairs(folder: Path) -> dict[str, Path]:
    """Write pictures of writers and a list of pairs of them."""
    writers = write_writers(folder / "writers", num=20)
    rows = [
        f"writers/w{k}/genuine/{i}.png,writers/w{k}/{kind}/{i + 1}.png,{label}"
        for k in range(20)
        for i in (0, 1)
        for kind, label in (("genuine", 1), ("forged", 0))
    ]
    (folder / "pairs.csv").write_text("\n".join(["first,second,label", *rows]))
    return {"pair_folder": writers, "pair_csv": folder / "pairs.csv"}


OPTIONS = ["pair_folder", "pair_csv"]
OPTIONS += ["digits", "iris", "wine", "breast_cancer", "diabetes", "linnerud"]
OPTIONS += ["spirals", "fake", "arrays", "csv", "image_folder"]
OPTIONS += list(DOWNLOADED)


def test_every_data_option_is_audited():
    assert sorted(OPTIONS) == sorted(catalog.list_groups(None)["data"])


@pytest.fixture
def no_download(monkeypatch):
    """Put random images in the place of files that need a network."""

    def constructor(shape, num_classes):
        def construct(root, download=False, train=True, split="train"):
            draw = np.random.default_rng(int(train and split == "train"))
            images = draw.integers(0, 256, (60, *shape), dtype=np.uint8)
            labels = np.arange(60) % num_classes
            as_mnist = len(shape) == 2
            return SimpleNamespace(
                data=torch.from_numpy(images) if as_mnist else images,
                targets=torch.from_numpy(labels) if as_mnist else labels.tolist(),
                labels=labels,
                classes=[str(k) for k in range(num_classes)],
            )

        return construct

    shapes = {"MNIST": (28, 28), "FashionMNIST": (28, 28), "SVHN": (3, 32, 32)}
    for name in DOWNLOADED.values():
        num_classes = 20 if name == "CIFAR100" else 10
        monkeypatch.setattr(torchvision.datasets, name, constructor(shapes.get(name, (32, 32, 3)), num_classes))


@pytest.mark.usefixtures("no_download")
@pytest.mark.parametrize("name", OPTIONS)
def test_nothing_fitted_moves(tmp_path, name):
    overrides = [f"data={name}", *files(tmp_path)[name], *QUICK]
    audited = audit(overrides)
    assert audited["clean"], audited
    assert [record["changed"] for record in audited["folds"]] == [[], []]
    for option in NORMALIZE:
        config = resolve([*overrides, f"normalize={option}"], job="cv").config
        data = load_data(config)
        first = deal_folds(config, data)[0]
        part = data.with_parts(first.train, first.val)
        fits = [normalize_of(option).fit(d.inputs, d.members(d.train)) for d in (part, perturb(part))]
        assert torch.equal(fits[0].scale, fits[1].scale)
        assert torch.equal(fits[0].shift, fits[1].shift)
        assert (fits[0].fill is None) == data.is_image
        assert fits[0].fill is None or torch.equal(fits[0].fill, fits[1].fill)


FITTED = [(model, data) for model in ("knn", "majority") for data in ("iris", "diabetes", "csv")]


@pytest.mark.parametrize(("model", "name"), FITTED)
def test_nothing_that_is_fitted_in_one_step_moves(tmp_path, model, name):
    chosen = [each for each in files(tmp_path)[name] if not each.startswith("loss")]
    audited = audit([f"model={model}", f"data={name}", *chosen, *QUICK[:3]])
    assert audited["clean"], audited


def test_a_neighbour_from_the_held_out_part_is_seen(monkeypatch):
    honest = FittedRun.fit

    def leak(self):
        self.task = replace(self.task, train=[torch.cat([self.task.train[0], self.task.val[0]])])
        honest(self)

    monkeypatch.setattr(FittedRun, "fit", leak)
    audited = audit(["model=knn", "data=iris", *QUICK[:3]])
    assert audited["folds"][0]["changed"] == ["weights"]


def normalize_of(option: str):
    return {"standard": normalize.Standard, "minmax": normalize.MinMax, "none": normalize.NoNormalize}[option]()


def test_perturbing_changes_every_held_out_row_and_no_other():
    config = resolve(["data=diabetes", *QUICK], job="cv").config
    data = load_data(config)
    other = perturb(data)
    moved = (data.inputs != other.inputs).any(1) & (data.targets != other.targets)
    assert moved[data.val].all()
    assert moved[data.test].all()
    assert torch.equal(data.inputs[data.train], other.inputs[data.train])
    assert torch.equal(data.targets[data.train], other.targets[data.train])


def test_a_leak_of_the_normalisation_is_seen(monkeypatch):
    honest = normalize.Standard.fit
    monkeypatch.setattr(normalize.Standard, "fit", lambda self, inputs, rows=None: honest(self, inputs))
    audited = audit(["data=iris", *QUICK])
    assert not audited["clean"]
    assert audited["folds"][0]["changed"] == ["normalize", "impute", "weights"]


def test_a_leak_of_categories_is_seen(tmp_path, monkeypatch):
    overrides = ["data=csv", *files(tmp_path)["csv"][:-1], "data.drop=[part]", *QUICK]
    assert audit(overrides)["clean"]
    honest = table.settle
    monkeypatch.setattr(table, "settle", lambda file, names, codes, _: honest(file, names, codes, np.arange(60)))
    audited = audit(overrides)
    assert not audited["clean"]
    assert audited["folds"][0]["changed"][0] == "encoding"


def test_a_leak_of_the_unit_of_values_is_seen(monkeypatch):
    honest = TargetScale.fit
    monkeypatch.setattr(
        TargetScale, "fit", staticmethod(lambda targets, train: honest(targets, torch.arange(len(targets))))
    )
    audited = audit(["data=diabetes", *QUICK])
    assert audited["folds"][0]["changed"] == ["unit", "weights"]


def test_a_held_out_part_that_chooses_the_epoch_is_seen():
    audited = audit(["data=iris", "trainer.monitor=val/loss", *QUICK])
    assert not audited["clean"]
    assert "optimistic" in audited["findings"][0]


OF_PAIRS = ["task=pairs", "pairs.train=60", "pairs.held_out=40", "data.limit=140", *QUICK]


def test_of_drawn_pairs_nothing_fitted_moves():
    audited = audit(OF_PAIRS)
    assert audited["clean"], audited
    assert [(record["changed"], record["in_both"]) for record in audited["folds"]] == [([], 0), ([], 0)]
    assert [(record["num_train"], record["num_val"]) for record in audited["folds"]] == [(60, 40), (60, 40)]
    divided = load_data(resolve(OF_PAIRS[: -len(QUICK)]).config)
    other = perturb(divided)
    assert divided.sample_ids(divided.train) == other.sample_ids(other.train)
    assert divided.sample_ids(divided.val) != other.sample_ids(other.val)
    inside = divided.members(divided.train)
    assert torch.equal(divided.inputs[inside], other.inputs[inside])


def test_pairs_that_are_drawn_by_held_out_classes_are_seen(monkeypatch):
    honest = draw.Pairs.draw

    def by_the_whole(self, examples, seed):
        return honest(self, examples, seed + int(examples.targets[examples.val].sum()))

    monkeypatch.setattr(draw.Pairs, "draw", by_the_whole)
    assert audit(OF_PAIRS)["folds"][0]["changed"] == ["normalize", "weights"]


def test_a_pair_across_parts_is_refused(monkeypatch):
    honest = draw.Pairs.draw

    def across(self, examples, seed):
        data = honest(self, examples, seed)
        assert data.pairs is not None
        table = data.pairs.clone()
        table[data.val[0], 0] = table[data.train[0], 0]
        return replace(data, pairs=table)

    monkeypatch.setattr(draw.Pairs, "draw", across)
    with pytest.raises(DataError, match=r"got pairs of the train and of the val part; an input in two parts"):
        audit(OF_PAIRS)


def test_listed_pairs_whose_groups_are_divided_are_refused(tmp_path):
    linked = write_pairs(tmp_path)["pair_csv"]
    with pytest.raises(DataError, match=r"an input in two parts makes scores too good: give its pairs one group"):
        audit(["data=pair_csv", f"data.path={linked}", *PICTURES, *QUICK, "cv.groups=false"])


def test_shared_groups_and_duplicates_are_counted(tmp_path):
    overrides = [*files(tmp_path)["arrays"], "data=arrays", *QUICK]
    audited = audit([*overrides, "cv.groups=false"])
    assert audited["folds"][0]["groups_in_both"] > 0
    assert not audited["clean"]
    draw = np.random.default_rng(0).normal(size=(30, 4))
    np.savez(tmp_path / "twice.npz", x=np.tile(draw, (2, 1)), y=np.arange(60) % 2)
    twice = ["data=arrays", f"data.path={tmp_path / 'twice.npz'}", "data.test_fraction=0.0"]
    audited = audit([*twice, *QUICK])
    # of two copies, either both are in one fold or each is held out while the other trains
    assert 0 < sum(record["duplicates"] for record in audited["folds"]) <= 60
    assert sum(record["duplicates"] for record in audited["folds"]) % 2 == 0
    assert "byte for byte" in audited["findings"][0]
    assert audited["clean"]


def test_imputed_values_are_the_training_parts(tmp_path):
    config = resolve(["data=csv", *files(tmp_path)["csv"], *QUICK], job="cv").config
    data = load_data(config)
    first = deal_folds(config, data)[0]
    part = data.with_parts(first.train, first.val)
    present = part.inputs[part.train][:, 0]
    expected = present[~present.isnan()].double().mean()
    fill = normalize.Standard().fit(part.inputs, part.train).fill
    assert fill is not None
    assert float(fill[0]) == pytest.approx(float(expected))
    moved = replace(part, inputs=part.inputs.clone())
    moved.inputs[part.train] += 1
    fold_config = configure(config, first)
    assert not torch.equal(fitted(fold_config, part)["impute"][0], fitted(fold_config, moved)["impute"][0])


def test_every_setting_and_every_inner_fold_is_audited(monkeypatch):
    settings = audit(["data=iris", "optimizer.lr=0.1,0.2", "normalize=standard,minmax", *QUICK])
    assert settings["clean"]
    assert len(settings["folds"]) == 4 * 2
    nested = audit(["data=iris", "cv=nested", "cv.inner_k=3", "optimizer.lr=0.1,0.2", *QUICK])
    assert nested["clean"]
    assert [record["inner"] for record in nested["folds"]] == [None, 0, 1, 2] * 2
    # an inner training part that reaches into what the outer fold holds out
    honest = fold.Nested.inner
    monkeypatch.setattr(
        fold.Nested, "inner", lambda self, data, outer, seed: honest(self, data, replace(outer, train=outer.val), seed)
    )
    leaking = audit(["data=iris", "cv=nested", "cv.inner_k=3", "optimizer.lr=0.1,0.2", *QUICK])
    assert not leaking["clean"]
    assert all(r["in_both"] == r["num_train"] + r["num_val"] for r in leaking["folds"] if r["inner"] is not None)
