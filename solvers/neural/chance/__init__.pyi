from .flips import judged_flip as judged_flip
from .flips import measured_flip as measured_flip
from .heads import TwoHeadPolicy as TwoHeadPolicy
from .judging import judge as judge
from .policy import FlippingPolicy as FlippingPolicy
from .trained_flip import train_flipping as train_flipping
