"""``pid``: whether a controlled multiplier comes to rest; ``offline``: what logged data support."""

COMMANDS: dict[str, tuple[str, str, str]] = {
    "offline": (
        "Solve a model", "offline", "What logged data support, and a certified policy within that.",
    ),
    "pid": ("Solve a model", "pid", "Whether a multiplier under PID control comes to rest."),
}  # fmt: skip
"""Name -> (group in ``holdfast --help``, module of this folder, what it is for)."""
