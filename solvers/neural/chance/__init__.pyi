from .flips import judged_flip as judged_flip
from .flips import measured_flip as measured_flip
from .heads import TwoHeadPolicy as TwoHeadPolicy
from .policy import FlippingPolicy as FlippingPolicy
from .train_flipping import train_flipping as train_flipping

ALGORITHMS: dict[str, tuple[str, str]]
