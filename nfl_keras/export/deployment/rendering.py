"""The files of a deployment, filled in for the models that it serves."""

import pathlib

import jinja2

_HERE = pathlib.Path(__file__).parent
_SUFFIX = ".jinja"
_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_HERE),
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render_deployment(names):
    """The files with which TF Serving serves a folder of models, and a client.

    - `models.config`, `batching_parameters.txt`, `monitoring.config`: what the server reads;
    - `docker-compose.yml`, and `docker-compose.gpu.yml` to put over it;
    - `kubernetes.yaml`: a deployment with probes, and a service;
    - `client.py`: embeds photographs through gRPC, without this package.

    Args:
        names: sequence of str, the models', not empty. Probes ask for the first.

    Returns:
        Dict from file name to text.

    Example:

    >>> pathlib.Path("models.config").write_text(render_deployment(["embedder"])["models.config"])
    """
    paths = sorted(_HERE.glob(f"*{_SUFFIX}"))
    return {
        path.name.removesuffix(_SUFFIX): _TEMPLATES.get_template(path.name).render(names=names)
        for path in paths
    }
