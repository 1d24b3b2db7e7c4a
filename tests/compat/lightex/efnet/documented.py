from dataclasses import dataclass, replace
from pathlib import Path
from typing import List

from callsheet.compat.lightex import K8Config, HostResources


@dataclass
class Build:
    image_url: str
    build_steps: List[str]
    image_pull_policy: str = "IfNotPresent"


@dataclass
class Run:
    cmd: str
    experiment_name: str
    run_name: str = ""
    max_cpu: str = "500m"
    max_memory: str = "2Gi"
    jobid: int = 0


@dataclass
class Resources:
    build: Build
    k8: K8Config
    host: HostResources


@dataclass
class HP:
    batch_size: int = 4
    epochs: int = 10
    lr: float = 1e-3
    gpu_id: int = 0
    hidden_size: int = 512
    num_layers: int = 8
    model_name: str = "resnet18"


@dataclass
class Experiment:
    er: Resources
    hp: HP
    run: Run


@dataclass
class Config:
    er: Resources
    hp: HP
    run: Run

    def get_experiments(self):
        expts = [Experiment(er=self.er, hp=self.hp, run=self.run)]
        return expts


B1 = Build(
    image_url="efnet:latest", build_steps=["docker build -t efnet:latest .", "docker push localhost:32000/efnet:latest"]
)

HO1 = HostResources(mlflow_dir=str(Path("/tmp/") / "mlflow-data"), working_dir=".", data_dir="/data/imagenette-160/")

R1 = Resources(build=B1, host=HO1, k8=K8Config())

H1 = HP(batch_size=16, epochs=1, gpu_id=0, model_name="efficientnet-b0")

RC1 = Run(
    cmd="python main.py {{er.k8.container_data_dir}} \
        -a {{hp.model_name}} --pretrained  -b {{hp.batch_size}} \
        -j 0  --epochs {{hp.epochs}} --gpu {{hp.gpu_id}}",
    experiment_name="efnet0",
)

C1 = Config(er=R1, hp=H1, run=RC1)

H2 = replace(H1, batch_size=8, epochs=2)
C2 = Config(er=R1, hp=H2, run=RC1)
