# SPDX-License-Identifier: Apache-2.0
"""Runs every code block of docs/analysis.md and compares the answers: analysis.py DOCUMENT BINARY

In a network namespace, as root, in an empty folder. The comment above a block, <!-- test: QUESTION TOOL -->, says what it
is; a block without one is a failure. Exits with 0 if everything is as it should be.
"""
import ast
import csv
import json
import math
import os
import re
import signal
import subprocess
import sys
import time

TRAFFIC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "traffic.py")
BINARY = os.path.abspath(sys.argv[2])


def blocks():
    """Returns (question and tool, language, code) of each block."""
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    found = re.findall(r"^<!-- test: ([^\n]*) -->\n```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(found) == text.count("```") // 2, "a block has no test"
    return found


def shell(code):
    environment = dict(os.environ, PATH=f"{os.getcwd()}/bin:{os.environ['PATH']}")
    done = subprocess.run(["sh", "-ec", code], env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def record(code):
    """Runs the block's own command, without sudo and in this namespace only, while the traffic is made."""
    os.mkdir("bin")
    os.symlink(BINARY, "bin/tcpstate-trace")
    command = code.strip().removeprefix("sudo ").replace("tcpstate-trace", BINARY, 1).split() + ["--netns", "self"]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert "Tracing" in tracer.stderr.readline()
    traffic = subprocess.Popen([sys.executable, TRAFFIC], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    ports = json.loads(traffic.stdout.readline())
    # The ends of FIN-WAIT-2 are found by reading the tables, for the last time at the end.
    tracer.send_signal(signal.SIGINT)
    said = tracer.communicate(timeout=30)[1]
    assert tracer.returncode == 0 and " 0 lost, 0 unmatched" in said, said
    traffic.communicate("\n", timeout=10)
    return ports


def python(code):
    """Returns the rows of the frame that the last expression gives."""
    tree = ast.parse(code)
    names = {}
    exec(compile(ast.Module(tree.body[:-1], []), "block", "exec"), names)
    frame = eval(compile(ast.Expression(tree.body[-1].value), "block", "eval"), names)
    return frame.rows() if hasattr(frame, "rows") else [tuple(row) for row in frame.itertuples(index=False)]


def duckdb(code):
    import duckdb
    return duckdb.sql(code).fetchall() if not code.startswith("copy") else duckdb.execute(code) and []


def clickhouse(code):
    import chdb
    return list(csv.reader(str(chdb.query(code, "CSV")).splitlines()))


def table(text):
    return [line.split("\t") for line in text.splitlines()]


TOOLS = {"duckdb": duckdb, "pandas": python, "polars": python, "clickhouse": clickhouse,
         "jq": lambda code: table(shell(code)), "sqlite3": lambda code: table(shell(code))}


def same(a, b):
    """Compares cells of two tools: numbers by value, unknown in each tool's spelling."""
    unknown = ("", "None", "<NA>", "\\N")
    if str(a) in unknown or str(b) in unknown:
        return str(a) in unknown and str(b) in unknown
    try:
        return math.isclose(float(a), float(b), rel_tol=1e-6)
    except ValueError:
        return str(a) == str(b)


def agree(question, answers):
    (first, reference), *others = answers
    for tool, rows in others:
        # Rows that tie in the order may be swapped.
        mine, theirs = (sorted([list(row) for row in table], key=lambda row: [str(cell) for cell in row[:3]])
                        for table in (reference, rows))
        assert len(mine) == len(theirs), (question, first, mine, tool, theirs)
        for a, b in zip(mine, theirs):
            assert len(a) == len(b) and all(map(same, a, b)), (question, first, a, tool, b)


def check_truth(answers, ports):
    """Compares the answers with what the traffic is known to have done."""
    leak = answers["leak"][0][1]
    assert len(leak) == 1 and leak[0][0] == "=1+1" and leak[0][2] == 3 and leak[0][3] > 1, leak
    slow = {row[0]: row for row in answers["slow"][0][1]}
    assert slow["127.0.0.3"][1] == 4 and 200 < slow["127.0.0.3"][2] < 2000, slow
    assert slow["127.0.0.2"][1] == 20 and slow["127.0.0.2"][2] < slow["127.0.0.3"][2], slow
    shakes = {(row[0], row[1]): row for row in answers["handshakes"][0][1]}
    assert shakes["127.0.0.5", ports["refused"]][2:4] == (0, 5), shakes
    assert shakes["127.0.0.2", ports["fast"]][2:4] == (20, 0), shakes
    used = {(row[1], row[2]): row for row in answers["ports"][0][1]}
    assert used["127.0.0.2", ports["fast"]][3] == 20 and used["127.0.0.2", ports["fast"]][6] is None, used


def check_files():
    import duckdb as engine
    source = "read_csv('t.csv', types = {'connection_id': 'VARCHAR'})"
    assert engine.sql(f"(from {source} except all from 't.parquet') union all (from 't.parquet' except all from {source})"
                      ).fetchall() == []
    with open("sheet.csv", newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert "'=1+1" in cells
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@")]
    import openpyxl
    sheet = openpyxl.Workbook().active
    for cell in cells:
        sheet.append([cell])
    assert not [cell for column in sheet.iter_cols() for cell in column if cell.data_type == "f"]


def main():
    answers = {}
    ports = None
    count = 0
    for name, _, code in blocks():
        question, *tool = name.split()
        began = time.monotonic()
        if question == "record":
            ports = record(code)
        elif question in ("convert", "excel"):
            shell(code)
        else:
            rows = TOOLS[tool[0]](code)
            answers.setdefault(question, []).append((" ".join(tool), rows))
        count += 1
        print(f"{name}: {time.monotonic() - began:.2f} s", file=sys.stderr)
    for question, given in answers.items():
        agree(question, given)
    check_truth(answers, ports)
    check_files()
    print(f"{count} blocks; agree: " + "; ".join(
        f"{question} {', '.join(tool for tool, _ in given)} ({len(given[0][1])} rows)"
        for question, given in answers.items() if len(given) > 1))


main()
