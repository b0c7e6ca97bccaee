"""Tests of what stands between results.json and the report: `bench/test` runs them."""

from __future__ import annotations

import unittest

from . import floors, report, targets
from .results import Rows, without_places
from .stats import Case, cpu_per_gb, median, number, ratio, spread


def bulk(rate: float, cpu: float = 1.0) -> dict:
    return {"mb_per_s": rate, "bytes": 2_000_000_000, "cpu_s": {"server": cpu, "agent": cpu}, "peak_kb": {"server": 1000}}


def case(name: str, *rows: tuple) -> Case:
    """Rows of (contender, way, parameters, samples)."""
    collected = Rows()
    for contender, via, parameters, samples in rows:
        for sample in samples:
            collected.add(contender, via, sample, **parameters)
    machine = {"cpu": "a", "cores": 2, "memory_gib": 4, "kernel": "6", "date": "2030-01-01 00:00 UTC", "busy_before": 0.0,
               "versions": dict.fromkeys(("ours", "reference", "frp", "rathole", "haproxy", "openssl", "go"), "1")}
    return Case(name, {"rows": collected.list(), "quick": False, "repeats": 3, "machine": machine})


ONE = {"tunnels": 1}


class Numbers(unittest.TestCase):
    def test_median_and_spread_of_the_repeats(self):
        row = case("download", ("ours", "connect-unix", ONE, [bulk(10), bulk(500), bulk(20)])).rows[0]
        self.assertEqual(median(row, "mb_per_s"), 20)
        self.assertEqual(spread(row, "mb_per_s"), (10, 500))

    def test_cpu_is_counted_for_a_gigabyte(self):
        self.assertEqual(cpu_per_gb("server")(bulk(1, cpu=3)), 1.5)

    def test_what_was_not_measured_is_empty(self):
        self.assertEqual(number(median(None, "mb_per_s")), "")
        self.assertIsNone(ratio(1, 0))
        self.assertIsNone(cpu_per_gb("router")(bulk(1)))

    def test_three_digits(self):
        self.assertEqual([number(value) for value in (1234.5, 12.34, 1.234, 0.01234, 0, 7)],
                         ["1,234", "12.3", "1.23", "0.012", "0", "7"])


class Targets(unittest.TestCase):
    def verdict(self, what: str, *rows: tuple, name: str = "download") -> targets.Verdict:
        cases = {name: case(name, *rows)}
        return next(verdict for group in targets.GROUPS for verdict in group(cases) if verdict.what == what)

    def test_a_ratio_over_the_goal_is_met(self):
        verdict = self.verdict("download, one tunnel, to reference", ("reference", "connect-unix", ONE, [bulk(100)]),
                               ("ours", "connect-unix", ONE, [bulk(400)]))
        self.assertTrue(verdict.met)
        self.assertEqual(verdict.reached, 4)

    def test_a_ratio_under_the_goal_is_not(self):
        verdict = self.verdict("download, one tunnel, to reference", ("reference", "connect-unix", ONE, [bulk(100)]),
                               ("ours", "connect-unix", ONE, [bulk(399)]))
        self.assertFalse(verdict.met)
        self.assertIn("**not met**", verdict.line())

    def test_what_is_missing_is_not_met(self):
        verdict = self.verdict("download, one tunnel, to rathole", ("ours", "connect-unix", ONE, [bulk(400)]))
        self.assertFalse(verdict.met)
        self.assertIn("not measured", verdict.line())

    def test_a_dial_that_failed_counts_as_slow(self):
        phase = {"mb_per_s": 100, "max_ms": 10, "count": 5, "failed_dials": 0}
        sample = {"without": phase, "with": {**phase, "failed_dials": 1}}
        rows = ("ours", "connect-unix", {"neighbours": "1 stalled reader"}, [sample])
        self.assertFalse(self.verdict("one stalled reader, failed dials", rows, name="stall").met)
        self.assertFalse(self.verdict("one stalled reader, slowest dial, to the slowest without", rows, name="stall").met)
        self.assertTrue(self.verdict("one stalled reader, throughput that the others keep", rows, name="stall").met)


class Floors(unittest.TestCase):
    def cases(self) -> dict[str, Case]:
        parts = {"parts": {"kernel": 50.0, "TLS": 25.0}}
        profile = [("ours", "connect-unix", {"load": load}, [{"server": parts, "agent": parts}]) for load in ("download", "connects, 16 at once")]
        busy = {"connects_per_s": 1000, "count": 100, "cpu_s": {"server": 0.005, "agent": 0.005, "load": 0.006, "service": 0.004}}
        slow = {**busy, "connects_per_s": 400}
        return {"profile": case("profile", *profile),
                "download": case("download", ("reference", "connect-unix", ONE, [bulk(1, cpu=4)]), ("ours", "connect-unix", ONE, [bulk(2, cpu=2)])),
                "connect": case("connect", ("reference", "connect-unix", {"at_once": 16}, [slow]), ("ours", "connect-unix", {"at_once": 16}, [busy]))}

    def test_kernel_and_tls_are_their_share_of_ours(self):
        self.assertIn("| download, server, CPU s/GB | 1 | 0.75 | 0.50 (of the reference),  (of rathole) |", floors.section(self.cases()))

    def test_load_and_service_take_theirs_before_us(self):
        text = floors.section(self.cases())
        self.assertIn("| 100 | 75 | 1,900, beside 100 of load generator and service |", text)

    def test_what_all_cores_could_carry_is_told(self):
        cost = {"server": 1.0, "agent": 1.0, "load": 0.3, "service": 0.2}
        measured = [{"mb_per_s": 600, "bytes": 1e9, "cpu_s": cost}]
        cases = {**self.cases(), "download": case("download", ("reference", "connect-unix", ONE, [bulk(200)]), ("ours", "connect-unix", ONE, measured))}
        self.assertIn("| download, MB/s | 600 | 800 | 1,000 | 800,  |", floors.section(cases))

    def test_a_round_trip_is_set_beside_its_wake_ups(self):
        rows = [(who, "connect-unix", {"load": "alone"}, [{"p50_ms": p50, "p99_ms": 1}]) for who, p50 in (("direct", 0.1), ("ours", 0.2), ("reference", 0.5))]
        text = floors.section({**self.cases(), "rtt": case("rtt", *rows)})
        self.assertIn("(0.10 ms), six cost 0.30 ms; ours takes 0.20,", text)
        self.assertIn("Wanted: 0.25 ms.", text)

    def test_without_a_profile_nothing_is_claimed(self):
        self.assertEqual(floors.section({}), "")


class Report(unittest.TestCase):
    def test_who_was_left_out_is_named_with_the_reason(self):
        measured = case("download", ("reference", "connect-unix", ONE, [bulk(100)]))
        rows = Rows()
        rows.skip("ours", "connect-h2", "the frontend does not speak HTTP/2", **ONE)
        measured.rows += rows.list()
        text = report.render({"cases": {"download": measured.data}})
        self.assertIn("- ours, native link over CONNECT, HTTP/2: not measured: the frontend does not speak HTTP/2.", text)

    def test_a_busy_machine_is_told(self):
        measured = case("download", ("reference", "connect-unix", ONE, [bulk(100)]))
        measured.data["machine"]["busy_before"] = 0.6
        self.assertIn("not to be trusted", report.render({"cases": {"download": measured.data}}))

    def test_reasons_lose_the_folders_of_one_run(self):
        self.assertEqual(without_places("read unix /tmp/x1/front-2: refused"), "read unix front-2: refused")


if __name__ == "__main__":
    unittest.main()
