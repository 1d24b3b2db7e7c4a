# conf.py                                     all ten digits, from the start
from nets import DigitNet
from train import digits, fit

from callsheet import lazy

model = lazy(DigitNet)(width=16)
main = lazy(fit)(model, lazy(digits)(), weights="${run.dir}/weights.safetensors")
