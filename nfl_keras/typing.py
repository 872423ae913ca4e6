"""Names for types that the annotations of several rooms use."""

import os
from typing import TYPE_CHECKING, Any, TypeAlias

# A tensor of Keras' backend, symbolic or not, or an array that becomes one.
Tensor: TypeAlias = Any
Path: TypeAlias = str | os.PathLike[str]

if TYPE_CHECKING:
    # For a type checker, a mixin has the methods of the class that it is mixed into.
    from keras import Model as ModelMixin
else:
    ModelMixin = object
