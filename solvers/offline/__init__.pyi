from .data_sets import DataSet as DataSet
from .data_sets import read_data_set as read_data_set
