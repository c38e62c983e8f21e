"""What label-flip poisoning needs of torch: a sentence encoder, and language models as victims."""

#: Name -> (module of this package that has ``ALGORITHM``, what it is in one line).
ALGORITHMS = {
    "dpo": ("dpo", "direct preference optimisation of a small language model, on flipped labels"),
}
