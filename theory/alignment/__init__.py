r"""Alignment: policies over finitely many responses that are rewarded, and stay near a reference.

**Sets.** Finitely many prompts x with law :math:`\rho`, finitely many responses y; policies
:math:`\pi(y|x)`, a reference :math:`\pi_{ref}>0`; rewards r(x, y) and safety g(x, y), the larger
the better; a temperature :math:`\beta>0`, which is the weight of the KL divergence. The *tilt* of a
policy by f is :math:`\pi e^{f/\beta}/Z_f`, with :math:`Z_f(x)=\sum_y\pi(y|x)e^{f(x,y)/\beta}`.

**Normalisation.**  Means and divergences are averaged over prompts:
:math:`\mathrm{KL}(\pi\|\pi')=\sum_x\rho(x)\mathrm{KL}(\pi(\cdot|x)\|\pi'(\cdot|x))`, in nats.
Spans are largest minus smallest value.

**The problem.**  Which policy maximises :math:`J_f(\pi)=E_\pi f-\beta\,\mathrm{KL}(\pi\|\pi_{ref})`
for f = r, or under a constraint on g, and do the losses and updates that are used with language
models lead to it?

**Main results.**

* The optimum is the tilt of the reference, and what another policy lacks is its divergence from it
  (``tilts/gibbs``); tilts by rewards that differ by little are near (``tilts/nearness``), a larger
  multiplier is safer (``tilts/multiplier``), and a law of sequences is tilted token by token
  (``tilts/soft-bellman``).
* DPO's loss is least at that tilt where comparisons connect all responses (``preferences/dpo``),
  and says nothing across components where they do not (``preferences/components``); IPO tilts by
  how often a response is preferred (``preferences/ipo``), and KTO leads to no tilt
  (``preferences/kto``).
* Best-of-n stays near the policy (``best-of-n/divergence``), wins at most n times of n + 1
  (``best-of-n/win-rate``), is concave and smooth relative to KL with a sharp constant
  (``best-of-n/smooth``); its soft version is not concave (``best-of-n/soft-mixture``).
* A group's mean as baseline and KL balance at the tilt by (1 - 1/G) r
  (``group-updates/fixed-point``); which divergence k1, k2 and k3 pull along
  (``group-updates/estimators``); KL token by token misses what a token does to later ones
  (``group-updates/token-kl``).
* Aligning for safety after reward, with temperature :math:`\beta/\lambda`, gives the constrained
  optimum, in any order (``stepwise/composition``, ``stepwise/order``); mixing logits moves the
  multiplier (``stepwise/merge``). What estimates cost: ``estimated/optimality-repaired``,
  ``estimated/violation-repaired``.
* Of the printed ones these are false: ``designs/violation``, ``designs/any-ridge``,
  ``designs/at-once`` under one of two readings, ``estimated/level-printed``.
* HIPO's update, each reward divided by its own deviation, moves in lock-step and misses the optimum
  on two prompts by much (``group-primal-dual/lock-step``, ``group-primal-dual/exchange``); large
  groups give each prompt a multiplier of its own (``group-primal-dual/own-rates``).
* No response is unsafe exactly where the mean of :math:`C^+` is 0; that constraint has no finite
  multiplier with KL, and one without (``rectified/leak``, ``rectified/exact-penalty``).
* Taking off what a safe model adds to a token in all contexts keeps what depends on the context
  (``debiasing/decomposition``).
* Mirror descent with a certified constant reaches what best-of-n will be applied to at a geometric
  rate (``inference-aware/rate``).

**Reading order.**  ``tilts`` has the notation; then ``preferences``, ``best_of_n`` and
``group_updates``; for constraints ``stepwise``, ``estimated``, ``designs``, ``primal_dual``,
``standardised`` and ``rectified``; for what is done at inference ``debiasing`` and
``inference_aware``; and ``trained_tilts`` of policies that were trained.
"""
