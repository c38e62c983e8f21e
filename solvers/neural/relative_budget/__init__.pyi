from .efficiency import Point as Point
from .efficiency import efficiency as efficiency
from .lock import LockOptions as LockOptions
from .lock import LockRun as LockRun
