"""Training examples whose label is probably wrong, by what the folds that held them out say.

Shapes: N examples, K classes.
"""

import numpy as np

from dlexp.data.dataset import Dataset
from dlexp.job.cv.document import Suspect, Suspects
from dlexp.run.folder import RunFolder
from dlexp.statistic.label_error import suspects
from dlexp.statistic.score import probabilities

MOST_LISTED = 1000
MANY = 0.2  # of all labels: beyond, a weak model rather than its labels is to be doubted
DOUBT = "so many say more of the models than of the labels"


def find_suspects(cv: RunFolder, dataset: Dataset) -> Suspects | None:
    """Return the examples whose label is probably wrong, the most suspect first; see `dlexp.statistic.label_error`.

    None where outputs are not finite.

    The probabilities of an example are the mean over the repeats that held it out.

    Args:
        cv: With pooled predictions, the softmax of whose outputs are probabilities.
        dataset: For the names of classes.
    """
    stored = cv.predictions("val")
    if not np.isfinite(stored["output"]).all():
        return None
    p_MK = probabilities(stored["output"])
    ids_N, first_N, example_M = np.unique(stored["id"], return_index=True, return_inverse=True)
    sums_NK = np.zeros((len(ids_N), p_MK.shape[1]))
    np.add.at(sums_NK, example_M, p_MK)
    p_NK, label_N = sums_NK / np.bincount(example_M)[:, None], stored["target"][first_N]
    rows, names = suspects(p_NK, label_N), dataset.class_names
    listed: list[Suspect] = [
        {
            "id": str(ids_N[row]),
            "label": names[label_N[row]],
            "label_probability": float(p_NK[row, label_N[row]]),
            "likelier": names[p_NK[row].argmax()],
            "likelier_probability": float(p_NK[row].max()),
        }
        for row in rows[:MOST_LISTED]
    ]
    doubt = DOUBT if len(rows) > MANY * len(ids_N) else ""
    return {"num": len(rows), "num_examples": len(ids_N), "note": doubt, "examples": listed}
