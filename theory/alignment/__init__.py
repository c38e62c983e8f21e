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

* The optimum is the tilt of the reference, and what another policy lacks is a divergence
  (``tilts/gibbs``).

**Reading order.**  ``tilts`` has the notation.
"""
