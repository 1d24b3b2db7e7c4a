# conf.py                       the config file looks like the code that will be executed
from callsheet import lazy, ref
from train import Net, Adam, digits, fit                        # ordinary code that knows nothing of Callsheet

epochs = 5
model = lazy(Net)(width=64, classes=10)
data  = lazy(digits)(batch_size=64, seed=0)
optim = lazy(Adam)(ref(model).parameters(), lr=1e-3)            # a method of the model that will be built
main  = lazy(fit)(model, data, optim, epochs=epochs,            # the same model: built once. `callsheet run` builds `main`
                  out="${run.dir}")                             # its directory, for the learning curves
