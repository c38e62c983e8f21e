from .ascent import AscentRun as AscentRun
from .leaders import TorchLeader as TorchLeader
from .leaders import TorchVector as TorchVector
