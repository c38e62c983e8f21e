"""Independent second computations, slow and plain on purpose."""
