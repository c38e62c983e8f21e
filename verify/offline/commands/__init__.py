"""``pid``: whether a controlled multiplier comes to rest; ``offline``: what logged data support."""

COMMANDS: dict[str, tuple[str, str, str]] = {}
"""Name -> (group in ``holdfast --help``, module of this folder, what it is for)."""
