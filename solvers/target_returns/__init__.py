"""Target returns: Gaussian processes over targets, safe tuning, return-conditioned policies."""
