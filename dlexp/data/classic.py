"""Small classic tables that scikit-learn ships; no download."""

from dataclasses import dataclass

import numpy as np
import torch

from dlexp.data.bundled import read
from dlexp.data.dataset import Dataset
from dlexp.data.joint.head import Head
from dlexp.data.split import Split
from dlexp.data.target import class_task
from dlexp.error import ConfigError
from dlexp.type import SEVERAL

_CELL = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave points",
    "symmetry",
    "fractal dimension",
)


@dataclass(frozen=True)
class BreastCancer(Split):
    """Breast cancer Wisconsin, 569 tumours by 30 measures of their cells' nuclei, malignant or benign.

    References:
        W. Street, W. Wolberg, O. Mangasarian (1993), Nuclear feature extraction for breast tumor diagnosis.
    """

    def load(self, task: str = "auto") -> Dataset:
        """Return (569, 30) float32; class 0 malignant (212), 1 benign (357)."""
        features = [f"{statistic} {measure}" for statistic in ("mean", "error of", "worst") for measure in _CELL]
        return _classes(self, "breast_cancer", "breast_cancer.csv", ["malignant", "benign"], features, task)


@dataclass(frozen=True)
class Wine(Split):
    """Wine, 178 Italian wines of three cultivars by 13 chemical measures.

    References:
        M. Forina et al. (1991), PARVUS; UCI Machine Learning Repository, Wine.
    """

    def load(self, task: str = "auto") -> Dataset:
        """Return (178, 13) float32; classes of 59, 71 and 48."""
        features = [
            *("alcohol", "malic acid", "ash", "alcalinity of ash", "magnesium", "total phenols", "flavanoids"),
            *("nonflavanoid phenols", "proanthocyanins", "color intensity", "hue", "od280/od315", "proline"),
        ]
        return _classes(self, "wine", "wine_data.csv", [f"cultivar {k}" for k in (1, 2, 3)], features, task)


@dataclass(frozen=True)
class Iris(Split):
    """Iris, 150 flowers of three species by length and width of sepal and petal in cm.

    References:
        R. Fisher (1936), The use of multiple measurements in taxonomic problems, Annals of Eugenics 7.
    """

    def load(self, task: str = "auto") -> Dataset:
        """Return (150, 4) float32; three classes of 50."""
        features = ["sepal length", "sepal width", "petal length", "petal width"]
        return _classes(self, "iris", "iris.csv", ["setosa", "versicolor", "virginica"], features, task)


@dataclass(frozen=True)
class Diabetes(Split):
    """Diabetes, 442 patients by 10 measures; the value is the progression of the disease after a year.

    References:
        B. Efron, T. Hastie, I. Johnstone, R. Tibshirani (2004), Least Angle Regression, Annals of Statistics 32.
    """

    def load(self, task: str = "auto") -> Dataset:
        """Return (442, 10) float32 and values from 25 to 346."""
        if task not in ("auto", "regression"):
            raise ConfigError(f"task: got {task}; diabetes has values: choose auto or regression")
        inputs = torch.from_numpy(read("diabetes_data_raw.csv.gz", delimiter=None).astype(np.float32))
        targets = torch.from_numpy(read("diabetes_target.csv.gz", delimiter=None)[:, 0].astype(np.float32))
        train, val, test = self.divide(targets)
        features = ["age", "sex", "bmi", "blood pressure", *(f"s{i}" for i in range(1, 7))]
        return Dataset("diabetes", "regression", inputs, targets, train, val, test, feature_names=features)


@dataclass(frozen=True)
class Linnerud(Split):
    """Linnerud, 20 men by three exercises; three values: weight in pounds, waist in inches, pulse.

    References:
        M. Tenenhaus (1998), La regression PLS: theorie et pratique, table 1, after A. Linnerud.
    """

    def load(self, task: str = "auto") -> Dataset:
        """Return (20, 3) float32 and three values."""
        if task not in ("auto", "regression"):
            raise ConfigError(f"task: got {task}; linnerud has values: choose auto or regression")
        inputs = torch.from_numpy(read("linnerud_exercise.csv", delimiter=None, skip_rows=1).astype(np.float32))
        targets = torch.from_numpy(read("linnerud_physiological.csv", delimiter=None, skip_rows=1))
        train, val, test = self.divide(targets[:, 0])
        heads = [Head(name, "regression") for name in ("weight", "waist", "pulse")]
        features = ["chins", "situps", "jumps"]
        return Dataset("linnerud", SEVERAL, inputs, targets, train, val, test, feature_names=features, heads=heads)


def _classes(split: Split, name: str, file: str, names: list[str], features: list[str], task: str) -> Dataset:
    table = read(file, skip_rows=1)
    inputs = torch.from_numpy(table[:, :-1].astype(np.float32))
    targets = torch.from_numpy(table[:, -1].astype(np.int64))
    train, val, test = split.divide(targets, class_names=names)
    task = class_task(task, len(names))
    return Dataset(name, task, inputs, targets, train, val, test, names, feature_names=features)
