from .answers import Answers as Answers
from .answers import read_answers as read_answers
from .dpo_options import DPOOptions as DPOOptions
from .dpo_tables import DPOTable as DPOTable
from .dpo_tables import dpo_table as dpo_table
from .dpo_tables import train_dpo_cells as train_dpo_cells
from .drift import Sweep as Sweep
from .drift import drift_sweep as drift_sweep
from .reward_model import Descent as Descent
from .reward_model import RewardModel as RewardModel
from .reward_model import fit as fit
from .reward_runs import obtain_outcome as obtain_outcome
from .stability import StabilityRow as StabilityRow
from .stability import stability_table as stability_table
from .tables import Mean as Mean
from .tables import Row as Row
from .tables import reward_table as reward_table
from .tables import save_table as save_table
from .victims import Outcome as Outcome
from .victims import RewardModelOptions as RewardModelOptions
from .victims import experiment as experiment

ALGORITHMS: dict[str, tuple[str, str]]
