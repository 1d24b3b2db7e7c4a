"""Trains an elastic net on the digits of scikit-learn; knows nothing of Callsheet."""

import argparse
import json
import os
import pathlib

from sklearn.datasets import load_digits
from sklearn.linear_model import ElasticNet
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser()
parser.add_argument("--data-dir", required=True)
parser.add_argument("--output-dir", required=True)
parser.add_argument("--alpha", type=float, required=True)
parser.add_argument("--l1_ratio", type=float, required=True)
args = parser.parse_args()

pixels, digits = load_digits(return_X_y=True)
train_x, test_x, train_y, test_y = train_test_split(pixels, digits, random_state=40)
model = ElasticNet(alpha=args.alpha, l1_ratio=args.l1_ratio, random_state=42).fit(train_x, train_y)
guessed = model.predict(test_x)
result = {"mae": mean_absolute_error(test_y, guessed), "r2": r2_score(test_y, guessed)}
print(f"elastic net of alpha {args.alpha}, l1_ratio {args.l1_ratio}: {result}")
pathlib.Path(args.output_dir, "coefficients.json").write_text(json.dumps(model.coef_.tolist()))
with open(os.path.join(os.environ["CALLSHEET_RUN_DIR"], "metrics.jsonl"), "a") as metrics:
    print(json.dumps({"step": 1, **result}), file=metrics)
