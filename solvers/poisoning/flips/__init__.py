"""The least change of labels, exactly, for small data: `problem`, then `cost`."""
