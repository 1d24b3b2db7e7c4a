from detectron2.config import LazyCall as L
from detectron2.layers import ShapeSpec
from detectron2.model_zoo import get_config
from detectron2.modeling.roi_heads import CascadeROIHeads, FastRCNNOutputLayers

from ..common.data.coins import dataloader
from ..common.models.rcnn_fpn import model
from ..common.schedule import schedule_3x as lr_multiplier

train = get_config("common/train.py").train
optimizer = get_config("common/optim.py").SGD

train.max_iter *= 3
train["init_checkpoint"] = "detectron2://R-101.pkl"
model.backbone.bottom_up.stages.depth = 101
del model.pixel_std
[model.roi_heads.pop(key) for key in ["box_predictor", "box_in_features"]]
model.roi_heads.update(
    _target_=CascadeROIHeads,
    box_predictors=[
        L(FastRCNNOutputLayers)(
            input_shape=L(ShapeSpec)(channels=1024),
            weights=(w1, w1, w2, w2),
            num_classes="${...num_classes}",
        )
        for (w1, w2) in [(10, 5), (20, 10), (30, 15)]
    ],
)
dataloader.train.total_batch_size = 64
dataloader.test.mapper.augmentations.append(L("tests.Extra")(x=1))
lr_multiplier.scheduler.milestones = [n * 2 for n in lr_multiplier.scheduler.milestones]
