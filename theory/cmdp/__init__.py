r"""Constrained Markov decision processes, the pillar on which the others stand.

**Sets.**  Finite sets of states :math:`S` and of actions :math:`A(s)`, a transition law
:math:`P(s'|s,a)`, an initial law :math:`\mu`, a discount :math:`\gamma\in[0,1)`, a reward
:math:`r(s,a)`, costs :math:`c_i(s,a)` and budgets :math:`d_i` for :math:`i=1,\dots,m`.  A policy
may depend on the whole history and randomise; a stationary one is a law :math:`\pi(\cdot|s)` for
each state.

**Normalisation.**  Returns are un-normalised, and so is the occupancy, whose mass is
:math:`1/(1-\gamma)`:

.. math::

   J_q(\pi)=\mathbb E_\mu^\pi\sum_{t\ge 0}\gamma^t q(s_t,a_t)=\langle q,\rho^\pi\rangle,
   \qquad \rho^\pi(s,a)=\sum_{t\ge 0}\gamma^t\Pr(s_t=s,a_t=a).

Only the state distribution of the trust-region bounds,
:math:`d^\pi(s)=(1-\gamma)\sum_t\gamma^t\Pr(s_t=s)`, is normalised.  :math:`D_{\rm TV}` is half the
:math:`\ell_1` distance.

**The problem.**  The optimal value :math:`P^\star` is that of a linear program over occupancies,
and equals the value of its dual:

.. math::

   P^\star=\max_{\rho\ge 0}\ \langle r,\rho\rangle \quad\text{s.t.}\quad
   \sum_a\rho(s',a)-\gamma\sum_{s,a}P(s'|s,a)\,\rho(s,a)=\mu(s')\ \ \forall s',
   \quad \langle c_i,\rho\rangle\le d_i\ \ \forall i,

.. math::

   \min_{V,\ \lambda\ge 0}\ \mu^\top V+\lambda^\top d \quad\text{s.t.}\quad
   V(s)\ge r(s,a)-\sum_i\lambda_i c_i(s,a)+\gamma\sum_{s'}P(s'|s,a)\,V(s')\ \ \forall s,a.

**Main results.**

* Stationary policies are enough (``cmdp/stationary-suffices``), and without constraints
  deterministic ones (``cmdp/vertices``).  An optimal policy need not randomise more often than
  there are binding constraints (``cmdp/randomisations``), but what is optimal depends on where one
  stands when the budget is granted (``cmdp/time-inconsistency``).
* There is no duality gap, with or without Slater's condition (``cmdp/strong-duality``); a policy
  with slack bounds the multipliers (``cmdp/multiplier-bound``), and the optimal value is concave in
  the budgets (``cmdp/perturbation``).  Infeasibility has a proof of its own
  (``cmdp/infeasibility``).
* In a class that comes close to every policy the gap is small, with explicit constants
  (``policy-classes/parametrised-gap``).  Where reward and cost have different discounts, stationary
  policies are not enough, and finite programs enclose the optimum
  (``policy-classes/two-discounts``).
* How far a return moves when the policy moves (``trust-region/policy-bound``, sharper in
  ``trust-region/span-bound``), when the model is learnt (``model-based/simulation-bound``), and
  along primal-dual iterations (``primal-dual/average-gap``, ``primal-dual/average-violation``).

**Reading order.**  ``foundations`` has the notation; ``duality`` and ``randomisation`` are the
classical theory.  Then, in any order, ``policy_classes`` and ``two_discounts``; ``trust_region``;
``dual_ascent`` and ``natural_gradient``; ``model_based``; ``concentration``.
"""
