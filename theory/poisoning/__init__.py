r"""Label-flip poisoning: what the cheapest change of labels costs, and what rewards learn.

**Sets.**  Pairs of answers :math:`i=1,\dots,N` with feature differences
:math:`\varphi_i\in\mathbb R^n`, the columns of :math:`\Phi`; benign labels :math:`\theta_O` and
target labels :math:`\theta_A` in :math:`[0,1]^N`, where 1 means that the first answer is preferred;
weights :math:`\rho_i>0`, equal to 1 unless said.  Changes are weighted,
:math:`\zeta_i=\rho_i(\theta_i-\theta_{O,i})` and :math:`d_i=\rho_i(\theta_{A,i}-\theta_{O,i})`, and
:math:`p=\Phi^+\Phi d` is the orthogonal projection of :math:`d` on the row space of :math:`\Phi`.

**The problem.**  The labels cheapest to change that have the moments of the target's labels:

.. math::

   \min_\zeta\ \|\zeta\| \quad\text{s.t.}\quad \Phi\zeta=\Phi d,\qquad
   -\rho_i\,\theta_{O,i}\le\zeta_i\le\rho_i\,(1-\theta_{O,i})\ \ \forall i.

They teach the same reward, since the Bradley-Terry loss depends on the labels through their moments
alone:

.. math::

   L(r;\theta)=\sum_i\rho_i\,[\,\log(1+e^{r^\top\varphi_i})-\theta_i\,r^\top\varphi_i\,].

**Normalisation.**  Costs are un-normalised: in :math:`\ell_1` the expected number of flipped
labels, not divided by :math:`N`.

**Main results.**

* In :math:`\ell_1`, any :math:`y\in\mathbb R^n` bounds the least cost from below, and the best one
  attains it (``poisoning/duality``); the closed form :math:`\|p\|_2^2/\|p\|_\infty` is a bound from
  below, too (``poisoning/lower-bound``).  A mixture of :math:`d` and :math:`p` bounds it from above
  (``poisoning/upper-bound``), and ``poisoning/chain`` puts all bounds in their order.
* At a vertex no more labels are fractional than :math:`\Phi` has rank (``poisoning/vertex``), so
  that rounding costs little (``poisoning/rounding``).  More features never lower the cost
  (``poisoning/monotone``).  Where all benign labels are 1, an attack that flips exactly the pairs
  below a negative threshold cannot be made cheaper (``poisoning/threshold``).
* The cheapest labels train the same reward along the same path (``reward-learning/same-training``)
  and, with coverage, the same policy (``reward-learning/reformulation``).  The ridge minimiser
  moves by at most :math:`1/\lambda` times the change of the moments
  (``reward-learning/stability``).
* Where the features are trained too, one equation bounds the cost from below
  (``adaptive-poisoning/one-direction``).
* Two statements are false as recalled from notes, and the paper (Kusaka, Saito, Kudo, Tanabe, Wachi
  and Akimoto 2025) may exclude both: ``adaptive-poisoning/joint-argmin`` and
  ``reward-learning/literal-attack``.

**Reading order.**  ``least_cost`` has the notation; then ``mixtures`` and ``vertices``.
``reward_learning``, ``reward_attacks`` and ``reward_stability`` say what labels teach;
``adaptive`` is the case of trained features.
"""
