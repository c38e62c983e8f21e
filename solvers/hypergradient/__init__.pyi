from .adjoint import Hypergradient as Hypergradient
from .adjoint import hypergradient as hypergradient
from .models import BilevelModel as BilevelModel
from .models import Jacobians as Jacobians
from .models import Leader as Leader
from .soft import Follower as Follower
from .soft import solve_follower as solve_follower
