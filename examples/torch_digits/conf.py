from callsheet import lazy, ref
from digits import Accuracy, Digits, Net
from engine import fit
from torch.optim import AdamW

model = lazy(Net)(width=64, depth=1, classes=10)
dataloader = dict(
    train=lazy(Digits)(split="train", batch_size=64),
    test=lazy(Digits)(split="test", batch_size=360),
)
optimizer = lazy(AdamW)(ref(model).parameters(), lr=1e-3)
evaluator = lazy(Accuracy)()
train = dict(
    max_iter=400, eval_period=100, checkpoint_period=100, output_dir="output", init_checkpoint="", device="cpu"
)

# For `callsheet run` and `callsheet sweep`, where each run has a folder of its own.
main = lazy(fit)(
    model,
    dataloader.train,
    dataloader.test,
    optimizer,
    evaluator,
    max_iter="${train.max_iter}",
    eval_period="${train.eval_period}",
    checkpoint_period="${train.checkpoint_period}",
    output_dir="${run.dir}",
    init_checkpoint="${train.init_checkpoint}",
    device="${train.device}",
)
