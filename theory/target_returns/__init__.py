r"""Target returns: policies that are told which return to reach, and safe tuning of what to tell.

**Sets.**  A policy :math:`\pi_z` is given a target :math:`z=(R,G)`, a return of rewards and one of
costs, out of a finite grid :math:`Z`.  What it reaches, :math:`J_r(\pi_z)` and
:math:`J_g(\pi_z)`, is not :math:`z`, but a function of it that can be observed with noise, one
target at a time.  :math:`d` is a metric on the grid, :math:`L` a constant with
:math:`|J_g(\pi_z)-J_g(\pi_{z'})|\le L\,d(z,z')`, :math:`Z_0` are seeds, known to be safe, and
:math:`b` is the limit.

**The problem.**  Maximise :math:`J_r(\pi_z)` subject to :math:`J_g(\pi_z)\le b`, without ever
evaluating a target that is not safe, except with probability :math:`\Delta`.  PLS (Wachi,
Miyaguchi, Tanabe, Sato and Akimoto 2025) takes both for draws of Gaussian processes, keeps nested
bounds

.. math::

   \Lambda_N=\Lambda_{N-1}\cap[\mu_{N-1}\pm\alpha_N\sigma_{N-1}]=[\ell_N,u_N],\quad
   \alpha_N=\sqrt{2\log\frac{|Z|N^2\pi^2}{6\Delta}},

certifies :math:`z'` by :math:`u_N(z)+L\,d(z,z')\le b` for a certified :math:`z`, expands where the
bounds are wide, and maximises the upper bound of the reward then.  With
:math:`\mathcal R_\zeta(Y)=Y\cup\{z':\exists z\in Y,\,J_g(z)+\zeta+L\,d(z,z')\le b\}`,
:math:`\bar R_\zeta(Z_0)` is what can be reached with the margin :math:`\zeta`.

**Ours beside what is printed.**  The *direct rule* certifies by a target's own bound and needs no
:math:`L`; the interval :math:`[0,b]` is where one begins at the seeds only; expanders are counted
by :math:`\ell_N(z)+L\,d(z,z')\le b`, with a plus.  The printed forms are kept, and compared.

**Normalisation.**  Returns are un-normalised sums over an episode.

**Main results.**

* Bounds that hold at all targets and times at once (``confidence/bayesian``,
  ``confidence/determinant``), and how much observations can tell (``information-gain/greedy``,
  ``information-gain/water-filling``).
* What is certified is safe, path by path (``safe-tuning/pathwise``), so with probability
  :math:`1-\Delta` (``safe-tuning/safety``), also that of both surfaces' bounds together, as printed
  (``safe-tuning/both-events``, by ``safe-tuning/exact-tails``).
* Exploration finds what can be reached, and stops (``safe-tuning/expansion``,
  ``safe-tuning/stopping``); the least width says which target is good (``safe-tuning/regret``,
  ``safe-tuning/average-width``).
* Without a model, a Lipschitz constant and a bound on the noise are enough
  (``safe-tuning/observed``).
* Why :math:`J(\pi_z)` is near :math:`z`: a conditioned policy misses its target by what the process
  leaves to chance, its model and its data add (``return-conditioning/alignment``,
  ``return-conditioning/density-bias``, ``return-conditioning/decomposition``).
* Which return to ask for: a tilt to experts' returns is Bayes' rule (``expert-returns/bayes-step``)
  and raises them where shares of experts do not fall (``expert-returns/dominance``); the prediction
  that the data correct is the best one (``expert-returns/correction``).
* Groups of episodes give the policy gradient up to a factor (``group-gradients/own-baseline``,
  ``group-gradients/normalised``), with what the policy was told beside the steps
  (``group-gradients/intended``), not with what hindsight writes (``group-gradients/relabelled``,
  false).
* The same of trained networks: what a tuning tries and recommends is safe
  (``trained-targets/evaluated``, ``trained-targets/recommended``); asking for little cost is not
  enough (``trained-targets/asked-for``, false).
* What a reader might take from the paper, printed nowhere and false: that L = 0 may be put into the
  printed union (``safe-tuning/literal-zero``), that the printed constant holds for kernels above 1
  (``safe-tuning/unit-regret``), that the last target is good (``safe-tuning/last-target``).

**Reading order.**  ``confidence`` and ``information_gain``, then ``safe_tuning`` and
``trained_targets``;
``return_conditioning``, ``expert_returns`` and ``group_gradients`` stand alone.
"""
