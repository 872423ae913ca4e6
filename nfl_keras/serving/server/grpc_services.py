"""TensorFlow Serving's two gRPC services, over the stubs of `tensorflow-serving-api`."""

from tensorflow_serving.apis import (
    model_management_pb2,
    model_service_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2,
    prediction_service_pb2_grpc,
    status_pb2,
)

from nfl_keras.serving.server import model_info

# By their descriptors, which reflection then finds as well.
PREDICTION_SERVICE = prediction_service_pb2.DESCRIPTOR.services_by_name[
    "PredictionService"
].full_name
MODEL_SERVICE = model_service_pb2.DESCRIPTOR.services_by_name["ModelService"].full_name


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; what else the service names is UNIMPLEMENTED.

    Args:
        predictor: `Predictor`.
        models: `Models`.
    """

    def __init__(self, predictor, models):
        self._predictor = predictor
        self._models = models

    def Predict(self, request, context):  # noqa: N802
        return self._predictor.predict(
            request, "GRPC", context.time_remaining(), context.add_callback
        )

    def GetModelMetadata(self, request, context):  # noqa: N802
        return model_info.metadata(self._models, request)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus and HandleReloadConfigRequest.

    Args:
        models: `Models`.
    """

    def __init__(self, models):
        self._models = models

    def GetModelStatus(self, request, context):  # noqa: N802
        return model_info.status(self._models, request)

    def HandleReloadConfigRequest(self, request, context):  # noqa: N802
        model_info.reload(self._models, request)
        return model_management_pb2.ReloadConfigResponse(status=status_pb2.StatusProto())
