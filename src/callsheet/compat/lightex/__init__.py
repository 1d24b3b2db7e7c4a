"""LightEx, for configurations and scripts that were written for it.

`from lightex.mulogger import LoggerConfig` becomes `from callsheet.compat.lightex.mulogger import LoggerConfig`; all
names are here too.
"""

from __future__ import annotations

from .config_base import Build as Build
from .config_base import Container as Container
from .config_base import ContainerDirs as ContainerDirs
from .config_base import HostResources as HostResources
from .config_base import HostStore as HostStore
from .config_base import K8Config as K8Config
from .config_base import Resources as Resources
from .config_base import Run as Run
from .config_base import Storage as Storage
from .config_base import StorageDirs as StorageDirs
from .config_base import Store as Store
from .dispatch import dispatch_expts as dispatch_expts
from .mulogger import LoggerConfig as LoggerConfig
from .mulogger import MLFlowConfig as MLFlowConfig
from .mulogger import MLFlowLogger as MLFlowLogger
from .mulogger import MultiLogger as MultiLogger
from .mulogger import PytorchTBConfig as PytorchTBConfig
from .mulogger import PytorchTBLogger as PytorchTBLogger
from .mulogger import TerminalLogger as TerminalLogger
from .mulogger import TermLogConfig as TermLogConfig
from .mulogger import TrainsConfig as TrainsConfig
from .mulogger import TrainsLogger as TrainsLogger
from .mulogger import WBConfig as WBConfig
from .mulogger import WBLogger as WBLogger
from .namedconf import argparse_to_command as argparse_to_command
from .namedconf import load_config as load_config
from .namedconf import render_command as render_command
from .namedconf import rreplace as rreplace
from .namedconf import to_dict as to_dict
from .namedconf import to_yaml as to_yaml
from .namedconf import unroll_top_fields as unroll_top_fields
from .namedconf import update_dataconfig_with_args as update_dataconfig_with_args
