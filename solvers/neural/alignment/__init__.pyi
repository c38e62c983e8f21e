from .outcomes import Trained as Trained
from .sacpo import SacpoOptions as SacpoOptions
from .sacpo import exact_laws as exact_laws
