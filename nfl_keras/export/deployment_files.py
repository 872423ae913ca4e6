"""The files with which TensorFlow Serving serves a folder of models."""

import pathlib
from collections.abc import Sequence

from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

# Plain files. One that ends with `.in` holds @MODEL@ in place of the first model's name.
_FILES = pathlib.Path(__file__).parent / "deployment"
_COMMENT = """\
# Models that TF Serving serves, each from its folder under /models. Only the newest version of each
# is kept in memory; a new folder with a higher number replaces it while the server runs.
"""


def deployment_files(names: Sequence[str]) -> dict[str, str]:
    """Makes the files of a deployment.

    - `models.config`, `batching_parameters.txt`, `monitoring.config`: what the server reads;
    - `docker-compose.yml`, and `docker-compose.gpu.yml` to put over it;
    - `kubernetes.yaml`: a deployment with probes, and a service;
    - `client.py`: embeds photographs through gRPC, without this package.

    The keys are file names. Probes and the client ask for the first of the models' `names`.
    """
    config = ModelServerConfig()
    for name in names:
        model = config.model_config_list.config.add(name=name, base_path=f"/models/{name}")
        model.model_platform = "tensorflow"
        model.model_version_policy.latest.num_versions = 1
    files = {"models.config": _COMMENT + text_format.MessageToString(config)}
    for path in _FILES.iterdir():
        text = path.read_text(encoding="utf-8").replace("@MODEL@", names[0])
        files[path.name.removesuffix(".in")] = text
    return files
