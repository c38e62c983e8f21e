"""``tune``: targets of a return-conditioned policy, or any other knobs, tuned safely."""

COMMANDS = {
    "tune": ("Tune a system", "tune", "Tune a program's targets by trying only what is safe."),
}
"""Name -> (group in ``holdfast --help``, module of this folder, what it is for)."""
