from .problems import Problem as Problem
from .tilts import divergence as divergence
from .tilts import log_partition as log_partition
from .tilts import mean as mean
from .tilts import objective as objective
from .tilts import tilt as tilt
