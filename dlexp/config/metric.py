"""The metrics that results have, with their formulas: what `dlexp options metric` lists. Nothing here imports torch.

N examples, K classes; t_k examples of class k, p_k called k, h_k rightly so; y target, f prediction, e = f - y.
"""

from dataclasses import dataclass

CLASSES, VALUES, PAIRS, INPUTS = "classification", "regression", "pairs", "reconstruction"


@dataclass(frozen=True)
class Row:
    """One metric.

    Attributes:
        name: In results, after the part: `val/NAME`.
        task: `CLASSES`, `VALUES`, `INPUTS` or `PAIRS`; reconstructions have mse and rmse of `VALUES` too, pairs those
            of `CLASSES` that read no probability.
        formula: In ASCII.
        note: What else there is to say.
        source: Where it comes from.
        parameter: The setting under `metric` that changes it.
    """

    name: str
    task: str
    formula: str
    note: str = ""
    source: str = ""
    parameter: str = ""


_MACRO = "mean over classes that occur among targets or predictions; 0 / 0 counts as 0"
_TWO = "two classes only, of which 1 is the positive one: data.positive, or 1, true, yes, or the rarer"
_ONE = "of the positive class of two, else the mean over classes, each against the rest; ranked by log-odds"
_GOOD = "J. Good (1952), Rational Decisions, Journal of the Royal Statistical Society B 14"
OF_POSITIVE = ("precision", "recall", "f1", "average_precision")  # of two classes, metrics of one of them
METRICS = (
    Row("accuracy", CLASSES, "sum_k h_k / N", "monitored unless trainer.monitor says otherwise"),
    Row("precision_macro", CLASSES, "mean_k h_k / p_k", _MACRO),
    Row("recall_macro", CLASSES, "mean_k h_k / t_k", _MACRO),
    Row("f1_macro", CLASSES, "mean_k 2 h_k / (p_k + t_k)", _MACRO),
    Row("precision", CLASSES, "h_1 / p_1", _TWO),
    Row("recall", CLASSES, "h_1 / t_1", _TWO),
    Row("f1", CLASSES, "2 h_1 / (p_1 + t_1)", _TWO),
    Row(
        "log_loss",
        CLASSES,
        "mean -log p(y), in nats",
        "p by the loss's link: softmax or normalised sigmoids; not of pairs",
        _GOOD,
    ),
    Row("precision_micro", CLASSES, "sum_k h_k / N", "equals accuracy where each example has one class"),
    Row("recall_micro", CLASSES, "sum_k h_k / N", "equals accuracy where each example has one class"),
    Row("f1_micro", CLASSES, "sum_k h_k / N", "equals accuracy where each example has one class"),
    Row(
        "fbeta_macro",
        CLASSES,
        "mean_k (1 + beta^2) h_k / (beta^2 t_k + p_k)",
        f"beta is metric.beta; {_MACRO}",
        "C. van Rijsbergen (1979), Information Retrieval, chapter 7",
        "beta",
    ),
    Row("balanced_accuracy", CLASSES, "mean_k h_k / t_k", "over the classes that targets have; chance is 1 / K"),
    Row(
        "matthews_correlation",
        CLASSES,
        "(sum_k h_k N - sum_k p_k t_k) / sqrt((N^2 - sum_k p_k^2) (N^2 - sum_k t_k^2))",
        "in [-1, 1], 0 for guessing; 0 / 0 counts as 0",
        "J. Gorodkin (2004), Comparing Two K-category Assignments, Computational Biology and Chemistry 28",
    ),
    Row(
        "roc_auc",
        CLASSES,
        "P(positive ranks above negative) + P(tie) / 2",
        _ONE,
        "J. Hanley, B. McNeil (1982), The Meaning and Use of the Area under a ROC Curve, Radiology 143",
    ),
    Row(
        "average_precision",
        CLASSES,
        "sum_n (R_n - R_(n-1)) P_n over the distinct scores, R recall, P precision",
        _ONE,
        "M. Zhu (2004), Recall, Precision and Average Precision, University of Waterloo, Working Paper 2004-09",
    ),
    Row(
        "calibration_error",
        CLASSES,
        "sum_b n_b / N |accuracy_b - confidence_b|",
        "15 equal bins of the largest probability; not of pairs",
        "C. Guo et al. (2017), On Calibration of Modern Neural Networks, ICML, equation 5",
    ),
    Row("top5_accuracy", CLASSES, "share with y among the 5 largest outputs", "K > 5; of equal ones the lower class"),
    Row(
        "eer",
        PAIRS,
        "false acceptance where it equals false rejection",
        "the ROC curve followed by straight lines between its points",
        "A. Martin et al. (1997), The DET Curve in Assessment of Detection Task Performance, Eurospeech",
    ),
    Row(
        "mse",
        VALUES,
        "mean e^2",
        "in the target's unit squared; of reconstructions over all inputs of an example too, normalised",
    ),
    Row("rmse", VALUES, "sqrt(mean e^2)", "in the target's unit; of reconstructions as mse"),
    Row("mae", VALUES, "mean |e|", "in the target's unit"),
    Row("r2", VALUES, "1 - sum e^2 / sum (y - mean y)^2", "0 for predicting the mean, unknown where all y are equal"),
    Row(
        "huber",
        VALUES,
        "mean of e^2 / 2 where |e| <= d, d (|e| - d / 2) beyond",
        "d is loss.delta (1 for other losses) standard deviations of the training targets",
        "P. Huber (1964), Robust Estimation of a Location Parameter, Annals of Mathematical Statistics 35",
    ),
    Row("median_error", VALUES, "median |e|", "in the target's unit"),
    Row("bias", VALUES, "mean e", "neither high nor low is better"),
    Row(
        "explained_variance",
        INPUTS,
        "1 - sum |z - x|^2 / sum |x - m|^2",
        "z reconstruction, x normalised inputs, m their mean in the training part, which has 0",
    ),
)
