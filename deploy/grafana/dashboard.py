#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tcpstate.json, the Grafana dashboard: dashboard.py [OUT]

The panels are the table below; how they are laid out follows from it.
"""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
HOST = 'job=~"$job", instance=~"$instance"'
BY_HOST = "job, instance"


def quantile(q, series, label):
    return f"histogram_quantile({q}, sum by (le, {label}) (rate({series}_bucket{{{HOST}}}[$__rate_interval])))"


# Row: panels of (title, unit, description, [(query, legend)]); %s is where the hosts are selected.
ROWS = [
    ("What needs a look", [
        ("Stuck connections by process", "none", "Connections that have been in a state for longer than the exporter's limit, by the process "
         "that must act. CLOSE-WAIT means that it forgot to close them.",
         [("sum by (process, state) (tcpstate_stuck_connections{%s}) > 0", "{{process}} {{state}}")]),
        ("Age of the oldest", "s", "How long the oldest of these has been in its state, at least.",
         [("max by (process, state) (tcpstate_stuck_oldest_age_seconds{%s})", "{{process}} {{state}}")]),
        ("Stuck connections by container", "none", "The same by container, where one is known.",
         [("sum by (container, state) (tcpstate_stuck_container_connections{%s}) > 0", "{{container}} {{state}}")]),
        ("Accept queues", "percentunit", "How full the fullest queues of listeners are. Above 100 % the kernel drops what arrives.",
         [("topk(10, max by (process, port) (tcpstate_listener_accept_queue{%s} / (tcpstate_listener_accept_queue_limit{%s} > 0)))",
           "{{process}} :{{port}}")]),
        ("Unaccepted sockets", "none", "Connections that are open and that no process has accepted.",
         [("topk(10, max by (process, port) (tcpstate_listener_unaccepted_sockets{%s})) > 0", "{{process}} :{{port}}")]),
        ("Ephemeral ports in use", "percentunit", "Of the fullest pairs of a source address and a destination, rank 1 first.",
         [("max by (instance, rank) (tcpstate_ephemeral_ports_used{%s} / (tcpstate_ephemeral_ports_available{%s} > 0))",
           "{{instance}} {{rank}}")]),
    ]),
    ("Connections", [
        ("Connections by state", "none", "Sockets in each state now.",
         [("sum by (state) (tcpstate_connections{%s})", "{{state}}")]),
        ("Transitions", "ops", "Transitions a second.",
         [("sum by (from, to) (rate(tcpstate_transitions_total{%s}[$__rate_interval])) > 0", "{{from}} → {{to}}")]),
        ("Ends by reason", "ops", "How connections ended, a second.",
         [("sum by (reason, role) (rate(tcpstate_connection_ends_total{%s}[$__rate_interval])) > 0", "{{reason}} {{role}}")]),
        ("Half-open requests", "none", "Handshakes that wait for their last ACK, by listener.",
         [("topk(10, max by (process, port) (tcpstate_listener_request_queue{%s})) > 0", "{{process}} :{{port}}")]),
    ]),
    ("Time", [
        ("Handshakes", "s", "Half, and nine in ten, took less than this.",
         [(quantile(0.5, "tcpstate_handshake_seconds", "role"), "p50 {{role}}"),
          (quantile(0.9, "tcpstate_handshake_seconds", "role"), "p90 {{role}}")]),
        ("Retransmitted SYN and SYN-ACK", "ops", "Handshake segments sent again, a second.",
         [("sum by (segment) (rate(tcpstate_retransmitted_handshake_segments_total{%s}[$__rate_interval]))", "{{segment}}")]),
        ("Time in a state (p99)", "s", "99 in 100 stays were shorter.",
         [(quantile(0.99, "tcpstate_stay_seconds", "state"), "{{state}}")]),
        ("Stays", "heatmap", "How long sockets stayed in ESTABLISHED.",
         [('sum by (le) (increase(tcpstate_stay_seconds_bucket{state="established", %s}[$__rate_interval]))', "{{le}}")]),
    ]),
    ("The exporter", [
        ("Events lost, and unmatched", "ops", "More than 0 means that counts of transitions are too low.",
         [("sum by (instance) (rate(tcpstate_events_lost_total{%s}[$__rate_interval]))", "lost {{instance}}"),
          ("sum by (instance) (rate(tcpstate_events_unmatched_total{%s}[$__rate_interval]))", "unmatched {{instance}}")]),
        ("CPU", "percentunit", "Of one CPU.", [("rate(process_cpu_seconds_total{%s}[$__rate_interval])", "{{instance}}")]),
        ("Memory", "bytes", "Resident.", [("process_resident_memory_bytes{%s}", "{{instance}}")]),
        ("Scrapes", "ops", "Requests for /metrics, by HTTP status.",
         [("sum by (code) (rate(tcpstate_exporter_scrapes_total{%s}[$__rate_interval])) > 0", "{{code}}")]),
        ("Connections dropped", "ops", "Clients that were too slow, or didn't speak HTTP or TLS.",
         [("sum by (cause) (rate(tcpstate_exporter_dropped_connections_total{%s}[$__rate_interval])) > 0", "{{cause}}")]),
        ("Series", "none", "What this exporter stores in Prometheus.",
         [("sum by (instance) (tcpstate_exporter_series{%s})", "{{instance}}")]),
    ]),
]


def target(number, query, legend, is_heatmap):
    expression = query.replace("%s", HOST)
    result = {"refId": chr(ord("A") + number), "expr": expression, "legendFormat": legend, "datasource": DATASOURCE,
              "editorMode": "code", "range": True}
    if is_heatmap:
        result["format"] = "heatmap"
    return result


def panel(number, title, unit, description, queries, position):
    is_heatmap = unit == "heatmap"
    result = {
        "id": number, "type": "heatmap" if is_heatmap else "timeseries", "title": title, "description": description,
        "datasource": DATASOURCE, "gridPos": position,
        "targets": [target(index, *query, is_heatmap) for index, query in enumerate(queries)],
    }
    if is_heatmap:
        result["options"] = {"calculate": False, "yAxis": {"unit": "s"}, "cellGap": 1}
    else:
        result["fieldConfig"] = {"defaults": {"unit": unit, "min": 0, "custom": {"fillOpacity": 10}}, "overrides": []}
        result["options"] = {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
                             "tooltip": {"mode": "multi", "sort": "desc"}}
    return result


def panels():
    result, number, line = [], 1, 0
    for title, members in ROWS:
        result.append({"id": number, "type": "row", "title": title, "collapsed": False, "panels": [],
                       "gridPos": {"h": 1, "w": 24, "x": 0, "y": line}})
        number, line = number + 1, line + 1
        for index, member in enumerate(members):
            position = {"h": 8, "w": 8, "x": index % 3 * 8, "y": line + index // 3 * 8}
            result.append(panel(number, *member, position))
            number += 1
        line += -(-len(members) // 3) * 8
    return result


def variable(name, label, query):
    return {"type": "query", "name": name, "label": label, "datasource": DATASOURCE, "query": query, "refresh": 2,
            "sort": 1, "multi": True, "includeAll": True, "allValue": ".*",
            "current": {"text": ["All"], "value": ["$__all"], "selected": True}}


def dashboard():
    return {
        "uid": "tcpstate", "title": "TCP states", "tags": ["tcp", "tcpstate"], "schemaVersion": 39, "editable": True,
        "description": "Connections by state, how long they stay there, which processes leak them, and which listeners overflow.",
        "timezone": "browser", "refresh": "30s", "graphTooltip": 1, "time": {"from": "now-1h", "to": "now"},
        "annotations": {"list": []}, "links": [],
        "templating": {"list": [
            {"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus"},
            variable("job", "Job", "label_values(tcpstate_connections, job)"),
            variable("instance", "Host", 'label_values(tcpstate_connections{job=~"$job"}, instance)'),
        ]},
        "panels": panels(),
    }


def text():
    return json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    with open(sys.argv[1] if len(sys.argv) > 1 else f"{HERE}/tcpstate.json", "w", encoding="utf-8") as file:
        file.write(text())
