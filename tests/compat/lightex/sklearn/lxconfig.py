from dataclasses import dataclass, replace
from typing import List

from callsheet.compat.lightex.mulogger import LoggerConfig
from callsheet.compat.lightex.config_base import *
from callsheet.compat.lightex.namedconf import unroll_top_fields, rreplace


@dataclass(frozen=True)
class HP:
    l1_ratio: float
    alpha: float


@dataclass(frozen=True)
class HPGroup:
    l1_ratio: List[float]
    alpha: float

    def flatten(self):
        return unroll_top_fields(self, HP)


@dataclass(frozen=True)
class Experiment:
    er: Resources
    hp: HP
    run: Run


@dataclass(frozen=True)
class Config:
    er: Resources
    hpg: HPGroup
    run: Run

    def get_experiments(self):
        return [Experiment(er=self.er, hp=hp, run=self.run) for hp in self.hpg.flatten()]


B1 = Build(image_url="sklearn", build_steps=["docker build -t sklearn ."])
L = LoggerConfig(loggers=["mlflow"])
Co1 = Container(build=B1)
S1 = StorageDirs(working_dir=".", output_dir="./ltex")
R1 = Resources(storage=S1, ctr=Co1, loggers=L)
R2 = rreplace(R1, {"loggers.mlflow.client_in_cluster": True, "loggers.mlflow.port": 30005})

H1 = HPGroup(alpha=0.05, l1_ratio=[0.01, 0.015, 0.0015])
Ru1 = Run(
    cmd="python train.py --data-dir {{run.data_dir}} --output-dir {{run.output_dir}} --alpha {{hp.alpha}} \
                   --l1_ratio {{ hp.l1_ratio }}",
    experiment_name="m2test",
)

C1 = Config(er=R1, hpg=H1, run=Ru1)
C2 = replace(C1, er=R2)

if __name__ == "__main__":
    [print(x) for x in C1.get_experiments()]
