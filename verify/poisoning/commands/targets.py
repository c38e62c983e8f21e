"""``holdfast poison --target``: the attack whose effect is priced."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import click

from holdfast.solvers.poisoning.checks import check_labels, check_size
from holdfast.solvers.poisoning.data import attacks
from holdfast.solvers.poisoning.data.arrays import read_numbers
from holdfast.solvers.poisoning.measure.measurement import Measurement
from holdfast.solvers.poisoning.rewards.learning import fit_reward
from holdfast.solvers.sequences import Array
from holdfast.verify.report.numbers import count, decimal

from .input import Data
from .options import Options

TARGETS = {
    "random": "flips drawn at random",
    "length": "pairs whose chosen text is shorter, by the gap in length",
    "margin": "pairs that the learnt reward can hardly tell apart",
    "filtered-length": "of the quarter with the smallest margins, by the gap in length",
    "threshold": "the pairs of the lowest values of feature 1",
    "feature:K": "the pairs of the lowest values of feature K",
    "reward:FILE": "the labels that a reward vector in a file would give",
    "FILE": "one target label per pair: one number per line, a .json list or an .npy array",
}


@dataclass(frozen=True, slots=True)
class Target:
    """The attack whose effect has a price.

    kind: a key of `TARGETS`; argument: what followed the colon, or the file.
    """

    kind: str
    argument: str
    rate: Fraction
    order: str
    seed: int
    ridge: float

    @classmethod
    def parse(cls, options: Options) -> Target:
        """From ``--target``; raises click.BadParameter naming the kinds there are."""
        kind, argument = cls._kind(options.target)
        return cls(kind, argument, options.share, options.order, options.seed, options.ridge)

    @staticmethod
    def _kind(text: str) -> tuple[str, str]:
        """A key of `TARGETS`, and its argument."""
        if text in ("random", "length", "margin", "filtered-length", "threshold"):
            return text, ""
        if text.startswith("feature:"):
            number = text.removeprefix("feature:")
            if re.fullmatch("0*[1-9][0-9]*", number) and len(number) < 10:
                return "feature:K", number
            raise click.BadParameter(f"--target {text!r}: write feature:K, K = 1, 2, ...")
        if text.startswith("reward:"):
            return "reward:FILE", text.removeprefix("reward:")
        if not Path(text).is_file():
            raise click.BadParameter(
                f"--target {text!r} is neither an existing file nor one of: "
                + "; ".join(f"{name} ({words})" for name, words in TARGETS.items())
            )
        return "FILE", text

    def labels(self, data: Data, kept: Array) -> Array:
        """theta_A (N) for the pairs ``kept`` of the data, whose part ``data`` is."""
        benign, rate = data.benign, self.rate
        match self.kind:
            case "random":
                return attacks.random_flips(benign, rate, seed=self.seed)
            case "reward:FILE":
                reward = read_numbers(self.argument, "the reward")
                return attacks.from_reward(data.features, reward)
            case "FILE":
                return self._given(data.pairs.n_pairs)[kept]
            case "threshold" | "feature:K":
                return attacks.by_feature(benign, self._feature(data.features), rate)
            case "margin":
                return attacks.by_margin(benign, self._margins(data), rate)
        return self._by_length(data, data.pairs.length_gaps[kept])

    def _by_length(self, data: Data, gaps: Array) -> Array:
        benign, rate = data.benign, self.rate
        if self.kind == "length":
            return attacks.by_length(benign, gaps, rate, order=self.order)
        return attacks.filtered_by_length(benign, gaps, self._margins(data), rate, order=self.order)

    def _given(self, size: int) -> Array:
        """The labels of the file, one for each of all pairs."""
        numbers = check_size(read_numbers(self.argument, "the target"), size, "the target")
        return check_labels(numbers, f"{self.argument}: target")

    def _feature(self, features: Array) -> Array:
        number = int(self.argument or 1)
        if number > len(features):
            raise click.BadParameter(
                f"--target feature:{number}: there are {len(features)} features"
            )
        values: Array = features[number - 1]
        return values

    def _margins(self, data: Data) -> Array:
        """r . phi_i under the ridge reward learnt from the benign labels."""
        found = fit_reward(data.features, data.benign, weights=data.weights, ridge=self.ridge)
        margins: Array = found.reward @ data.features
        return margins

    @property
    def rated(self) -> bool:
        """Whether a share of the pairs is flipped."""
        return self.kind not in ("FILE", "reward:FILE")

    @property
    def learns(self) -> bool:
        """Whether the labels depend on a reward that is learnt."""
        return self.kind in ("margin", "filtered-length")

    @property
    def needs(self) -> int:
        """The fewest features with which the target is defined."""
        if self.kind == "reward:FILE":
            return len(read_numbers(self.argument, "the reward"))
        return int(self.argument) if self.kind == "feature:K" else 1

    def asked(self, one: Measurement) -> Fraction | None:
        """The number of pairs that the rate asks for, maybe not whole; None without a rate."""
        return self.rate * one.n_pairs if self.rated else None

    def flipped(self, one: Measurement) -> str:
        """How many pairs are flipped, and why these are not the share that was asked for."""
        found, total, asked = one.n_changed, one.n_pairs, self.asked(one)
        said = f"{found:,} of {count(total, 'label')}, {_percent(Fraction(found, total))}"
        if asked is None or found == asked:
            return said
        wanted, whole = _percent(self.rate), attacks.flip_count(self.rate, total)
        if found == whole:
            number = decimal(asked, 6)
            return f"{said} ({wanted} would be {number}; a whole number is flipped, at least one)"
        if found > whole:
            return f"{said} ({wanted} were asked for; pairs that tie at the threshold go together)"
        reasons = ["no more qualify"] if "length" in self.kind else []
        if (one.benign == 0.5).any():
            reasons.append("a label of 1/2 is the same when flipped")
        return f"{said} ({wanted} were asked for, {whole:,}: {' and '.join(reasons)})"

    def described(self) -> str:
        """In words."""
        words = TARGETS[self.kind]
        if self.kind == "FILE":
            return f"labels from {self.argument}"
        if self.kind == "reward:FILE":
            return f"the labels of the reward in {self.argument}"
        share = _percent(self.rate)
        if "length" in self.kind:
            return f"{words}, the {self.order} first, {share}"
        words = words.replace("feature K", f"feature {self.argument}")
        return f"{words}, {share}" + (f", seed {self.seed}" if self.kind == "random" else "")


def _percent(share: Fraction) -> str:
    return f"{decimal(100 * share, 4)} %"
