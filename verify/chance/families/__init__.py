"""Where chance problems come from: finite horizons, windows, mixtures of policies."""
