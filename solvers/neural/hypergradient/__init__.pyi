from .ascent import AscentOptions as AscentOptions
from .ascent import AscentRun as AscentRun
from .leaders import TorchVector as TorchVector
from .pendulum import PendulumOptions as PendulumOptions
