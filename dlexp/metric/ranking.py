"""Metrics of the scores themselves: ROC curve, area and equal error rate, average precision, calibration, top-k.

All are batched over trials. Shapes: T trials, N examples, K classes, B bins, P points of a curve.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from dlexp.metric.probability import exact_type


def roc_auc(scores_TNK: Tensor, targets_TN: Tensor) -> Tensor:
    """Return the area under the ROC curve of each class against the rest, (T, K); NaN where one side is empty.

    The Mann-Whitney form: the probability that a positive outranks a negative, a tie counting one half,
    AUC = (R - P (P + 1) / 2) / (P M), with R the sum of the positives' average ranks, P positives, M negatives.

    References:
        J. Hanley, B. McNeil (1982), The Meaning and Use of the Area under a ROC Curve, Radiology 143.
    """
    scores_TKN = scores_TNK.transpose(-1, -2).contiguous()
    ordered = scores_TKN.sort(-1).values
    lower = torch.searchsorted(ordered, scores_TKN)
    upper = torch.searchsorted(ordered, scores_TKN, right=True)
    rank_TKN = (lower + upper + 1).to(exact_type(scores_TNK)) / 2
    positive_TKN = F.one_hot(targets_TN, scores_TNK.shape[-1]).transpose(-1, -2).to(rank_TKN.dtype)
    num_positive = positive_TKN.sum(-1)
    num_negative = positive_TKN.shape[-1] - num_positive
    above = (rank_TKN * positive_TKN).sum(-1) - num_positive * (num_positive + 1) / 2
    return above / (num_positive * num_negative)


def average_precision(scores_TNK: Tensor, targets_TN: Tensor) -> Tensor:
    """Return the average precision of each class against the rest, (T, K); NaN where it has no example.

    AP = sum_n (R_n - R_(n-1)) P_n over the distinct scores as thresholds, P precision and R recall: the mean over
    positives of the precision among all that score at least as high.

    References:
        M. Zhu (2004), Recall, Precision and Average Precision, University of Waterloo, Working Paper 2004-09.
    """
    scores_TKN = scores_TNK.transpose(-1, -2).contiguous()
    ordered_TKN, order_TKN = scores_TKN.sort(-1)
    first_TKN = torch.searchsorted(ordered_TKN, ordered_TKN).clamp(max=ordered_TKN.shape[-1] - 1)  # NaN comes last
    positive_TKN = F.one_hot(targets_TN, scores_TNK.shape[-1]).transpose(-1, -2).to(exact_type(scores_TNK))
    positive_TKN = positive_TKN.gather(-1, order_TKN)
    num_positive_TK1 = positive_TKN.sum(-1, keepdim=True)
    below_TKN = positive_TKN.cumsum(-1) - positive_TKN
    hits_TKN = num_positive_TK1 - below_TKN.gather(-1, first_TKN)
    precision_TKN = hits_TKN / (scores_TKN.shape[-1] - first_TKN)
    return (precision_TKN * positive_TKN).sum(-1) / num_positive_TK1[..., 0]


def roc_curve(scores_N: Tensor, is_positive_N: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return (false positive rate, true positive rate, threshold), from (0, 0) at +inf to (1, 1).

    One point for each distinct score s: the rates of calling positive what scores at least s.
    """
    order = scores_N.argsort(descending=True)
    scores, hits = scores_N[order], is_positive_N[order].to(exact_type(scores_N))
    is_last = torch.ones_like(scores, dtype=torch.bool)
    is_last[:-1] = scores[1:] != scores[:-1]
    true_positive, false_positive = hits.cumsum(0)[is_last], (1 - hits).cumsum(0)[is_last]
    zero, infinity = true_positive.new_zeros(1), scores.new_full((1,), torch.inf)
    rates = [torch.cat([zero, counts / counts[-1]]) for counts in (false_positive, true_positive)]
    return rates[0], rates[1], torch.cat([infinity, scores[is_last]])


def equal_error_rate(scores_TN: Tensor, is_positive_TN: Tensor) -> Tensor:
    """Return the error rate where both kinds are equal, (T,): false acceptance FPR and false rejection 1 - TPR.

    The ROC curve is followed from point to point by straight lines; its crossing with FPR = 1 - TPR is the rate. NaN
    where one side is empty.

    Args:
        scores_TN: Larger for likelier positive.
        is_positive_TN: Which are.

    References:
        A. Martin et al. (1997), The DET Curve in Assessment of Detection Task Performance, Eurospeech.
    """
    ordered_TN, order_TN = scores_TN.sort(-1, descending=True)
    hits_TN = is_positive_TN.expand_as(order_TN).gather(-1, order_TN).to(exact_type(scores_TN))
    # an example stands at the end of those that tie with it: a curve has a point for each distinct score
    last_TN = torch.searchsorted(-ordered_TN, -ordered_TN, right=True) - 1
    last_TN = last_TN.clamp(max=scores_TN.shape[-1] - 1)
    tpr_TN, fpr_TN = (_rates(each_TN).gather(-1, last_TN) for each_TN in (hits_TN, 1 - hits_TN))
    start_T1 = hits_TN.new_zeros(len(hits_TN), 1)
    tpr_TP, fpr_TP = (torch.cat([start_T1, rates], -1) for rates in (tpr_TN, fpr_TN))
    gap_TP = fpr_TP - (1 - tpr_TP)  # rises from -1 to 1
    after_T1 = (gap_TP >= 0).long().argmax(-1, keepdim=True)
    before_T1 = (gap_TP < 0).sum(-1, keepdim=True) - 1
    (low_T1, high_T1), (left_T1, right_T1) = (
        [values.gather(-1, place) for place in (before_T1, after_T1)] for values in (gap_TP, fpr_TP)
    )
    return (left_T1 - low_T1 * (right_T1 - left_T1) / (high_T1 - low_T1)).squeeze(-1)


def _rates(hits_TN: Tensor) -> Tensor:
    return hits_TN.cumsum(-1) / hits_TN.sum(-1, keepdim=True)


def calibration_error(probability_TNK: Tensor, is_right_TN: Tensor, num_bins: int) -> Tensor:
    """Return the expected calibration error, (T,): sum over bins of n_b / N * |accuracy_b - confidence_b|.

    Bins divide the confidence, the largest probability, evenly over (0, 1]; each holds its upper edge.

    References:
        C. Guo et al. (2017), On Calibration of Modern Neural Networks, ICML, equation 5.
    """
    confidence_TN = probability_TNK.amax(-1)
    bin_TN = (confidence_TN * num_bins).ceil().long().sub(1).clamp(0, num_bins - 1)
    gap_TN = is_right_TN.to(confidence_TN.dtype) - confidence_TN
    sums_TB = gap_TN.new_zeros(len(gap_TN), num_bins).scatter_add_(1, bin_TN, gap_TN)
    return sums_TB.abs().sum(-1) / gap_TN.shape[-1]


def top_k_accuracy(logits_TNK: Tensor, targets_TN: Tensor, k: int) -> Tensor:
    """Return the share of examples whose class is among the k largest logits, (T,).

    Among equal logits the lower class comes first, as in the prediction itself.
    """
    own_TN1 = logits_TNK.gather(-1, targets_TN.unsqueeze(-1))
    is_before_TNK = torch.arange(logits_TNK.shape[-1], device=logits_TNK.device) < targets_TN.unsqueeze(-1)
    ahead_TN = ((logits_TNK > own_TN1) | ((logits_TNK == own_TN1) & is_before_TNK)).sum(-1)
    return (ahead_TN < k).to(exact_type(logits_TNK)).mean(-1)
