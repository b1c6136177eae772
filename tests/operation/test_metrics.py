"""Counters: cheap to count, exact when told."""

import timeit

from prometheus_client.parser import text_string_to_metric_families

from kycmanager.metrics import OTHER, Metrics


def samples(metrics):
    found = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            found[sample.name, *sorted(sample.labels.items())] = sample.value
    return found


def test_commands_are_counted_by_status_and_latency():
    metrics = Metrics(["Ping", "Silent"])
    for status, seconds in ((200, 0.00005), (200, 0.0001), (404, 0.5), (404, 99.0), (500, 0.002)):
        metrics.observe("Ping", status, seconds)
    found = samples(metrics)
    ping = ("command", "Ping")
    buckets = [
        found["kycmanager_command_seconds_bucket", ping, ("le", le)]
        for le in ("0.0001", "0.003", "1.0", "10.0", "+Inf")
    ]
    assert buckets == [2, 3, 4, 4, 5]
    assert found["kycmanager_command_seconds_count", ping] == 5
    assert abs(found["kycmanager_command_seconds_sum", ping] - 99.50215) < 1e-9
    assert found["kycmanager_command_errors_total", ping, ("status", "404")] == 2
    assert found["kycmanager_command_errors_total", ping, ("status", "500")] == 1
    assert not any(("command", "Silent") in key for key in found)


def test_callers_cannot_make_labels():
    metrics = Metrics(["Ping"])
    for number in range(1000):
        metrics.observe(f"Nonsense{number}", 405, 0.0)
    found = samples(metrics)
    assert found["kycmanager_command_errors_total", ("command", OTHER), ("status", "405")] == 1000
    assert "Nonsense" not in metrics.render().decode()


def test_readings_are_taken_when_asked_for():
    metrics = Metrics()
    now = {"connections": 1, "batches": 7}
    metrics.gauge("connections", "Open connections.", lambda: now["connections"])
    metrics.total("batches", "Transactions committed.", lambda: now["batches"])
    now["connections"] = 5
    found = samples(metrics)
    assert (found["kycmanager_connections",], found["kycmanager_batches_total",]) == (5, 7)
    assert found["process_resident_memory_bytes",] > 0
    metrics.gauge("connections", "Open connections.", lambda: 9)
    assert samples(metrics)["kycmanager_connections",] == 9


def test_counting_costs_next_to_nothing():
    metrics = Metrics(["Ping"])
    seconds = min(timeit.repeat(lambda: metrics.observe("Ping", 200, 0.002), number=20_000, repeat=5)) / 20_000
    assert seconds < 3e-6  # 0.15 us on an idle machine; this one may be busy
