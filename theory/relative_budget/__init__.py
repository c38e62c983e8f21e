r"""Relative budgets: how many tokens reinforcement learning with verifiable rewards needs.

**Sets.**  A prompt, a base policy :math:`b` over trajectories, and a horizon of H tokens.  T is the
number of tokens after which a trajectory is solved, infinity if never; :math:`\mu=\mathbb E T`, and
the *relative budget* is :math:`\xi=H/\mu`.  A class :math:`\mathcal R` of finitely many rewards
holds the true one.  :math:`\chi^2(\pi\|b)\le\kappa` is the ball of policies that are compared with.

**Normalisation.**  The reward is :math:`R=(H-T+1)\mathbf 1\{T\le H\}` for whole T and
:math:`(H-T)_+` for real T, between 0 and H; J is its un-normalised mean, :math:`\sigma^2` its
variance, both under the base policy.  :math:`g=J/H` and :math:`s=\sigma/H` are shares of the
horizon.  Samples are counted in units of :math:`L=\log(|\mathcal R|/\delta)`.

**The problem.**  How many samples does one step of improvement need, and at which budget is that
least?  The theory is that of Wachi, Kinoshita, Takakura, Higuchi and Suzuki (2026) and of its
parent, Setlur, Rajaraman, Levine and Kumar (2025).  Neither was read beyond abstracts and notes:
theorems are recalled, with constants and proofs of ours, and nothing is called refuted.  With
:math:`c=\Pr[R\ge J+\sigma\sqrt\kappa]`,

.. math::

   n=\frac{2HL}{\sqrt\kappa\,c\,\sigma}

samples give, except with probability :math:`\delta`, half of what the ball offers.

**Main results.**

* What the ball offers, and who gets it (``improvement/best-in-ball``,
  ``improvement/linear-tilt``, ``improvement/conditioning``); the samples that are needed
  (``improvement/version-space``, ``improvement/one-step``).
* A need that no budget can undercut (``requirement/universal``), and three regimes: where little is
  solved in time it grows like :math:`q^{-3/2}` (``requirement/deficient``), in between it is
  constant (``requirement/balanced``), where all is solved it is linear in the budget
  (``requirement/ample``), if :math:`\kappa` is small enough.
* Gamma lengths: closed forms with both limits (``requirement/gamma-deficient``,
  ``requirement/gamma-ample``).
* Improved again and again, the budget of the *current* policy grows by at least 1/(2K) a step where
  its mean reward is concave in the budget (``growth/sharper``; elsewhere no proof is known to us,
  ``growth/sharper-rising``), and always so but for a bounded loss (``growth/linear``, as recalled),
  for samples in proportion to :math:`K\xi^2` (``growth/sample-size``); that is a consequence of the
  schedule, and with a fixed :math:`\kappa` growth is geometric (``growth/fixed-kappa``).
* The window from 1.5 to 2 that experiments are reported to prefer is compatible with the Gamma case
  for some meanings of best (``optimum/inside``), and does not follow from it
  (``optimum/outside``, ``optimum/kappa-moves``).

**Reading order.**  ``improvement`` has the notation; then ``requirement``, ``growth`` and
``optimum``.
"""
