from .behaviour import behaviour as behaviour
from .data_sets import DataSet as DataSet
from .data_sets import read_data_set as read_data_set
from .decision_transformer import DecisionTransformerOptions as DecisionTransformerOptions
from .policy import TargetPolicy as TargetPolicy
from .policy import TrainedTransformer as TrainedTransformer
from .policy import load_policy as load_policy
from .transformer import StepTransformer as StepTransformer
