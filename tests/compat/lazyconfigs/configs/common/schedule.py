from fvcore.common.param_scheduler import MultiStepParamScheduler

from detectron2.config import LazyCall as L
from detectron2.solver import WarmupParamScheduler


def default_schedule(times):
    steps = times * 90000
    if times <= 2:
        scheduler = L(MultiStepParamScheduler)(
            values=[1.0, 0.1, 0.01],
            milestones=[60000, 80000, steps],
        )
    else:
        scheduler = L(MultiStepParamScheduler)(values=[1.0, 0.1, 0.01], milestones=[steps - 60000, steps - 20000, steps])
    return L(WarmupParamScheduler)(
        scheduler=scheduler,
        warmup_length=1000 / steps,
        warmup_method="linear",
        warmup_factor=0.001,
    )


schedule_1x = default_schedule(1)
schedule_3x = default_schedule(3)
