"""`poison` and `poison-synthetic`."""

COMMANDS = {
    "poison": ("poison", "Measure how robust the labels of preference data are."),
    "poison-synthetic": ("synthetic", "The same on made-up data: tables and a picture."),
}
"""Name -> (module of this folder, what it is for)."""
