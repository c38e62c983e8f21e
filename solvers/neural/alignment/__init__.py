"""Alignment of language models on TRL, judged where the whole law of a response is known.

To be read in this order: `bandits` (a model whose responses are single tokens), `checks` (what may
silently train another algorithm), `stages`, `sacpo`; `groups`, then `grpo`, `rloo`, `repo`, `hipo`,
`inference_aware`; `merging` and `debiasing` for models that are trained already.
"""

from lazy_loader import attach_stub

#: Name -> (module of this package that has ``ALGORITHM``, what it is in one line).
ALGORITHMS = {
    "sacpo": ("sacpo", "two stages of DPO or KTO: helpful first, then safe"),
    "pairs": ("pairs", "two stages of DPO of a small real model: chosen answers, then less toxic"),
    "grpo": ("grpo", "GRPO where its fixed point is known"),
    "rloo": ("rloo", "RLOO where its fixed point is known"),
    "repo": ("repo", "rectified policy optimisation: a penalty on each unsafe response"),
    "hipo": ("hipo", "two rewards and a multiplier, standardised each by itself or not"),
    "inference-aware": ("inference_aware", "GRPO of the best of n samples"),
}
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
