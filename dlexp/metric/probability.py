"""What a classifier's outputs z say of each class: its probability, and a score that ranks examples by it.

Four links turn outputs into probabilities, by what the loss fits:

- softmax (cross-entropy): p_k = exp(z_k) / sum_j exp(z_j). A lone column z counts as (0, z): p_1 = sigmoid(z).
- sigmoid (one class against the rest): p_k = sigmoid(z_k) / sum_j sigmoid(z_j). K columns of binary log loss are K
  separate models, whose probabilities need not add up to 1 before that.
- margin (hinge): p_k = sigmoid(m_k) / sum_j sigmoid(m_j) with m_k = z_k - max_(j != k) z_j, the lead over the best
  other class. The loss fixes leads, not probabilities: this is a reading of them, and log loss and calibration error
  say how far it holds.
- similarity (losses of pairs): columns are a threshold and a similarity, read as margin reads two columns.

Examples are ranked by log-odds: log(p_k / (1 - p_k)) under softmax, z_k and m_k under the others, which are the
log-odds of each class's own sigmoid. All is float64: a float32 softmax calls any two leads beyond 17 equal.
Shapes: T trials, N examples, K classes.

References:
    B. Zadrozny, C. Elkan (2002), Transforming Classifier Scores into Accurate Multiclass Probability Estimates, KDD,
    section 5 (normalised one-against-rest estimates).
"""

import torch
from torch import Tensor
from torch.nn import functional as F

TIES = 2.0**40  # steps of a unit of log-odds, within which examples tie: sums round a thousand times finer


def exact_type(like: Tensor) -> torch.dtype:
    """Return float64, or float32 on a device that has no other."""
    return torch.float32 if like.device.type == "mps" else torch.float64


def two_columns(outputs_TNK: Tensor) -> Tensor:
    """Return logits with a column per class: a lone column z becomes (0, z), whose softmax is the sigmoid of z."""
    if outputs_TNK.shape[-1] > 1:
        return outputs_TNK
    return torch.cat([torch.zeros_like(outputs_TNK), outputs_TNK], -1)


def log_weights(outputs_TNK: Tensor, link: str = "softmax") -> Tensor:
    """Return w (T, N, K) in float64 with p_k = exp(w_k) / sum_j exp(w_j).

    Args:
        outputs_TNK: (T, N, K), or any axes before K; one column means the logit of class 1 of two.
        link: "softmax", "sigmoid", "margin" or "similarity"; a lone column is a sigmoid under each.
    """
    if link == "softmax" or outputs_TNK.shape[-1] == 1:
        return two_columns(outputs_TNK).to(exact_type(outputs_TNK))
    return F.logsigmoid(log_odds(outputs_TNK, link))


def log_odds(outputs_TNK: Tensor, link: str = "softmax") -> Tensor:
    """Return the score of each class (T, N, K) in float64 that orders examples as its probability does.

    Unlike that it does not saturate at 1. Of two classes it is the difference of their logits. Of more, 1 - p of the
    likeliest is added up from the others', so that its digits are not lost. Sums are taken in the order of size:
    outputs that are equal but for their order, or for what all classes share, tie to the bit.

    Args:
        outputs_TNK: As in `log_weights`.
        link: As in `log_weights`.
    """
    z_TNK = two_columns(outputs_TNK).to(exact_type(outputs_TNK))
    if link == "sigmoid" and outputs_TNK.shape[-1] > 1:
        return z_TNK
    if z_TNK.shape[-1] == 2:
        lead_TN = z_TNK[..., 1] - z_TNK[..., 0]
        return torch.stack([-lead_TN, lead_TN], -1)
    top_TN1 = z_TNK.argmax(-1, keepdim=True)
    others_TNK = z_TNK.scatter(-1, top_TN1, -torch.inf)
    if link == "margin":
        largest_TN1 = z_TNK.amax(-1, keepdim=True)
        return z_TNK - largest_TN1.expand_as(z_TNK).scatter(-1, top_TN1, others_TNK.amax(-1, keepdim=True))
    z_TNK = z_TNK - z_TNK.amax(-1, keepdim=True)
    ordered_TNK = z_TNK.sort(-1).values
    log_p_TNK = z_TNK - ordered_TNK.exp().sum(-1, keepdim=True).log()
    odds_TNK = log_p_TNK - torch.log1p(-log_p_TNK.exp().scatter(-1, top_TN1, 0.0))
    odds_of_top_TN1 = -ordered_TNK[..., :-1].logsumexp(-1, keepdim=True)
    return torch.where(z_TNK == 0, odds_of_top_TN1, odds_TNK)  # two may be the likeliest


def ranks_by(outputs_TNK: Tensor, link: str = "softmax") -> Tensor:
    """Return what examples are ranked by (T, N, K): `log_odds`, rounded where equal ones come in different digits.

    Under the softmax of more than two classes the digits of a class's log-odds depend on what the others share. Votes
    of neighbours give many examples one probability: rounding to 2^-40 lets them tie, as equal probabilities do.

    Args:
        outputs_TNK: As in `log_weights`.
        link: As in `log_weights`.
    """
    odds_TNK = log_odds(outputs_TNK, link)
    return (odds_TNK * TIES).round() / TIES if link == "softmax" and odds_TNK.shape[-1] > 2 else odds_TNK
