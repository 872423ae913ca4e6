"""Defines how a model remembers the arguments of its constructor, and is made again by them."""

import inspect
from collections.abc import Mapping
from typing import Any, Self

import keras

from nfl_keras.typing import ModelMixin


class RememberedArguments(ModelMixin):
    """A mixin whose config is the arguments of the constructor.

    Subclasses need no `get_config` or `from_config` of their own. An attribute of an argument's
    name, where there is one, takes its place.
    """

    _arguments: dict[str, Any]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        model = super().__new__(cls, *args, **kwargs)
        signature = inspect.signature(cls.__init__)
        bound = signature.bind(model, *args, **kwargs)
        bound.apply_defaults()
        _, *arguments = bound.arguments.items()
        # Keras tracks what is set on a layer, which it cannot do before `__init__`.
        recorded = vars(model)["_arguments"] = {}
        for name, value in arguments:
            if signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
                recorded.update(value)
            else:
                recorded[name] = value
        return model

    def get_config(self) -> dict[str, Any]:
        arguments = {name: getattr(self, name, v) for name, v in self._arguments.items()}
        arguments |= {"name": self.name, "trainable": self.trainable}
        return {
            name: keras.saving.serialize_keras_object(value) for name, value in arguments.items()
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        return cls(
            **{
                name: keras.saving.deserialize_keras_object(value, custom_objects=custom_objects)
                for name, value in config.items()
            }
        )
