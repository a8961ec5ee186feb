# SPDX-License-Identifier: Apache-2.0
"""What can be chosen, shared and saved on the report's page, in a real Chromium: selection.py CHECK FOLDER

FOLDER contains rows.csv and page.html, which the command made from it; TCPSTATE_TEST_BINARY reads what the page saves.
Exits with 0 if every assertion holds.
"""
import collections
import csv
import io
import os
import subprocess
import xml.etree.ElementTree

from axe_playwright_python.sync_playwright import Axe
from browser import FOLDER, STATES, connections, number, opened, rows, run, shown, sockets

ENDED = ("closed", "listen", "time_wait")


def moves(of=None):
    """How often each transition was made, by states' names; listeners aren't drawn."""
    return collections.Counter((row["state_old"], row["state_new"]) for row in of or rows()
                               if row["role"] != "listener" and row["state_old"] != row["state_new"])


def reasons():
    """How many sockets ended for each reason."""
    return collections.Counter(
        row["reason"] or "unknown" for row in rows()
        if row["state_new"] == "time_wait" or (row["state_new"] == "closed" and row["state_old"] not in ENDED))


def drawn(page):
    """The transitions that the page counts, in the figure and below it."""
    names = {value: key for key, value in STATES.items()}
    found = {}
    for count, move in page.locator("[data-move]").evaluate_all("all => all.map((each) => [each.dataset.count, each.dataset.move])"):
        old, new = (names[int(state)] for state in move.split("-"))
        assert (old, new) not in found
        if count and int(count):
            found[old, new] = int(count)
    return found


def diagram():
    """Every transition of the CSV is in the figure or below it, and chooses its connections."""
    by_connection = connections()
    with opened() as page:
        assert drawn(page) == dict(moves())
        closed = {id for id, rows in by_connection.items()
                  if any((row["state_old"], row["state_new"]) == ("syn_sent", "closed") for row in rows)}
        page.locator('[data-move="2-7"] text').first.click()
        assert sockets(page) == len(closed) > 0
        assert drawn(page) == dict(moves([row for id in closed for row in by_connection[id]])), "it follows the filters"
        assert page.locator('[data-move="2-7"]').get_attribute("aria-pressed") == "true"
        page.click("#move")
        assert sockets(page) == len(by_connection)
        # By keyboard: one stop, then arrow keys.
        page.locator('#diagram [tabindex="0"]').focus()
        page.keyboard.press("End")
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
        move = page.evaluate("document.activeElement.dataset.move")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.dataset.move") == move
        assert sockets(page) < len(by_connection)
        page.keyboard.press(" ")
        assert sockets(page) == len(by_connection)
        page.click('.state[data-state="8"] .card')
        assert sockets(page) == sum(any(row["state_new"] == "close_wait" for row in rows) for rows in by_connection.values())
        page.click("#clear")
        other = page.locator("#other-moves button").first
        other.click()
        assert sockets(page) == int(page.locator('#other-moves [aria-pressed="true"]').get_attribute("data-count"))


def tables():
    """Ends, processes, peers and ports against the CSV."""
    by_connection = connections()
    last = [rows[-1] for rows in by_connection.values()]
    with opened() as page:
        for id in ("ends", "processes", "peers", "ports"):
            if page.locator(f"#{id}-more").is_visible():
                page.click(f"#{id}-more")
        shown_ends = {row[0]: number(row[1]) for row in cells(page, "ends")}
        assert shown_ends == {name.replace("_", " "): count for name, count in reasons().items()}, shown_ends
        open_now = collections.Counter(row["process_name"] for row in last if row["state_new"] != "closed")
        processes = {row[0]: (number(row[1]), number(row[2])) for row in cells(page, "processes")}
        names = collections.Counter(row["process_name"] for row in last)
        assert processes["nginx"] == (names["nginx"], open_now["nginx"])
        assert len(processes) == len(names)
        ports = {row[0]: number(row[1]) for row in cells(page, "ports")}
        assert ports == dict(collections.Counter(
            row["local_port"] if row["role"] == "server" else row["peer_port"] for row in last))
        page.click('#ports button[data-value="443"]')
        assert sockets(page) == ports["443"]
        page.click('#ports button[data-value="443"]')
        containers = {row[0]: number(row[1]) for row in cells(page, "workloads")}
        web = sum(row["container_name"] == "web-1" for row in last)
        assert containers == {"web-1": web, "–": len(last) - web}, containers
        reason = page.locator("#ends button", has_text="refused")
        reason.click()
        assert sockets(page) == reasons()["refused"]


def cells(page, id):
    return page.locator(f"#{id} tbody tr").evaluate_all("rows => rows.map((row) => [...row.cells].map((cell) => cell.innerText))")


def choices():
    """The least stay, now or ever, the chosen time, lanes with both ends, TIME-WAIT in the chart."""
    by_connection = connections()
    with opened() as page:
        chip = page.locator('.state-button[data-state="8"]')
        now = sum(rows[-1]["state_new"] == "close_wait" for rows in by_connection.values())
        ever = sum(any("close_wait" in (row["state_old"], row["state_new"]) for row in rows) for rows in by_connection.values())
        assert f"{now} now / {ever}" in chip.inner_text(), chip.inner_text()
        assert f"{now} in it at the end, {ever} ever" in chip.get_attribute("aria-label")
        page.click('.state-button[data-state="8"]')
        page.check("#now")
        assert sockets(page) == now
        page.uncheck("#now")
        page.fill("#least", "5 parsecs")
        assert page.get_attribute("#least", "aria-invalid") == "true" and sockets(page) == ever
        page.fill("#least", "100ms")
        end = max(int(row["timestamp_unix_nano"]) for row in rows())
        long = sum(longest(rows, "close_wait", end) >= 1e8 for rows in by_connection.values())
        assert sockets(page) == long, (sockets(page), long)
        page.click("#clear")
        whole = shown(page)
        page.evaluate("report.show(report.whole.from, report.whole.from + 1e9)")
        page.wait_for_function("() => document.getElementById('shown').textContent.includes('chosen time')")
        assert 0 < shown(page) < whole, "lanes without stays then are gone"
        page.keyboard.press("0")
        page.wait_for_function("() => !document.getElementById('shown').textContent.includes('chosen time')")
        assert shown(page) == whole
        page.select_option("#process", "=worker")
        lanes = page.locator(".lane")
        assert lanes.count() == sockets(page) > 0
        assert "worker/7001 → redis-server/977" in lanes.first.inner_text()
        heights = lanes.first.locator("rect").evaluate_all("all => [...new Set(all.map((bar) => bar.getAttribute('y')))]")
        assert len(heights) == 2, "a strip for each end"
        layers = "[...report.area.layers.keys()].includes(6)"
        page.click("#clear")
        assert not page.evaluate(layers)
        page.check("#time-wait")
        assert page.evaluate(layers)


def longest(rows, state, end):
    """The longest stay of a connection in a state, in nanoseconds; one that goes on lasts until the end."""
    stays = [int(row["state_duration_ns"]) for row in rows if row["state_old"] == state and row["state_duration_ns"]]
    if rows[-1]["state_new"] == state:
        stays.append(end - int(rows[-1]["timestamp_unix_nano"]))
    return max(stays, default=0)


def link():
    """The address has the selection; opened elsewhere, it is the same. What isn't known there is left out."""
    with opened() as page:
        page.fill("#search", "10.0 :80")
        page.select_option("#process", "=nginx")
        page.click('.state-button[data-state="1"]')
        page.fill("#least", "10ms")
        page.select_option("#sort", "length")
        page.evaluate("report.show(report.whole.from, report.whole.from + 4e10)")
        page.wait_for_function("() => location.hash.includes('to=')")
        page.locator(".lane").first.click()
        page.wait_for_function("() => location.hash.includes('open=')")
        fragment = page.evaluate("location.hash")
        text = page.locator("#shown").inner_text()
        detail = page.locator("#detail-title").inner_text()
    with opened(fragment=fragment) as page:
        assert page.locator("#shown").inner_text() == text
        assert page.locator("#detail-title").inner_text() == detail
        assert page.input_value("#least") == "10ms" and page.input_value("#sort") == "length"
        assert page.evaluate("location.hash") == fragment
    with opened(fragment="#process==%3Cb%3Enobody&state=nonsense%20closed&move=x&from=9&to=z&sort=<&open=1&least=-1") as page:
        assert page.locator("b:has-text('nobody')").count() == 0
        assert shown(page) >= 0


def saved():
    """The rows of the lanes as CSV, which the command reads, and pictures that stand alone."""
    binary = os.environ["TCPSTATE_TEST_BINARY"]
    with opened() as page:
        page.select_option("#port", "=443")
        text = save(page, "#save-csv")
        ids = set(page.locator(".lane").evaluate_all("all => all.map((lane) => lane.dataset.id)"))
        pictures = [save(page, "#save-diagram"), save(page, "#save-area")]
    saved_rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert {row["connection_id"] for row in saved_rows} == ids
    wanted = collections.Counter(key(row) for row in rows() if row["connection_id"] in ids)
    assert collections.Counter(map(key, saved_rows)) == wanted
    assert not any(row["process_name"][:1] in "=+-@" for row in saved_rows if row["process_name"])
    path = f"{FOLDER}/saved.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    read = subprocess.run([binary, "summary", "--read", path, "--format", "csv"], capture_output=True, text=True, check=True)
    table = {row["state"]: row for row in csv.DictReader(io.StringIO(read.stdout))}
    stays = sum(row["state_old"] == "established" and row["state_duration_ns"] != "" for row in saved_rows)
    assert int(table["established"]["stays"]) == stays > 0
    for picture in pictures:
        root = xml.etree.ElementTree.fromstring(picture)
        assert root.tag == "{http://www.w3.org/2000/svg}svg" and len(list(root.iter())) > 12
        assert "var(" not in picture and "script" not in picture


def key(row):
    return (row["connection_id"], row["timestamp_unix_nano"], row["state_old"], row["state_new"], row["state_duration_ns"])


def save(page, button):
    with page.expect_download() as download:
        page.click(button)
    with open(download.value.path(), encoding="utf-8", newline="") as file:
        return file.read()


def phone():
    """A narrow screen has addresses, with whole ports, and doesn't scroll sideways."""
    with opened(width=390, height=844) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        label = page.locator(".lane .ends").first
        assert label.is_visible()
        cut = page.locator(".lane").evaluate_all("""lanes => lanes.filter((lane) => [...lane.querySelectorAll(".port")].some(
          (port) => port.scrollWidth > port.clientWidth + 1 || port.getBoundingClientRect().right > innerWidth)).length""")
        assert cut == 0, f"{cut} ports are cut"
        page.locator(".lane").first.click()
        assert page.locator("#detail").is_visible()
        assert page.locator("#detail").evaluate("(box) => box.scrollWidth <= box.clientWidth")


def head():
    """Where the page comes from: as text, whatever it contains."""
    with opened() as page:
        text = page.locator("#origin-note").inner_text()
        assert "rows.csv" in text and "tcpstate-trace report --read" in text and "Linux" not in text.split("tcpstate-trace")[0], text


def axe():
    """axe-core finds nothing, in any look."""
    for look in ({"width": 1280, "height": 800}, {"scheme": "dark"}, {"width": 390, "height": 844}):
        with opened(**look) as page:
            # Few lanes are as good as many, and sooner audited.
            page.select_option("#process", "=nginx")
            audit(page, look)
            page.click("#clear")
            page.select_option("#process", "=redis-server")
            page.click('.state-button[data-state="8"]')
            page.locator(".lane").first.click()
            audit(page, (look, "with a connection open"))
            page.keyboard.press("Escape")
            page.keyboard.press("?")
            audit(page, (look, "with the keys"))
            page.keyboard.press("Escape")
            page.fill("#search", "nothing has this")
            audit(page, (look, "with nothing to show"))


def audit(page, look):
    found = Axe().run(page).response["violations"]
    assert not found, (look, [(each["id"], each["help"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found])


run((diagram, tables, choices, link, saved, phone, head, axe))
