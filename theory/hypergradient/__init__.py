r"""Hypergradients: how a leader's return moves with its parameters, by way of its follower.

**Sets.** A leader with parameter :math:`\theta`; a follower with finitely many states x, actions b,
temperature :math:`\beta>0` and discount :math:`\gamma_F`. Its best response is
:math:`g\propto e^{Q_F/\beta}`, where :math:`Q_F=r_F+\gamma_FPV_F` and
:math:`V_F=\beta\log\sum_be^{Q_F/\beta}`.
Rewards, transitions P and the initial law :math:`\mu` move smoothly with :math:`\theta`, P with a
support that does not; or :math:`\theta` is the leader's own policy in a Markov game, smooth, each
action with a positive probability. d is the derivative along a direction of parameters. Where
episodes end, values are 0 and there is no bonus for entropy.

**Normalisation.**  Returns are un-normalised: :math:`J=\mathbb E\sum_t\gamma_L^tr_L`, where the
leader's discount may differ from the follower's.

**The problem.**  What is dJ, if the leader can watch the follower and ask for its values, but not
differentiate through how it learns?  The answer of Kudo, Tanabe, Wachi and Akimoto (2026) is that
derivatives of a Boltzmann law are covariances:

.. math::

   dJ=\mathbb E\sum_t\gamma_L^t\big[dr_L+\gamma_L\,d\log P\,V_L\big]
   +\frac1\beta\,\mathbb E\sum_t\gamma_L^tA_L\,dQ_F .

The paper was read in abstract and introduction only: statements are recalled or ours, with proofs
of ours, and nothing in it is called refuted.  Its released code was read.

**Main results.**

* Means under a Boltzmann law move by covariances (``covariance/trick``; Stein's lemma for
  Gaussians, ``covariance/gaussian``; seen in weighted samples of a language model,
  ``covariance/tilted``), and the follower's values as if its policy stood still
  (``covariance/envelope``).
* The hypergradient in all centrings, that of HPGD among them (``hypergradients/boltzmann``), and
  from one trajectory by a scalar trace (``hypergradients/unbiased``).  A potential moves nothing
  (``hypergradients/shaping``).
* In Markov games: benefit times influence, if the follower observes (``games/observing``), and an
  additional term if it does not (``games/simultaneous``); a toy game with its best leader
  (``games/toy-one``, ``games/toy-two``).
* How large it can be (``bounds/indirect``), and what a follower costs that is not optimal
  (``bounds/plug-in-gradient``, ``bounds/tracking``).
* Averages over the visits of one batch see nothing where states are seen once
  (``baselines/unique-visits``).
* What a reader might take from lines of the released code, and is false: that its advantage has a
  valid baseline (``baselines/action-baseline``), that its backup is that of an observing follower
  (``baselines/code-backup``), that its critic evaluates the stochastic policies
  (``baselines/mode-target``), that simulator and matrix agree (``baselines/two-kernels``), that the
  estimate of a batch is a mean (``baselines/batch-scale``), that suffixes in the buffer are whole
  (``baselines/ring-suffix``).

**Reading order.**  ``covariance`` has the notation; then ``hypergradients``, ``games``, ``bounds``
and ``baselines``.
"""
