"""Four clients for `serving_memory.py` that send one message without end, to be killed meanwhile.

    python benchmarks/serving_killed.py ADDRESS FILE

Tells by a line that its first message is answered.
"""

import concurrent.futures
import pathlib
import sys

import grpc

CLIENTS = 4


def main():
    address, file = sys.argv[1:]
    message = pathlib.Path(file).read_bytes()
    # Neither TensorFlow nor the stubs over it: it has to start in no time.
    predict = grpc.insecure_channel(address).unary_unary(
        "/tensorflow.serving.PredictionService/Predict"
    )
    predict(message)
    print("asking", flush=True)

    def ask(_):
        while True:
            predict(message)

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(ask, range(CLIENTS)))


if __name__ == "__main__":
    main()
