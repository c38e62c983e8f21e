"""Estimators of the leader's hypergradient: `critics`, `estimate`, `ascent`, `enumeration`."""
