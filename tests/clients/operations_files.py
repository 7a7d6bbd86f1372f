"""Dashboard and alert rules against what a running cluster tells: `python -m operations_files MERIDIAN`.

`MERIDIAN_PROMTOOL` names promtool, which reads the rules, plays their tests and judges the form of the metrics.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from harness.checks import claim, equal, holds, run
from harness.cluster import Cluster
from harness.regions import EU, US, clients, create

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "meridian.rules.yml"
DASHBOARD = DEPLOY / "grafana" / "meridian.json"
PAGE = DEPLOY.parent / "docs" / "metrics.md"
# Ports of the operations endpoints behind the base of a development cluster.
OPERATIONS = (31, 32, 33)
# What a histogram's series end in.
SUFFIXES = ("_bucket", "_sum", "_count")
# The lag is told in milliseconds on purpose: that is the unit in which it matters.
ACCEPTED = {
    f'meridian_{name}_milliseconds use base unit "seconds" instead of "milliseconds"'
    for name in ("replication_lag", "key_replication_lag")
}

# Set by `main`, before any claim runs.
scrapes = []


def names_in(text):
    found = set(re.findall(r"meridian_[a-z_]+", text))
    return {name.removesuffix(suffix) for name in found for suffix in SUFFIXES if name.endswith(suffix)} | {
        name for name in found if not name.endswith(SUFFIXES)
    }


def told():
    """Names of the metrics that the cluster tells."""
    return {match for scrape in scrapes for match in re.findall(r"^# TYPE (\S+) ", scrape, re.MULTILINE)}


def expressions():
    dashboard = json.loads(DASHBOARD.read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


def promtool(*arguments, **options):
    tool = os.environ.get("MERIDIAN_PROMTOOL", "promtool")
    return subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=60, **options)


@claim
def every_metric_of_rules_and_dashboard_is_told():
    wanted = names_in(RULES.read_text()) | names_in(" ".join(expressions()))
    holds(len(wanted) > 20, f"only {sorted(wanted)} are used")
    equal(sorted(wanted - told()), [])


@claim
def every_metric_is_on_the_dashboard():
    equal(sorted(told() - names_in(" ".join(expressions()))), [])


@claim
def every_metric_is_explained():
    equal(sorted(told() ^ set(re.findall(r"^\| `(meridian_\w+)` ", PAGE.read_text(), re.MULTILINE))), [])


@claim
def rules_are_sound_and_fire_when_they_should():
    checked = promtool("check", "rules", RULES)
    equal(checked.returncode, 0, checked.stdout + checked.stderr)
    tested = promtool("test", "rules", RULES.with_suffix("").with_suffix(".rules.test.yml"))
    equal(tested.returncode, 0, tested.stdout + tested.stderr)


@claim
def every_alert_has_a_test():
    alerts = set(re.findall(r"alert: (\w+)", RULES.read_text()))
    tests = RULES.with_name("meridian.rules.test.yml").read_text()
    tested = set(re.findall(r"alertname: (\w+)\n +exp_alerts:", tests))
    equal(sorted(alerts - tested), [])


@claim
def dashboard_queries_are_expressions():
    """As rules, so that promtool parses them."""
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m").replace("$instance", ".*")}
        for number, expression in enumerate(expressions())
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        # JSON is YAML.
        json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)
        file.flush()
        checked = promtool("check", "rules", file.name)
    equal(checked.returncode, 0, checked.stdout + checked.stderr)


@claim
def metrics_have_the_form_of_prometheus():
    for scrape in scrapes:
        judged = promtool("check", "metrics", input=scrape)
        complaints = set((judged.stdout + judged.stderr).split("\n")) - ACCEPTED - {""}
        equal(sorted(complaints), [])


def main():
    with Cluster(sys.argv[1]) as cluster:
        kms = clients(cluster.endpoint)
        key_id = create(kms[US], MultiRegion=True)
        kms[US].replicate_key(KeyId=key_id, ReplicaRegion=EU)
        kms[US].encrypt(KeyId=key_id, Plaintext=b"x")
        for offset in OPERATIONS:
            url = f"http://127.0.0.1:{cluster.base + offset}/metrics"
            with urllib.request.urlopen(url, timeout=10) as answer:
                scrapes.append(answer.read().decode())
        return run(f"{promtool('--version').stdout.splitlines()[0]}, {sys.argv[1]}")


if __name__ == "__main__":
    sys.exit(main())
