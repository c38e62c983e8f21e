"""How a maximum-likelihood policy fluctuates with its data: the sandwich, exactly over all data.

The policy chooses k in {0, 1, 2} at every step with the binomial law of two trials and one
parameter p = 1/(1 + exp(-theta)), whatever the context: so its maximum-likelihood estimate has a
closed form, p = (mean of all k in the data)/2, and the data need not obey the binomial law.
Returns are UN-normalised sums of r(k) over H steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from flint import fmpz_poly

from ...errors import ModelError


@dataclass(frozen=True)
class BinomialHead:
    """Data of a known law, and the rewards of the policy that is fitted to them.

    episodes: {(k_1, ..., k_H): weight}; rewards: r(0), r(1), r(2).  Raises ModelError if the data
    always hold the same extreme action, so that no theta maximises the likelihood.
    """

    episodes: dict[tuple[int, ...], int]
    rewards: tuple[Fraction, Fraction, Fraction]

    def __post_init__(self) -> None:
        if not 0 < self.mean < 1:
            raise ModelError(
                f"the actions have mean {2 * self.mean} of 2, so the likelihood has no maximum at "
                "a finite parameter; let the data hold other actions as well"
            )

    @property
    def horizon(self) -> int:
        """H."""
        return len(next(iter(self.episodes)))

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """Weight of each sum of an episode's actions, 0 .. 2H."""
        found = [0] * (2 * self.horizon + 1)
        for actions, weight in self.episodes.items():
            found[sum(actions)] += weight
        return tuple(found)

    @cached_property
    def mean(self) -> Fraction:
        """p*, at which the expected likelihood is largest."""
        top = sum(k * weight for k, weight in enumerate(self.counts))
        return Fraction(top, 2 * self.horizon * sum(self.counts))

    def moment(self, order: int) -> Fraction:
        """Central moment of the mean of an episode's actions, over two."""
        length = 2 * self.horizon
        powers = ((Fraction(k, length) - self.mean) ** order for k in range(length + 1))
        weighted = (w * power for w, power in zip(self.counts, powers, strict=True))
        return sum(weighted, Fraction(0)) / sum(self.counts)

    @property
    def bend(self) -> Fraction:
        """c, half the second derivative of J in p."""
        low, middle, high = self.rewards
        return self.horizon * (low - 2 * middle + high)

    def expected_return(self, p: Fraction) -> Fraction:
        """J of the policy with parameter p."""
        low, middle, _ = self.rewards
        return self.horizon * (low + 2 * p * (middle - low)) + p**2 * self.bend

    @property
    def slope(self) -> Fraction:
        """dJ/dp at p*."""
        return 2 * self.horizon * (self.rewards[1] - self.rewards[0]) + 2 * self.mean * self.bend

    @property
    def information(self) -> Fraction:
        """I, the Hessian in theta of the mean loss of a step."""
        return 2 * self.mean * (1 - self.mean)

    @property
    def sensitivity(self) -> Fraction:
        """U = H^-2 dJ/dtheta."""
        return self.slope * self.mean * (1 - self.mean) / self.horizon**2

    @property
    def score_variance(self) -> Fraction:
        """Sigma, of the mean score of an episode."""
        return 4 * self.moment(2)

    def mean_square(self, n: int) -> Fraction:
        """n E (J(fitted) - J(p*))^2 over all data sets of n episodes, by enumeration of the sum."""
        law, length = fmpz_poly(list(self.counts)) ** n, 2 * self.horizon * n
        true = self.expected_return(self.mean)
        squares = (
            int(weight) * (self.expected_return(Fraction(k, length)) - true) ** 2
            for k, weight in enumerate(law)
            if weight
        )
        return n * sum(squares, Fraction(0)) / sum(self.counts) ** n
