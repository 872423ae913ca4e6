"""Embeds photographs: python client.py localhost:8500 rose.jpg tulip.png"""

import pathlib
import sys

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

images = tf.make_tensor_proto([pathlib.Path(path).read_bytes() for path in sys.argv[2:]])
request = predict_pb2.PredictRequest(model_spec={"name": "embedder"}, inputs={"images": images})
# gRPC would send even requests to this machine to the proxy that the environment sets.
is_local = sys.argv[1].startswith(("localhost:", "127.", "[::1]:", "unix:"))
channel = grpc.insecure_channel(sys.argv[1], [("grpc.enable_http_proxy", int(not is_local))])
stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
answer = stub.Predict(request, timeout=30)
print({name: tf.make_ndarray(tensor) for name, tensor in answer.outputs.items()})
