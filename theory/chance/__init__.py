r"""Chance constraints: how likely an unsafe state is, and what policies may do about it.

**Sets.**  A finite decision process as in the pillar of constrained processes, some of whose states
are unsafe, and a window of :math:`T` steps.  :math:`N` counts the unsafe states among
:math:`s_1,\dots,s_T`; :math:`\tau` is the first time :math:`i\ge 1` at which :math:`s_i` is unsafe;
:math:`\alpha` is the level.

**What may be bounded.**  The joint chance, Boole's sum, a sum in which the :math:`j`-th visit costs
:math:`z^{j-1}`, and a discounted number over all times:

.. math::

   J_T=\Pr(N\ge 1),\quad B=\mathbb E N,\quad C_z=\mathbb E\sum_{j\le N}z^{j-1},\quad
   H=\mathbb E\sum_{i\ge 1}\gamma_c^i\,\mathbf 1[s_i\text{ unsafe}].

**Normalisation.**  :math:`H` and all values are un-normalised.  :math:`V_J(\alpha)` and
:math:`V_B(\alpha)` are the optimal values under :math:`J_T\le\alpha` and :math:`B\le\alpha`, and
:math:`V^\star` is that of the best policy without a constraint.

**The problem.**  With a horizon of :math:`T` decisions :math:`J_T\le\alpha` is one expected cost of
a process whose state carries a flag, *an unsafe state was met*; hence a linear program whose
optimum randomises at most once.  The flipping paper (Shen, Jiang, Wachi, Hashimoto and Gros 2024)
asks for more, a window from every safe state :math:`s` under a stationary policy,

.. math::

   \Pr(s_1,\dots,s_T\text{ all safe}\mid s_0=s)\ge 1-\alpha ,

and there the optimum may need more than two actions in a state.

**Main results.**

* The sums bound the joint chance and are bounded by it (``chance/sandwich``,
  ``chance/interpolation``); the discounted number has to be held to :math:`\gamma_c^T\alpha`
  (``chance/safe-expected-cost``), not to :math:`\alpha` (``surrogate-costs/discounted-cost``, false
  as printed).
* A flag solves the joint chance constraint exactly, and one flip an episode is enough
  (``chance/flag-program``).  Infinite futures reduce to finite problems (``chance/first-window``,
  ``chance/first-hit``) or are enclosed by them (``chance/eventual``).
* Two actions in each state are not enough once windows have two steps (``flipping/two-actions``,
  false as printed); they are when windows have one step (``flipping/one-step``).
* Two policies of a class are as good as all of them (``policy-mixtures/two-policies``) if one coin
  is tossed for the whole episode (``policy-mixtures/episode-flip``); one coin for each step is
  another policy (``policy-mixtures/step-flip``, false).  A policy that is chosen by its samples
  needs a union bound (``policy-mixtures/union-bound``).
* All of it holds for policies that were trained: none is above the optimum's line
  (``trained-policies/envelope``), a flip keeps its level with one coin an episode, not with one a
  step (``trained-policies/episode-coin``, ``trained-policies/step-coin``, false), and samples that
  chose a policy do not judge it (``trained-policies/chosen``).

**Reading order.**  ``joint_chance`` has the notation; then ``flag_program`` and ``futures``.
``flipping`` stands alone.  ``policy_mixtures``, ``policy_sampling`` and ``surrogate_costs`` use its
source and its windows; ``trained_policies`` speaks of both.
"""
