# conf.py                                     all ten digits, from the start
from callsheet import lazy
from nets import DigitNet
from train import digits, fit

model = lazy(DigitNet)(width=16)
main = lazy(fit)(model, lazy(digits)(), weights="${run.dir}/weights.safetensors")
