"""A SavedModel in memory: its signatures, and the running of them."""

import pathlib

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from nfl_keras.errors import UserError
from nfl_keras.serving.server.signature import Signature

_TAG = "serve"


class LoadedModel:
    """One version's SavedModel, ready to run.

    Args:
        path: str or path, the folder of `saved_model.pb`.

    Attributes:
        signatures: dict from name to `Signature`.
        signature_defs: dict from name to `SignatureDef`, as the file has them.

    Raises:
        UserError: if it cannot be loaded. Whatever TensorFlow raises on a damaged one ends so.
    """

    def __init__(self, path):
        self.signature_defs = _signature_defs(pathlib.Path(path) / "saved_model.pb")
        try:
            # The variables live as long as the root, so it is kept beside the functions.
            self._root = tf.saved_model.load(str(path), tags=[_TAG])
            self._functions = dict(self._root.signatures)
            self.signatures = {
                name: Signature(name, self.signature_defs[name]) for name in self._functions
            }
        except Exception as error:
            raise UserError(f"{path} cannot be loaded: {_first_line(error)}") from error
        if not self.signatures:
            raise UserError(f"{path} has no signature; export it with nfl.export_model.")

    def run(self, signature, arrays):
        """Runs a signature.

        Args:
            signature: str.
            arrays: Dict from the name of each input to its array.

        Returns:
            Dict from the name of each output to its array.
        """
        inputs = {alias: tf.constant(array) for alias, array in arrays.items()}
        outputs = self._functions[signature](**inputs)
        return {alias: output.numpy() for alias, output in outputs.items()}


def _signature_defs(file):
    try:
        saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    except (OSError, DecodeError) as error:
        raise UserError(f"{file} cannot be read: {_first_line(error)}") from error
    for graph in saved.meta_graphs:
        if _TAG in graph.meta_info_def.tags:
            return dict(graph.signature_def)
    raise UserError(f"{file} has no graph with the tag {_TAG!r}.")


def _first_line(error):
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
