"""Label flips and what trained networks learn from them.

To be read in this order: `sentences`, `answers` (features of texts), `reward_model`, `victims` (one
cell of the experiment), `reward_runs` (kept runs), `tables`, `drift`; and for language models
`language_model`, `token_pairs`, `dpo_options`, `dpo_labels`, `soft_dpo` (TRL's trainer), `dpo`
(kept runs), `dpo_tables`.
"""

from lazy_loader import attach_stub

#: Name -> (module of this package that has ``ALGORITHM``, what it is in one line).
ALGORITHMS = {
    "reward-model": ("reward_runs", "reward models on clean, attacked and least-cost labels"),
    "dpo": ("dpo", "direct preference optimisation of a small language model, on flipped labels"),
}
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
