"""The text that Prometheus reads."""

import re
import threading

from nfl_keras.serving.server.metrics import Metrics

LINE = re.compile(r'[a-zA-Z_:][\w:]*(\{(\w+="([^"\\]|\\.)*",?)*\})? \S+|# TYPE \S+ \w+')


def test_counts_and_times_are_under_tf_serving_s_names():
    metrics = Metrics()
    metrics.count_request("birds", "OK")
    metrics.count_request("birds", "OK")
    metrics.count_request('b"\\\n', "NOT_FOUND")
    metrics.observe_request("birds", "GRPC", 0.001)
    metrics.observe_run("birds", 1e9)
    metrics.observe_batch(5)
    metrics.observe_batch(8)
    lines = metrics.text().splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    assert ':tensorflow:serving:request_count{model_name="birds",status="OK"} 2' in lines
    batch = ":tensorflow:serving:batching_session:processed_batch_size"
    assert f'{batch}_bucket{{le="4"}} 0' in lines
    assert f'{batch}_bucket{{le="8"}} 2' in lines
    assert f'{batch}_bucket{{le="+Inf"}} 2' in lines
    assert f"{batch}_sum{{}} 13" in lines
    latency = ':tensorflow:serving:request_latency_{}{{model_name="birds",API="Predict",'
    assert f'{latency.format("sum")}entrypoint="GRPC"}} 1000' in lines
    runtime = ":tensorflow:serving:runtime_latency_bucket"
    last = [line for line in lines if line.startswith(runtime)][-2:]
    assert [line.rpartition(" ")[2] for line in last] == ["0", "1"]


def test_nothing_is_lost_between_threads():
    metrics = Metrics()

    def count():
        for _ in range(500):
            metrics.count_request("birds", "OK")
            metrics.observe_batch(1)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 'status="OK"} 4000' in metrics.text()
    assert "processed_batch_size_count{} 4000" in metrics.text()
