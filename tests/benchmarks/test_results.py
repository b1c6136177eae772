"""What was measured before stays beside what is measured now, each with its time."""

import pytest

from benchmarks import results

KNOWN = ["reads", "writes", "start"]


def entry(value, measured="2026-01-01 10:00", **more):
    return {
        "value": value, "unit": "requests/s", "peer": "redis", "peer_value": 2000.0, "ratio": 0.75,
        "target": ">= 1 x redis", "met": False, "cpu_us": 9.5, "peer_cpu_us": 6.0, "p50_ms": 0.4, "p99_ms": 1.0,
        "runs": 5, "quick": False, "machine": "two cores", "noise": ["little", "much"], "measured": measured,
    } | more  # fmt: skip


def test_what_was_measured_anew_replaces_all_its_lines_and_others_stay_in_order():
    held = {"start": entry(1.0), "reads": entry(2.0), "reads:nginx": entry(3.0), "gone": entry(4.0)}
    found = results.merged(held, {"reads": entry(5.0), "writes": entry(6.0)}, KNOWN)
    assert {name: each["value"] for name, each in found.items()} == {"reads": 5.0, "writes": 6.0, "start": 1.0}
    assert list(found) == KNOWN


@pytest.mark.parametrize("only", [[], ["writes"]])
def test_a_session_of_everything_replaces_everything(tmp_path, monkeypatch, only):
    for name in ("JSON", "MARKDOWN", "PLOT"):
        monkeypatch.setattr(results, name, tmp_path / name)
    results.JSON.write_text(results.json.dumps({"reads": entry(2.0)}))
    figure = results.Figure(value=7.0, runs=5)
    line = results.Line("writes", "requests/s", figure, None, None, None, None)
    noise = results.Noise(0.1, 0.2, 0.3)
    machine = results.Machine("a CPU", 2, "Linux", "3.11", 24)
    results.Report([line], machine, noise, noise, 5, quick=False, only=only).write(KNOWN)
    kept = results.json.loads(results.JSON.read_text())
    assert list(kept) == (["reads", "writes"] if only else ["writes"])
    assert kept["writes"]["value"] == 7.0
    assert ("| reads | 2 requests/s |" in results.MARKDOWN.read_text()) == bool(only)


def test_the_table_tells_when_each_row_was_measured_and_each_session_once():
    later = entry(None, "2026-01-02 11:00", ratio=None, met=None, not_measured="redis is not there")
    text = results.markdown({"reads": entry(1500.0), "writes": entry(2.5), "start": later}, plotted=False)
    assert "| reads | 1,500 requests/s | 9.5 | 0.4 | 1 | redis | 2,000 | 6 | 0.75 | >= 1 x redis | **no** |" in text
    assert "| **no** | 2026-01-01 10:00 |" in text
    assert "| start | NOT MEASURED |" in text
    assert "- start: redis is not there" in text
    assert text.count("- 2026-01-01 10:00 UTC: a full session, medians of 5 alternating runs.") == 1
    assert text.count(" UTC: ") == 2
