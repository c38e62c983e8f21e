"""Environments: exact models that are sampled, and those of other packages with a cost.

Importing this package makes its ids known to gymnasium: after
``gymnasium.register_envs(holdfast.solvers.neural.parts.worlds)``, or as the module of an id, as in
``gymnasium.make("holdfast.solvers.neural.parts.worlds:holdfast/TwoDiscs-v0")``.

To be read in this order: `features`, `finite`, `known`, `copies`, `single`, `vectors`; `velocity`,
`bullet`, `circle`.
"""

from gymnasium import register, registry

from . import circle
from .known import DISCS
from .velocity import THRESHOLDS

for _task in DISCS:
    if _task not in registry:
        register(
            _task,
            entry_point=f"{__name__}.single:FiniteEnv",
            vector_entry_point=f"{__name__}.single:FiniteVectorEnv",
            kwargs={"task": _task},
        )
for _body in THRESHOLDS:
    if f"holdfast/{_body}Velocity-v0" not in registry:
        register(
            f"holdfast/{_body}Velocity-v0",
            entry_point=f"{__name__}.velocity:make_velocity",
            max_episode_steps=1000,
            kwargs={"body": _body},
        )
if circle.TASK not in registry:
    register(
        circle.TASK,
        entry_point=f"{circle.__name__}:PointCircle",
        vector_entry_point=f"{circle.__name__}:PointCircles",
        max_episode_steps=circle.STEPS,
    )
