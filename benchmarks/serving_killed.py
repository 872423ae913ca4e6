"""Four clients that send one message endlessly until `serving_memory.py` kills them.

    python benchmarks/serving_killed.py ADDRESS FILE

It prints a line once its first message is answered.
"""

import concurrent.futures
import pathlib
import sys

import grpc

CLIENTS = 4


def main():
    address, file = sys.argv[1:]
    message = pathlib.Path(file).read_bytes()
    # Without TensorFlow and the stubs that import it, so that it starts at once.
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
