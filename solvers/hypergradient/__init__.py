"""Bilevel reinforcement learning: a leader moves the problem of a follower who acts softly.

The follower maximises E sum gamma_F^t [r_F - beta log g], so that its policy is Boltzmann in its
own action values; the leader wants E sum gamma_L^t r_L to be large.  All returns are UN-normalised
sums.  Names load on first use.

To be read in this order: `models`, `linear`, `soft`, `adjoint`, `rounding`, `leaders`, `games`,
`environments`, `regulators`; for tiny models, in rationals or balls, `balls`, `exact_games` and
`exact_traces`.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
