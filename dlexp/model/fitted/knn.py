"""k nearest neighbours, by scikit-learn.

Features: inputs normalised and flattened as for other models; euclidean or cosine distance; equal votes, or votes by
1 / distance; values are the mean of the neighbours'. Of equally far examples scikit-learn chooses; of classes with
equal votes the first is called. A checkpoint holds the training part: its size is that of the normalised inputs.
Shapes: N training examples, M examples, D features, K classes.
"""

import math
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from dlexp.error import ConfigError, DataError
from dlexp.model.fitted.fitted import Fitted, require_smoothing, smooth
from dlexp.number import noun
from dlexp.type import Count, NonNegative

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


class KNN(Fitted):
    """The vote, or the mean value, of the k training examples that are nearest.

    Args:
        k: Neighbours, at most as many as training examples.
        metric: Distance of normalised inputs: euclidean, or cosine, 1 - <x, z> / (|x| |z|).
        weights: `uniform` counts neighbours alike, `distance` by 1 / distance; an example at distance 0 counts alone.
        smoothing: Pseudo-votes that each class gets beside the k, >= 0: p = (k share + s) / (k + s K). 0 gives
            scikit-learn's probabilities; a class without a vote then enters log loss with 2.2e-16, as there.

    References:
        Cover and Hart (1967), Nearest Neighbor Pattern Classification, IEEE Transactions on Information Theory 13.
    """

    examples: Tensor
    targets: Tensor

    def __init__(
        self,
        k: Count = 5,
        metric: Literal["euclidean", "cosine"] = "euclidean",
        weights: Literal["uniform", "distance"] = "uniform",
        smoothing: NonNegative = 0.0,
        *,
        in_shape: tuple[int, ...],
        num_outputs: int,
    ) -> None:
        super().__init__(num_outputs)
        require_smoothing(smoothing, has_classes=self.has_classes)
        self.k, self.metric, self.weights, self.smoothing = k, metric, weights, smoothing
        self.register_buffer("examples", torch.empty(0, math.prod(in_shape)))
        self.register_buffer("targets", torch.empty(0, dtype=torch.int64) if self.has_classes else torch.empty(0))
        self._searcher: Any = None
        self._searched: Tensor | None = None  # the very examples that it was made of

    @property
    def is_fitted(self) -> bool:
        """See `Fitted`."""
        return len(self.examples) > 0

    def require(self, num_train: int) -> None:
        """See `Fitted`."""
        if self.k > num_train:
            raise ConfigError(
                f"model.k: got {self.k}; the training part has {noun(num_train, 'example')}, so at most {num_train}"
            )

    def fit(self, x: Tensor, targets_N: Tensor) -> None:
        """See `Fitted`.

        Raises:
            ConfigError: There are fewer than k examples.
            DataError: One has no direction, and the cosine is asked for.
        """
        self.require(len(x))
        examples_ND = x.flatten(1)
        self._require_direction(examples_ND, "training example")
        self.examples = examples_ND.clone()
        self.targets = targets_N.clone() if self.has_classes else targets_N.to(x.dtype)

    def predict(self, x: Tensor) -> Tensor:
        """See `Fitted`.

        Raises:
            DataError: One has no direction, and the cosine is asked for.
        """
        queries_MD = x.flatten(1).cpu()
        self._require_direction(queries_MD, "example")
        if self._searched is not self.examples:
            self._searcher, self._searched = self._make_searcher(), self.examples
        with _threads().limit(limits=torch.get_num_threads()):
            if not self.has_classes:
                return (
                    torch.from_numpy(self._searcher.predict(queries_MD.numpy())).to(x.device, torch.float64).view(-1, 1)
                )
            seen = torch.from_numpy(self._searcher.predict_proba(queries_MD.numpy())).double()
        share_MK = seen.new_zeros(len(x), self.num_outputs)
        share_MK[:, torch.from_numpy(self._searcher.classes_)] = seen
        return smooth(share_MK, self.k, self.smoothing).to(x.device)

    def _make_searcher(self) -> Any:
        from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

        kind = KNeighborsClassifier if self.has_classes else KNeighborsRegressor
        searcher = kind(self.k, metric=self.metric, weights=self.weights)
        return searcher.fit(self.examples.cpu().numpy(), self.targets.cpu().numpy())

    def _require_direction(self, vectors: Tensor, what: str) -> None:
        num = int((vectors == 0).all(1).sum()) if self.metric == "cosine" else 0
        if num:
            raise DataError(
                f"model.metric: got cosine; {noun(num, what)} of {len(vectors)} {'is' if num == 1 else 'are'} 0 "
                "throughout after normalisation and has no direction: choose euclidean, or another normalize"
            )


@cache
def _threads() -> "ThreadpoolController":
    """Return what sets the threads of scikit-learn, which are not torch's; its libraries have to be loaded."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
