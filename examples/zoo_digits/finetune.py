# finetune.py                                 five of the digits, from forty images and what others have learned
from callsheet import lazy, zoo
from train import digits, fit

model = zoo.get("./zoo/digits_small", ["classes=5"], trained=True, on_mismatch="skip")  # with a head of its own
data = lazy(digits)(classes=[3, 5, 6, 8, 9], examples=40)

main = lazy(fit)(model, data, weights="${run.dir}/weights.safetensors", epochs=10)
scratch = lazy(fit)(model.model, data, weights="${run.dir}/weights.safetensors", epochs=10)  # the same, untrained
