r"""Offline and offline-to-online safe reinforcement learning: what logged data allow to be said.

**Sets.**  A constrained MDP with finitely many states s and actions a, transitions T, rewards
:math:`r\in[0,1]`, costs c, discount :math:`\gamma` and initial law :math:`\rho`; a data law
:math:`\mu(s,a)`, which is the occupancy of a behaviour policy where it is said so, and N draws of
it; a reference policy; finite classes :math:`\Pi,F,G,W` of policies, of critics of rewards and of
costs, and of weights.  A set U of pairs that the data support, and the model
:math:`\hat T` that they estimate.  A multiplier :math:`\lambda\ge0` that a controller moves by the
violations which it sees.

**Normalisation.**  In ``coverage``, ``weighted_critics``, ``safe_improvement`` and
``squared_critics`` returns are NORMALISED, :math:`J=(1-\gamma)E\sum_t\gamma^tr_t`, and so are
occupancies, as in the papers on WSAC; values V and Q are not, and a cost within its budget is at
most 0.  Safety is relative to
the data's policy.  The weight :math:`\beta_c` there belongs to -L + beta E: the paper's beta is
lambda times that.  Elsewhere they are un-normalised sums, and budgets are theirs.

**The problem.**  A policy is to be improved, and kept safe, on data that another policy left; then
it goes on learning online under a controlled multiplier.  Which of the promises hold, with which
constants, and what do the data have to cover?

**Main results.**

* A gain over the behaviour policy is a mean under its own data (``coverage/difference``), that over
  another one has four terms (``coverage/decomposition``); coverage in l2 is a chi^2 divergence
  (``coverage/concentrability``).  How far averages stray, with constants
  (``coverage/deviation``); how far a cloned policy does (``coverage/cloning-spread``).
* With infinite data WSAC improves on the data's policy, safely up to :math:`1/\lambda`
  (``safe-improvement/population``); a line of the printed proof is false
  (``safe-improvement/proof-line``).  From data: ``safe-improvement/samples``, with squared errors
  ``safe-improvement/squared``.
* Against any covered reference: ``weighted-critics/reference``.  As printed the bound on the cost
  is false, because the cost's critic is weighted too little
  (``weighted-critics/reference-printed``); so are Lemma 2's constant
  (``weighted-critics/lemma-constant``) and, where regret is that of the payoffs of line 7
  literally, Lemma 2 (``weighted-critics/lemma-literal``) and Theorem 5.6
  (``safe-improvement/literal-oracle``).
* The actor's oracle: Hedge and projected gradients (``no-regret/hedge``, ``no-regret/gradient``);
  started at the comparator Hedge pays no :math:`\log|A|` (``no-regret/starts``).
* A model of the data behind a guardian: how far its values are off (``guarded/value-error``), what
  keeps budgets (``guarded/safety``) and what the plan competes with (``guarded/optimality``); how
  far the model may be off (``guarded/finite-sample``, ``guarded/every-count``); what is certified
  term by term (``guarded/lower-bound``).  Without coverage the plan competes with no better policy
  outside: as printed this is false (``guarded/esrl-comparator``), and so is that a policy which is
  safe by the printed definition keeps its budget (``guarded/safe-as-printed``).
* A multiplier under PID control comes to rest: exactly when, in continuous time
  (``pid/continuous``) and by steps (``pid/discrete``, ``pid/jury``).  A derivative adds inertia
  (``pid/inertia``), smoothing takes damping (``pid/smoothed``), gains may switch within a certified
  box (``pid/switching``).  PI control is the augmented Lagrangian method
  (``controllers/augmented``).
* Dual ascent with best responses (``dual-response/average``) has a speed limit
  (``dual-response/speed``), which is how long a multiplier from offline training goes on to be
  wrong.
* Refitting offline critics to the online target: how near it comes (``value-alignment/aligned``),
  with which bias (``value-alignment/biased``), and when it recovers the order of actions
  (``value-alignment/ranked``).

**Reading order.**  ``coverage`` has the notation of the data; then ``no_regret``,
``weighted_critics``, ``safe_improvement``, ``squared_critics``; ``guarded``,
``guarded_samples``, ``guarded_bounds``, ``guarded_printed``; ``pid``, ``pid_steps``,
``controllers``, ``dual_response``;
``value_alignment``; and ``trained_policies`` of networks.
"""
