"""What outputs say of an example, as people read it. Shapes: N examples, K outputs."""

from typing import Any

from torch import Tensor

from dlexp.data.joint.head import Head, of_columns
from dlexp.job.inference.document import Prediction, Said
from dlexp.metric.classification import predict_class
from dlexp.metric.probability import log_weights


def say(ids: list[str], outputs: Tensor, names: list[str], link: str, *, is_error: bool = False) -> list[Prediction]:
    """Return the answer for each example: class and probabilities, a value, or an error.

    Args:
        ids: Of the examples.
        outputs: Logits (N, K), or values (N,).
        names: Of the classes; empty for values.
        link: How outputs become probabilities.
        is_error: Whether the outputs are errors of reconstructions.
    """
    if is_error:
        return [{"id": id, "error": error} for id, error in zip(ids, outputs.tolist(), strict=True)]
    if not names:
        return [{"id": id, "value": value} for id, value in zip(ids, outputs.tolist(), strict=True)]
    probability_NK = log_weights(outputs, link).softmax(-1)
    return [
        {"id": id, "class": names[k], "probability": row[k], "probabilities": dict(zip(names, row, strict=True))}
        for id, k, row in zip(ids, predict_class(outputs).tolist(), probability_NK.tolist(), strict=True)
    ]


def say_several(ids: list[str], outputs_NK: Tensor, heads: list[Head]) -> list[Prediction]:
    """Return the answers for each example to several targets, by their names.

    Args:
        ids: Of the examples.
        outputs_NK: Of all targets side by side, values in their own units.
        heads: What the targets are.
    """
    said = []
    for head, columns in zip(heads, of_columns(heads), strict=True):
        alone = outputs_NK[:, columns] if head.num_classes else outputs_NK[:, columns][:, 0]
        said.append(say(ids, alone, head.class_names, "softmax"))
    return [
        {"id": id, "targets": {head.name: _without_id(said[j][n]) for j, head in enumerate(heads)}}
        for n, id in enumerate(ids)
    ]


def _without_id(entry: Prediction) -> Said:
    answer: Any = {key: value for key, value in entry.items() if key != "id"}
    return answer


def flat(entry: Prediction) -> dict[str, Any]:
    """Return an entry whose answers to several targets stand beside each other, each under its target's name."""
    flat: dict[str, Any] = {"id": entry["id"]}
    if "targets" not in entry:
        return {**entry}
    for name, said in entry["targets"].items():
        plain: dict[str, Any] = {**said}
        flat[name] = plain.get("class", plain.get("value"))
        if "probability" in plain:
            flat[f"{name} probability"] = plain["probability"]
            flat |= {f"{name} probability {each}": p for each, p in plain["probabilities"].items()}
    return flat
