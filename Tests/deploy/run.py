#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks deploy/ with the tools that will read it: run.py [EXPORTER] [--only units,rules,dashboard,kubernetes,compose,queries]

EXPORTER: the program, started for `queries`, which needs root. Prints one line per check, and exits with 1 if one failed.
"""
import argparse
import glob
import json
import os
import re
import subprocess
import sys
import traceback

import yaml

import live

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEPLOY = f"{ROOT}/deploy"
sys.path.insert(0, f"{DEPLOY}/grafana")
# systemd's measure of what a service may do: 0 nothing, 10 all.
EXPOSURE = 2.0


def say(text):
    print(text, flush=True)


def run(*command, **options):
    process = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if process.returncode:
        raise AssertionError(f"{' '.join(command)}: status {process.returncode}\n{process.stdout}")
    return process.stdout


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


def units(_):
    """The service has few rights; systemd knows every setting."""
    service = f"{DEPLOY}/systemd/tcpstate-exporter.service"
    report = run("systemd-analyze", "security", "--offline=true", "--no-pager", service)
    level = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", report)[1])
    if level > EXPOSURE:
        raise AssertionError(f"exposure {level}, more than {EXPOSURE}\n{report}")
    for path in glob.glob(f"{DEPLOY}/systemd/*.s*e*"):
        process = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", path], text=True,
                                 capture_output=True)
        # The program and the socket's service needn't be installed here.
        faults = [line for line in process.stderr.splitlines() if os.path.basename(path) in line
                  and "is not executable" not in line]
        if faults and not path.endswith(".sysusers"):
            raise AssertionError("\n".join(faults))
    run("systemd-sysusers", "--dry-run", f"{DEPLOY}/systemd/tcpstate-exporter.sysusers")
    say(f"units: exposure {level}")


def anchors():
    """The headings of the runbook as GitHub names them."""
    with open(f"{ROOT}/docs/runbook.md", encoding="utf-8") as file:
        return {re.sub(r"[^a-z0-9-]", "", line[3:].strip().lower().replace(" ", "-"))
                for line in file if line.startswith("## ")}


def alerts():
    return [rule for group in load(f"{DEPLOY}/prometheus/tcpstate.rules.yaml")["groups"] for rule in group["rules"]]


def rules(_):
    """promtool's lint and tests; each alert has a test that lets it fire, and its section in the runbook."""
    folder = f"{DEPLOY}/prometheus"
    run("promtool", "check", "rules", "--lint=all", "--lint-fatal", f"{folder}/tcpstate.rules.yaml")
    run("promtool", "test", "rules", "tcpstate.rules.test.yaml", cwd=folder)
    run("promtool", "check", "config", "--lint=all", "scrape.yaml", cwd=folder)
    tests = load(f"{folder}/tcpstate.rules.test.yaml")["tests"]
    fired = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case["exp_alerts"]}
    sections = anchors()
    for rule in alerts():
        name = rule["alert"]
        if not {"summary", "description", "runbook_url"} <= rule["annotations"].keys():
            raise AssertionError(f"{name} lacks an annotation")
        if rule["annotations"]["runbook_url"] != f"docs/runbook.md#{name.lower()}" or name.lower() not in sections:
            raise AssertionError(f"{name} has no section in docs/runbook.md")
        if name not in fired:
            raise AssertionError(f"{name} fires in no test")
    say(f"rules: {len(alerts())} alerts, each fires in a test and has its section in the runbook")


def dashboard(_):
    """The committed JSON is what the script makes, and nothing in it is unknown to Grafana's own schema."""
    from grafana_foundation_sdk.models.dashboard import Dashboard
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    import dashboard as made
    with open(f"{DEPLOY}/grafana/tcpstate.json", encoding="utf-8") as file:
        text = file.read()
    if text != made.text():
        raise AssertionError("deploy/grafana/tcpstate.json isn't what deploy/grafana/dashboard.py makes; run it")
    raw = json.loads(text)
    # Fields that the schema doesn't have would be missing when it is written again.
    again = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(raw)))
    lost = sorted(missing(raw, again, ""))
    if lost:
        raise AssertionError(f"unknown to the schema of dashboards: {lost}")
    numbers = [panel["id"] for panel in raw["panels"]]
    if len(numbers) != len(set(numbers)):
        raise AssertionError("two panels have one id")
    say(f"dashboard: {len(numbers)} panels and rows, {len(list(queries_of(raw)))} queries")


def missing(before, after, path):
    """Paths of what `before` has and `after` hasn't or has otherwise."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            if key not in after:
                yield f"{path}.{key}"
            else:
                yield from missing(value, after[key], f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, value in enumerate(before):
            yield from missing(value, after[index], f"{path}[{index}]")
    elif before != after:
        yield path


def queries_of(raw):
    for panel in raw["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


def kubernetes(_):
    """kubernetes-validate, which refuses unknown fields; the kustomization names every manifest."""
    folder = f"{DEPLOY}/kubernetes"
    manifests = [path for path in sorted(glob.glob(f"{folder}/*.yaml")) if not path.endswith("kustomization.yaml")]
    run(os.path.join(os.path.dirname(sys.executable), "kubernetes-validate"), "--strict", *manifests)
    kustomization = load(f"{folder}/kustomization.yaml")
    if sorted(kustomization["resources"]) != [os.path.basename(path) for path in manifests]:
        raise AssertionError("kustomization.yaml and the folder differ")
    pod = load(f"{folder}/daemonset.yaml")["spec"]["template"]["spec"]
    container = pod["containers"][0]
    if container["securityContext"]["capabilities"] != {"drop": ["ALL"], "add": ["BPF", "PERFMON"]}:
        raise AssertionError("the DaemonSet's capabilities aren't the least")
    if {image["name"] for image in kustomization["images"]} != {container["image"]}:
        raise AssertionError("kustomization.yaml names another image")
    say(f"kubernetes: {len(manifests)} manifests")


def compose(_):
    """podman-compose reads it."""
    folder = f"{DEPLOY}/compose"
    text = run(os.path.join(os.path.dirname(sys.executable), "podman-compose"), "-f", f"{folder}/compose.yaml", "config")
    if "tcpstate-exporter" not in text:
        raise AssertionError(text)
    say("compose: read by podman-compose")


def queries(exporter):
    """Every query of the alerts and of the dashboard is run by a real Prometheus that scrapes the real exporter."""
    if not exporter or os.geteuid():
        say("queries: SKIPPED, needs the exporter and root")
        return
    with open(f"{DEPLOY}/grafana/tcpstate.json", encoding="utf-8") as file:
        raw = json.load(file)
    wanted = [(rule["alert"], rule["expr"]) for rule in alerts()] + list(queries_of(raw))
    with live.Exporter(exporter) as program, live.Prometheus(program.port, f"{DEPLOY}/prometheus") as prometheus:
        families = program.families()
        for title, query in wanted:
            for name in re.findall(r"\b(?:tcpstate|process)_\w+", query):
                if re.sub(r"_(bucket|count|sum)$", "", name) not in families and name not in families:
                    raise AssertionError(f"{title}: the exporter has no series {name}")
            prometheus.query(live.filled_in(query))
        full = sum(1 for _, query in wanted if prometheus.query(live.filled_in(query)))
        rate = prometheus.scrape()
    say(f"queries: {len(wanted)} run, {full} with a result; scraped in {rate * 1000:.1f} ms")


CHECKS = {"units": units, "rules": rules, "dashboard": dashboard, "kubernetes": kubernetes, "compose": compose,
          "queries": queries}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("exporter", nargs="?")
    parser.add_argument("--only", default=",".join(CHECKS))
    options = parser.parse_args()
    failed = 0
    names = options.only.split(",")
    for name in names:
        try:
            CHECKS[name](options.exporter)
        except (AssertionError, OSError, subprocess.SubprocessError, TimeoutError):
            failed += 1
            say(f"{name}: FAILED\n{traceback.format_exc()}")
    say(f"{len(names) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
