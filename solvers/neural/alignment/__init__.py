"""Alignment of language models on TRL, judged where the whole law of a response is known.

To be read in this order: `bandits` (a model whose responses are single tokens), `checks` (what may
silently train another algorithm), `stages`, `sacpo`; `grouped` (GRPO, RLOO, RePO, HIPO, best of n);
`merging` and `debiasing` for models that are trained already.  On a small real model: `pairs`
(SACPO and P-SACPO), `texts` with `grouped.responses` (RePO, HIPO, best of n), `seeded_bias` (TSDI).
Auditors of anyone's loss: `auditing` (a loss of one's own), `auditing_trl` and `auditing_sb3`
(trainers of these libraries).
"""

from lazy_loader import attach_stub

#: Name -> (module of this package that has ``ALGORITHM``, what it is in one line).
ALGORITHMS = {
    "sacpo": ("sacpo", "two stages of DPO or KTO: helpful first, then safe"),
    "pairs": ("pairs", "two stages of DPO of a small real model: chosen answers, then less toxic"),
    "debiasing": ("seeded_bias", "TSDI of a small real model that was taught to refuse everywhere"),
    "grpo": ("grouped.grpo", "GRPO where its fixed point is known"),
    "rloo": ("grouped.rloo", "RLOO where its fixed point is known"),
    "repo": ("grouped.repo", "rectified policy optimisation: a penalty on each unsafe response"),
    "hipo": ("grouped.hipo", "two rewards and a multiplier, standardised each by itself or not"),
    "texts": ("grouped.responses", "RePO, HIPO, best of n and controls on a small real model"),
    "inference-aware": ("grouped.inference_aware", "GRPO of the best of n samples"),
}
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
