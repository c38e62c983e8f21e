"""Reward weights of a language model's KL-regularised policy, climbed by a covariance over samples.

A policy that is regularised towards the model is Boltzmann in its reward, pi exp(r/tau), so what
the mean of any functional does when the reward moves is a covariance over tau (BC-T1).  Responses
are single tokens: the whole vocabulary is summed up, and the exact value stands beside the samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import softmax

from ...sequences import Array
from ..parts.training import Training
from ..poisoning.language_model import language_model
from .ascent import Climb

PROMPT = "The most beautiful word that I know is"
_LETTERS, _FEATURES = 10, 16
"""Letters from which on a response counts as long as can be; random projections of its output
embedding that its reward is linear in."""
TEMPERATURE, _PRICE = 0.5, 0.1
"""Of the KL, and of half the square of the reward's weights: less of either lets the weights of
samples run further apart."""


@dataclass(frozen=True)
class Responses:
    """All tokens as responses: float64[n] probabilities of the model, float64[n, d] features, which
    a reward is linear in, and float64[n], the share of ten letters that a response has."""

    reference: Array
    features: Array
    lengths: Array


def responses(model: str, prompt: str = PROMPT, n_features: int = _FEATURES) -> Responses:
    """What a model of `language_model` answers to the prompt.  Raises ModelError as that does."""
    found = language_model(model)
    network = found.network()
    ids = found.tokenizer(prompt, return_tensors="pt").input_ids
    with torch.no_grad():
        logits = network(ids).logits[0, -1].double().numpy()
        rows = network.get_output_embeddings().weight.double().numpy()
    random = np.random.Generator(np.random.Philox(0))  # the same features in every run
    seen = rows @ random.standard_normal((rows.shape[1], n_features))
    texts = found.tokenizer.batch_decode([[k] for k in range(len(logits))])
    letters = np.array([sum(map(str.isalpha, text)) for text in texts], dtype=float)
    reference = softmax(logits)
    mean = reference @ seen
    spread = np.sqrt(reference @ (seen - mean) ** 2)
    return Responses(reference, (seen - mean) / spread, np.minimum(letters / _LETTERS, 1))


def tilted(seen: Responses, weights: Array, draws: Array, *, centred: bool = True) -> Array:
    """float64[d]: Cov(F, features)/tau under pi exp(r/tau), from int64[n] responses drawn from pi,
    whose weights are divided by their sum."""
    features, values = seen.features[draws], seen.lengths[draws]
    shares = softmax(features @ weights / TEMPERATURE)
    found: Array = (shares * (values - centred * (shares @ values))) @ features / TEMPERATURE
    return found


class Designed(Climb):
    """Weights of the reward, begun at 0; E F less their price is to be large."""

    def __init__(self, training: Training) -> None:
        self.seen = responses(training.task)
        super().__init__(training, np.zeros(_FEATURES))

    def exact(self) -> tuple[float, Array, Array]:
        """Summed up over all responses."""
        seen, w = self.seen, self.theta
        law = softmax(np.log(seen.reference) + seen.features @ w / TEMPERATURE)
        mean, direct = float(law @ seen.lengths), -_PRICE * w
        covariance = (law * (seen.lengths - mean)) @ seen.features / TEMPERATURE
        return mean - _PRICE / 2 * float(w @ w), direct + covariance, direct

    def estimate(self, seed: int) -> Array:
        """From responses of the model itself, weighted."""
        method, random = self.options.method, np.random.Generator(np.random.Philox(seed))
        draws = random.choice(len(self.seen.reference), self.options.steps, p=self.seen.reference)
        moved = tilted(self.seen, self.theta, draws, centred=method != "uncentred")
        sign = {"flipped": -1, "naive": 0}.get(method, 1)
        found: Array = sign * moved - _PRICE * self.theta
        return found


begin = Designed
