"""Target returns: safe tuning, return-conditioned policies, experts' returns, group gradients."""
