from .binding.claims import NamedMutant as NamedMutant
from .binding.claims import claim as claim
from .binding.family import Family as Family
from .binding.family import OutOfScope as OutOfScope
from .binding.values import Ball as Ball
from .binding.values import Count as Count
from .cmdp import families as families
