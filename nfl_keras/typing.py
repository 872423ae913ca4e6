"""Names for types that the annotations of several rooms use."""

import os
from typing import Any, TypeAlias

# A tensor of Keras' backend, symbolic or not, or an array that becomes one.
Tensor: TypeAlias = Any
Path: TypeAlias = str | os.PathLike[str]
