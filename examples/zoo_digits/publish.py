"""Publishes the model of a run in the folder `zoo`: python publish.py RUN."""

import sys

from callsheet import zoo

card = zoo.publish_run(
    sys.argv[1],
    "model",
    "zoo/digits_small",
    description="Handwritten digits of 8 x 8 pixels",
    licence="Apache-2.0",
)
print(f"published zoo/digits_small, accuracy {card.metrics['accuracy']}")
