"""Stands in for a training of efficient nets: the same flags, and a line that says what it was given."""

import argparse
import json
import os

parser = argparse.ArgumentParser()
parser.add_argument("data", metavar="DIR")
parser.add_argument("--output-dir")
parser.add_argument("-a", "--arch", default="resnet18")
parser.add_argument("-j", "--workers", default=4, type=int)
parser.add_argument("--epochs", default=90, type=int)
parser.add_argument("-b", "--batch-size", default=256, type=int)
parser.add_argument("--lr", "--learning-rate", default=0.1, type=float, dest="lr")
parser.add_argument("--pretrained", action="store_true")
parser.add_argument("--gpu", default=None, type=int)

if __name__ == "__main__":
    args = parser.parse_args()
    print(json.dumps(vars(args)))
    with open(os.path.join(os.environ["CALLSHEET_RUN_DIR"], "metrics.jsonl"), "a") as metrics:
        for epoch in range(args.epochs):
            print(json.dumps({"step": epoch, "seen": (epoch + 1) * args.batch_size}), file=metrics)
