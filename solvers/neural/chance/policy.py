"""Flipping policies: two trained policies and a coin, with the interface of Stable-Baselines3.

Form "episode" tosses one coin an episode: the mixture that the theory is about.  Form "printed"
tosses in every step, as Algorithm 2 of Shen et al. 2024 (arXiv:2410.06474) does as it runs: another
policy, which can be riskier than both.  Form "step" is one network with two heads, whose coin
depends on what is observed.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import BasePolicy

from ...errors import ModelError
from ...exact import Array, Rational
from ..parts import checkpoints
from ..parts.evaluation import Episodes
from .flips import checked_share
from .heads import TwoHeadPolicy
from .saving import described, episodes_from, network_from, plain, tensors_of, text

Form = Literal["episode", "printed", "step"]
State = tuple[Array, ...] | None
Limits = tuple[Fraction | None, Fraction | None]
_IDENTITY = {"format": "holdfast flipping policy, version 1"}
_STEM = "policy"
FORMS: tuple[Form, ...] = get_args(Form)


class FlippingPolicy:
    """Follows ``second`` with a probability, else ``first``.

    Attributes:
        form: "episode", "printed" or "step".
        first, second: policies of Stable-Baselines3 on the same observations and actions; a whole
            algorithm, such as PPO, is taken for its policy.  By convention the second is bolder.
        probability: that of `second`, exact; None in form "step", where it depends on the
            observation (`second_chances`).
        seed: of the coin, which has a Philox stream of its own and uses no global generator.
        limits: at which limit each of the two was trained, if known.
        measured: limit -> episodes, of all the policies that the two were chosen from, if known.

    Raises ModelError on policies that do not fit together and on a probability outside [0, 1].
    """

    def __init__(
        self,
        first: BasePolicy | BaseAlgorithm,
        second: BasePolicy | BaseAlgorithm,
        probability: Rational | float,
        *,
        form: Literal["episode", "printed"] = "episode",
        seed: int = 0,
        limits: Limits = (None, None),
        measured: Mapping[Fraction, Episodes] | None = None,
    ) -> None:
        if form not in ("episode", "printed"):
            raise ModelError(
                f'form is {form!r}; two policies are flipped in form "episode" or "printed" (one '
                'network with two heads has form "step": FlippingPolicy.of_heads)'
            )
        self._set_up(form, _policy(first, "first"), _policy(second, "second"), seed)
        self.limits, self.measured = limits, dict(measured or {})
        self.probability: Fraction | None = checked_share(probability, "probability")

    @classmethod
    def of_heads(
        cls,
        network: BasePolicy | BaseAlgorithm,
        *,
        seed: int = 0,
        limits: Limits = (None, None),
        measured: Mapping[Fraction, Episodes] | None = None,
    ) -> FlippingPolicy:
        """Form "step": a network with two heads and its own coin.  Raises ModelError on others."""
        policy = _policy(network, "network")
        if not isinstance(policy, TwoHeadPolicy):
            raise ModelError(
                f'the network is a {type(policy).__name__}; form "step" needs a TwoHeadPolicy'
            )
        flip = cls.__new__(cls)
        flip._set_up("step", policy.head(0), policy.head(1), seed)
        flip.limits, flip.measured = limits, dict(measured or {})
        flip.probability = None
        return flip

    def _set_up(self, form: Form, first: BasePolicy, second: BasePolicy, seed: int) -> None:
        for name in ("observation_space", "action_space"):
            one, other = getattr(first, name), getattr(second, name)
            if one != other:
                raise ModelError(
                    f"the {name} of the first policy is {one}, that of the second {other}; a flip "
                    "needs two policies for the same task"
                )
        self.form, self.first, self.second = form, first, second
        self.observation_space, self.action_space = first.observation_space, first.action_space
        self.set_random_seed(seed)

    def set_random_seed(self, seed: int) -> None:
        """Start the coin's stream anew and forget the episodes that are under way.

        Heads and policies that are sampled (``deterministic=False``) draw from torch's generator,
        as everywhere in Stable-Baselines3.  Raises ModelError on a seed below 0 or above 2^128 - 1.
        """
        if not 0 <= seed < 2**128:
            raise ModelError(f"seed is {seed}; it must lie between 0 and 2^128 - 1")
        self.seed = seed
        self._coin = np.random.Generator(np.random.Philox(key=seed))
        self._remembered: State = None
        self._began_without_state = False

    def predict(
        self,
        observation: Array | dict[str, Array],
        state: State = None,
        episode_start: Array | None = None,
        deterministic: bool = True,
    ) -> tuple[Array, State]:
        """Actions for one observation or a batch, and the state to be given back.

        The contract of Stable-Baselines3's recurrent policies: ``state`` is what the last call
        returned (None at the start), ``episode_start`` bool[B] says where an episode begins.  In
        form "episode" the state, (int8[B],), says which policy each episode's coin chose; the other
        forms need none.  deterministic: the two policies act greedily.  The coin is tossed anyway.

        Raises
        ------
        ModelError: when the state is of another number of episodes, or a policy is recurrent.
        """
        one, other = (
            _actions(policy, observation, deterministic) for policy in (self.first, self.second)
        )
        single = one.ndim == len(self.action_space.shape or ())
        size = 1 if single else len(one)
        bold, state = self._tossed(observation, size, state, episode_start)
        if single:
            return (other if bold[0] else one), state
        return np.where(bold.reshape(-1, *[1] * (one.ndim - 1)), other, one), state

    def __call__(self, observation: Array, episode_start: Any = None) -> Array:
        """The actions alone, greedy; the policy itself remembers each episode's coin.

        Say ``episode_start=True`` (or bool[B]) at the first step of every episode, else the coin
        of the episode before is kept.  The first call begins an episode.
        """
        if np.all(episode_start):
            self._remembered = None
        actions, self._remembered = self.predict(
            observation, self._remembered, self._starts(episode_start)
        )
        return actions

    def second_chances(self, observation: Array) -> Array | Fraction:
        """The probability of `second` where the coin is tossed: float64[B] in form "step"."""
        if isinstance(self.first, TwoHeadPolicy) and self.form == "step":
            return self.first.second_chances(observation)
        assert self.probability is not None
        return self.probability

    def _starts(self, episode_start: Any) -> Array:
        """Explicit starts, so that a first call is known to begin an episode on purpose."""
        return np.asarray(False if episode_start is None else episode_start)

    def _tossed(
        self, observation: Any, size: int, state: State, episode_start: Array | None
    ) -> tuple[Array, State]:
        """bool[size], whether to follow the second policy, and the state."""
        # a double in [0, 1): 0 is never, 1 is always, and others are met to 2^-53
        chance = np.asarray(self.second_chances(observation), dtype=float)
        if self.form != "episode":
            return self._coin.random(size) < chance, state
        if state is None:
            self._warn_of_lost_coins(episode_start)
            bold, fresh = np.zeros(size, dtype=np.int8), np.ones(size, dtype=bool)
        else:
            bold, fresh = state[0].copy(), _marks(episode_start, size)
        if bold.shape != (size,):
            raise ModelError(
                f"the state is of {len(bold)} episodes and there are {size} observations; give "
                "back the state of the same environments, or None to start all anew"
            )
        bold[fresh] = self._coin.random(int(fresh.sum())) < chance
        return bold.astype(bool), (bold,)

    def _warn_of_lost_coins(self, episode_start: Array | None) -> None:
        if episode_start is not None:
            return
        if self._began_without_state:
            warnings.warn(
                "predict was called again without the state that it returned: a coin tossed at "
                'every call is form "printed", which can be riskier than both policies; give '
                "back state=..., or episode_start where episodes do begin",
                stacklevel=4,
            )
        self._began_without_state = True

    def save(self, folder: str | Path) -> Path:
        """Write ``policy.json`` and ``policy.safetensors`` to the folder; returns it.

        The coin is kept as its seed.  Raises ModelError for policies of other classes than an MLP
        `ActorCriticPolicy` or `TwoHeadPolicy`, OSError if the folder cannot be written.
        """
        networks = (
            {"network": self.first}
            if self.form == "step"
            else {"first": self.first, "second": self.second}
        )
        numbers = {
            "form": self.form,
            "probability": text(self.probability),
            "seed": str(self.seed),
            "limits": [text(limit) for limit in self.limits],
            "measured": {text(limit): plain(seen) for limit, seen in self.measured.items()},
            "networks": {name: described(network) for name, network in networks.items()},
        }
        tensors: dict[str, Any] = {}
        for name, network in networks.items():
            tensors |= checkpoints.named(name, tensors_of(network))
        Path(folder).mkdir(parents=True, exist_ok=True)
        checkpoints.save(Path(folder, _STEM), tensors, numbers, _IDENTITY)
        return Path(folder)

    @classmethod
    def load(cls, folder: str | Path, device: str = "cpu") -> FlippingPolicy:
        """What `save` wrote, the coin at the start of its stream.

        Raises ModelError when the files are not those of a flipping policy, were cut or changed.
        """
        stem = Path(folder, _STEM)
        saved = checkpoints.load(stem, _IDENTITY)
        try:
            return cls._from(saved, device)
        except (KeyError, TypeError, AttributeError, RuntimeError, ValueError) as error:
            if isinstance(error, ModelError):
                raise
            raise ModelError(
                f"{stem}.json is not what FlippingPolicy.save writes: {error!r}"
            ) from error

    @classmethod
    def _from(cls, saved: checkpoints.Saved, device: str) -> FlippingPolicy:
        numbers = saved.numbers
        networks = {
            name: network_from(each, checkpoints.part(name, saved.tensors), device)
            for name, each in numbers["networks"].items()
        }
        kept: dict[str, Any] = {
            "seed": int(numbers["seed"]),
            "limits": tuple(
                None if limit is None else Fraction(limit) for limit in numbers["limits"]
            ),
            "measured": {
                Fraction(k): episodes_from(seen) for k, seen in numbers["measured"].items()
            },
        }
        if numbers["form"] == "step":
            return cls.of_heads(networks["network"], **kept)
        two, chance = (networks["first"], networks["second"]), numbers["probability"]
        return cls(*two, chance, form=numbers["form"], **kept)

    def __repr__(self) -> str:
        if self.probability is None:
            return "FlippingPolicy(form='step')"
        return f"FlippingPolicy(form={self.form!r}, probability={float(self.probability):.4g})"


def _policy(given: BasePolicy | BaseAlgorithm, name: str) -> BasePolicy:
    policy = getattr(given, "policy", given)
    if isinstance(policy, BasePolicy):
        return policy
    raise ModelError(
        f"{name} is a {type(given).__name__}; give a policy of Stable-Baselines3, or an algorithm "
        "that has one"
    )


def _actions(policy: BasePolicy, observation: Any, deterministic: bool) -> Array:
    actions, inner = policy.predict(observation, deterministic=deterministic)
    if inner is not None:
        raise ModelError(
            f"a {type(policy).__name__} has a state of its own; recurrent policies are not flipped"
        )
    return np.asarray(actions)


def _marks(episode_start: Any, size: int) -> Array:
    """bool[size]: where an episode begins; one mark stands for all."""
    if episode_start is None:
        return np.zeros(size, dtype=bool)
    marks = np.asarray(episode_start, dtype=bool).reshape(-1)
    if len(marks) not in (1, size):
        raise ModelError(f"episode_start has {len(marks)} marks for {size} observations")
    return np.broadcast_to(marks, (size,))
