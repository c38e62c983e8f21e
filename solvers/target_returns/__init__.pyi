from .tuning.problem import Surface as Surface
from .tuning.problem import Tuning as Tuning
from .tuning.proposals import Proposal as Proposal
from .tuning.proposals import Step as Step
from .tuning.tuner import Tuner as Tuner
