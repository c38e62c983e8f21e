"""Named instances of chance problems: finite horizons in `problems`, windows in `windows`."""
