"""LazyConfig as detectron2 has it: its files load unmodified, and a training script changes one import.

`from callsheet.compat.detectron2 import LazyConfig, instantiate`
"""

from ._calls import LazyCall as LazyCall
from ._calls import dump_dataclass as dump_dataclass
from ._calls import instantiate as instantiate
from ._config import LazyConfig as LazyConfig
from ._files import get_config as get_config
from ._native import from_spec as from_spec
from ._native import read as read
from ._native import to_spec as to_spec
