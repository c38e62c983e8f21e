"""``poison`` and ``poison-synthetic``."""

_GROUP = "Preference data"
COMMANDS = {
    "poison": (_GROUP, "poison", "Measure how robust preference data are to changed labels."),
    "poison-synthetic": (_GROUP, "synthetic", "The same on made-up data: tables and a picture."),
}
"""Name -> (group in ``holdfast --help``, module of this folder, what it is for)."""
