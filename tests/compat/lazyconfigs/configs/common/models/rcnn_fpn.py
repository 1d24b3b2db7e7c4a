from detectron2.config import LazyCall as L
from detectron2.layers import ShapeSpec
from detectron2.modeling.anchor_generator import DefaultAnchorGenerator
from detectron2.modeling.backbone import BasicStem, FPN, ResNet
from detectron2.modeling.backbone.fpn import LastLevelMaxPool
from detectron2.modeling.meta_arch import GeneralizedRCNN
from detectron2.modeling.roi_heads import FastRCNNOutputLayers, ROIHeads
from torch import nn

from ..data.constants import constants

model = L(GeneralizedRCNN)(
    backbone=L(FPN)(
        bottom_up=L(ResNet)(
            stem=L(BasicStem)(in_channels=3, out_channels=64, norm="FrozenBN"),
            stages=L(ResNet.make_default_stages)(depth=50, stride_in_1x1=True, norm="FrozenBN"),
            out_features=["res2", "res3", "res4", "res5"],
        ),
        in_features="${.bottom_up.out_features}",
        out_channels=256,
        top_block=L(LastLevelMaxPool)(),
        activation=nn.ReLU,
    ),
    anchors=L(DefaultAnchorGenerator)(
        sizes=[[32], [64], [128]],
        aspect_ratios=[0.5, 1.0, 2.0],
        strides=[4, 8, 16],
    ),
    roi_heads=L(ROIHeads)(
        num_classes=80,
        box_predictor=L(FastRCNNOutputLayers)(
            input_shape=L(ShapeSpec)(channels=1024),
            test_score_thresh=0.05,
            num_classes="${..num_classes}",
        ),
        box_in_features=["p2", "p3"],
    ),
    pixel_mean=constants.bgr_mean,
    pixel_std=[1.0, 1.0, 1.0],
    input_format="BGR",
)
