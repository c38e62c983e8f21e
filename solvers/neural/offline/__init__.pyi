from .guarded import GuardedOptions as GuardedOptions
from .guardian import Guardian as Guardian
from .marvel import MarvelOptions as MarvelOptions
from .ranks import Ranks as Ranks
from .safe_sac import OfflinePolicy as OfflinePolicy
from .sepsis import SepsisOptions as SepsisOptions
from .sepsis import SepsisPolicy as SepsisPolicy
from .wsac import WsacOptions as WsacOptions
