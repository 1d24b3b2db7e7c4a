"""Trackers: a run's params, metrics, texts, images, histograms and artifacts are noted, here or anywhere."""

from callsheet.track._backend import Backend as Backend
from callsheet.track._entries import Histogram as Histogram
from callsheet.track._entries import Image as Image
from callsheet.track._entries import Moment as Moment
from callsheet.track._entries import Row as Row
from callsheet.track._tracker import TrackedRun as TrackedRun
from callsheet.track._tracker import Tracker as Tracker
from callsheet.track._tracker import environment as environment
from callsheet.track._trackers import Trackers as Trackers
from callsheet.track.clearml import ClearML as ClearML
from callsheet.track.jsonl import JSONL as JSONL
from callsheet.track.mlflow import MLflow as MLflow
from callsheet.track.tensorboard import TensorBoard as TensorBoard
from callsheet.track.wandb import WandB as WandB

__all__ = [
    "JSONL",
    "Backend",
    "ClearML",
    "Histogram",
    "Image",
    "MLflow",
    "Moment",
    "Row",
    "TensorBoard",
    "TrackedRun",
    "Tracker",
    "Trackers",
    "WandB",
    "environment",
]
