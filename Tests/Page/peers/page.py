# SPDX-License-Identifier: Apache-2.0
"""Drives the report's page in a real Chromium: page.py CHECK FOLDER

FOLDER contains rows.csv and page.html, which the command made from it. Exits with 0 if every
assertion holds.
"""
import math
import re

from browser import FOLDER, STATES, connections, duration, figure, number, opened, rows, run, shown, sockets


def counts():
    """The page's figures match the CSV."""
    recorded = rows()
    by_connection = connections(recorded)
    sequence = [int(row["sequence"]) for row in recorded]
    last = [rows[-1]["state_new"] for rows in by_connection.values()]
    with opened() as page:
        assert figure(page, "rows") == len(recorded)
        assert figure(page, "sockets") == len(by_connection)
        assert figure(page, "lost") == sequence[-1] - len(sequence) > 0
        assert figure(page, "unmatched") == 0
        assert figure(page, "open") == sum(state != "closed" for state in last)
        waiting = sum(state not in ("closed", "established", "time_wait") for state in last)
        assert figure(page, "stuck") == waiting > 0
        assert "3 events were lost, at 1 place" in page.locator("#completeness").inner_text()
        assert shown(page) == len(by_connection) - twins()
        assert sockets(page) == len(by_connection)
        for name, state in STATES.items():
            stays = sorted(int(row["state_duration_ns"]) for row in recorded
                           if row["state_old"] == name and row["state_duration_ns"])
            row = page.locator(f'#stays tr[data-state="{state}"]')
            assert row.count() == (1 if stays else 0), name
            if not stays or name == "time_wait":
                continue
            cells = row.locator("td").all_inner_texts()
            assert number(cells[-1]) == len(stays), (name, cells)
            for share, cell in zip((0.5, 0.9, 0.99), cells[2:5]):
                value = duration(stays[math.ceil(len(stays) * share) - 1])
                assert cell == value, (name, share, cell, value)
            assert cells[5] == duration(stays[-1]), (name, cells)


def twins():
    """How many connections have both ends on this host."""
    ends = {(rows[0]["local_address"], rows[0]["local_port"], rows[0]["peer_address"], rows[0]["peer_port"])
            for rows in connections().values()}
    return sum((peer, peer_port, local, port) in ends for local, port, peer, peer_port in ends) // 2


def filters():
    """Search, process, peer and state, alone and together, against the CSV."""
    by_connection = connections()
    nginx = {id for id, rows in by_connection.items() if rows[-1]["process_name"] == "nginx"}
    peer = next(rows[0]["peer_address"] for rows in by_connection.values())
    at_peer = {id for id, rows in by_connection.items() if rows[0]["peer_address"] == peer}
    waited = {id for id, rows in by_connection.items() if any(row["state_new"] == "close_wait" for row in rows)}
    with opened() as page:
        page.select_option("#process", "=nginx")
        assert shown(page) == len(nginx) > 0
        assert page.locator(".lane").count() == len(nginx)
        page.click('.state-button[data-state="8"]')
        assert shown(page) == len(nginx & waited)
        assert page.get_attribute('.state-button[data-state="8"]', "aria-pressed") == "true"
        ids = {lane.get_attribute("data-id") for lane in page.locator(".lane").all()}
        assert ids == nginx & waited
        page.click("#clear")
        page.select_option("#peer", f"={peer}")
        assert shown(page) == len(at_peer)
        page.click("#clear")
        some = sorted(by_connection)[7]
        page.fill("#search", some.upper())
        assert shown(page) == sockets(page) == 1
        assert page.locator(".lane").get_attribute("data-id") == some
        assert number(page.locator("#stays td[data-count]").first.inner_text()) == 1, "charts follow the filters"
        page.fill("#search", "nothing has this")
        assert "No connections match the filters and the chosen time." in page.locator("#lanes").inner_text()
        page.click("#clear")
        assert sockets(page) == len(by_connection)


def keyboard():
    """Everything works without a pointer."""
    with opened() as page:
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "search"
        page.keyboard.type("nginx")
        less = shown(page)
        assert less < len(connections())
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "lanes"
        page.keyboard.press("ArrowDown")
        chosen = page.locator('.lane[aria-selected="true"]')
        assert chosen.count() == 1
        assert page.get_attribute("#lanes", "aria-activedescendant") == chosen.get_attribute("id") == "lane-1"
        outline = page.evaluate("getComputedStyle(document.getElementById('lanes')).outlineStyle")
        assert outline == "solid", outline
        page.keyboard.press("End")
        assert page.get_attribute("#lanes", "aria-activedescendant") == f"lane-{less - 1}"
        page.keyboard.press("Home")
        chosen = page.locator('.lane[aria-selected="true"]').get_attribute("data-id")
        page.keyboard.press("Enter")
        detail = page.locator("#detail")
        assert detail.is_visible() and f"connection {chosen}" in detail.inner_text()
        assert detail.locator(".ladder tbody tr").count() > 3
        page.keyboard.press("Escape")
        assert not detail.is_visible()
        assert page.evaluate("document.activeElement.id") == "lanes", "focus goes back"
        whole = page.evaluate("report.view.to - report.view.from")
        page.keyboard.press("+")
        assert abs(page.evaluate("report.view.to - report.view.from") / whole - 0.5) < 1e-9
        assert page.locator("#area .window").is_visible()
        before = page.evaluate("report.view.from")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("report.view.from") > before
        page.keyboard.press("0")
        assert page.evaluate("report.view.to - report.view.from") == whole
        page.keyboard.press("z")
        assert page.evaluate("report.view.to - report.view.from") < whole
        page.keyboard.press("0")
        page.keyboard.press("?")
        assert page.locator("#help").is_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        page.keyboard.press("Escape")
        assert sockets(page) == len(connections())
        tabbed(page)


def tabbed(page):
    """Each Tab stop shows that it has the focus, and nothing covers it."""
    page.evaluate("document.activeElement.blur()")
    stops = set()
    for _ in range(120):
        page.keyboard.press("Tab")
        stop = page.evaluate("""(() => {
            const at = document.activeElement, box = at.getBoundingClientRect();
            const under = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height / 2, 12));
            return [at.id || at.getAttribute("class") || "", getComputedStyle(at).outlineStyle, at.matches(':focus-visible'),
              at.contains(under) || under?.contains(at) === true && !document.getElementById("filters").contains(under),
              box.top >= 0 && box.top < innerHeight];
        })()""")
        if stop[0] == "":
            continue  # past the last stop: the browser's own controls
        assert stop[1] == "solid" and all(stop[2:]), stop
        stops.add(stop[0].split()[0])
    assert {"zone", "theme", "search", "process", "peer", "port", "reason", "least", "state-button", "now", "link", "lanes",
            "save-diagram", "save-area", "save-csv", "time-wait", "sort"} <= stops, stops
    assert {"arrow", "state"} & stops, stops


def pointer():
    """Clicks, drags and the wheel work; the ladder's numbers match the CSV."""
    by_connection = connections()
    whole_lives = [id for id, rows in by_connection.items()
                   if rows[0]["role"] == "client" and [row["state_new"] for row in rows][:4] == [
                       "syn_sent", "established", "fin_wait_1", "fin_wait_2"] and len(rows) > 4]
    id = whole_lives[0]
    with opened() as page:
        page.locator(f'.lane[data-id="{id}"]').click()
        detail = page.locator("#detail").inner_text()
        row = by_connection[id][1]
        initial = int(row["initial_send_sequence"])
        assert f"seq {initial}" in detail and f"seq {row['initial_receive_sequence']} ack {(initial + 1) % 2**32}" in detail
        steps = page.locator("#detail .ladder tbody td.number").all_inner_texts()
        assert [step for step in steps if step][:3] == ["1", "2", "3"], steps
        page.click("#relative")
        assert "seq 0" in page.locator("#detail").inner_text()
        page.click('#detail button[aria-label="Close"]')
        page.locator("#stuck tbody tr").first.click()
        assert page.locator("#detail").is_visible()
        page.keyboard.press("Escape")
        area = page.locator("#area svg")
        area.scroll_into_view_if_needed()
        box = area.bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 60)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60, steps=4)
        page.mouse.up()
        span = page.evaluate("(report.view.to - report.view.from) / (report.whole.to - report.whole.from)")
        assert 0.15 < span < 0.25, span
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60)
        assert page.locator("#tip").is_visible()
        lanes = page.locator("#lanes")
        lanes.scroll_into_view_if_needed()
        box = lanes.bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 40)
        page.keyboard.down("Control")
        page.mouse.wheel(0, -200)
        page.keyboard.up("Control")
        page.wait_for_function(f"(report.view.to - report.view.from) / (report.whole.to - report.whole.from) < {span} - 0.01")
        before = page.evaluate("report.view.from")
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40, steps=4)
        page.mouse.up()
        assert page.evaluate("report.view.from") > before
        assert not page.locator("#detail").is_visible(), "a drag is no click"
        page.click("#zoom-fit")
        assert not page.evaluate("report.isZoomed")
        assert page.evaluate("getSelection().toString()") == "", "dragging selects no text"


def hostile():
    """Process names are text, whatever they contain."""
    names = {rows[-1]["process_name"] for rows in connections().values()}
    assert {"</script><b>", "<!--<script>", "\u202egpj.exe", "\x1b[2Jx\n"} <= names
    with opened() as page:
        text = page.locator("#lanes").inner_text()
        for name in ("</script><b>", "<!--<script>", "a,b\"c'", "\\u202egpj.exe", "\\x1b[2Jx\\x0a", "&lt;img&gt;"):
            assert f"{name}/" in text, name
        assert "\u202e" not in text and "\x1b" not in text
        assert page.locator("#lanes b, #lanes img, main script").count() == 0
        page.fill("#search", "</script>")
        page.locator(".lane").first.click()
        assert "</script><b>/" in page.locator("#detail").inner_text()
        page.keyboard.press("Escape")
        page.click("#clear")
        page.select_option("#process", "=</script><b>")
        assert shown(page) == sum(rows[-1]["process_name"] == "</script><b>" for rows in connections().values())


def luminance(color):
    channels = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear))


def looks():
    """Light and dark, by the system's setting and by the button; text is readable in both (WCAG AA)."""
    with opened(scheme="dark") as page:
        assert page.get_attribute("html", "data-theme") == "dark"
        contrast(page)
        page.click("#theme")
        assert page.get_attribute("html", "data-theme") == "light"
        contrast(page)
        assert "(UTC)" in page.locator("#span").inner_text()
    with opened(width=400) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 400, "no sideways scrolling"


def contrast(page):
    pairs = page.evaluate("""[...document.querySelectorAll('h1, h2, p, th, td, dt, dd, button, select, label, .swatch, bdi')]
      .filter((node) => node.offsetParent && node.innerText?.trim()).map((node) => {
        let back = node;
        while (back && /, 0\\)$|transparent/.test(getComputedStyle(back).backgroundColor)) back = back.parentElement;
        return [node.innerText.slice(0, 30), getComputedStyle(node).color, getComputedStyle(back ?? document.body).backgroundColor];
      })""")
    assert len(pairs) > 50
    for text, front, back in pairs:
        light, dark = sorted((luminance(front), luminance(back)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, front, back)


def printed():
    """Paper has every lane and no controls."""
    with opened(name="page.html") as page:
        page.emulate_media(media="print")
        assert not page.locator("#filters").is_visible()
        assert page.locator("#legend").is_visible()
        assert page.locator("#lanes").evaluate("(box) => box.scrollHeight - box.clientHeight") == 0
        assert page.locator(".lane svg").count() == len(connections()) - twins()
        assert page.locator("#diagram").evaluate("(box) => box.scrollWidth <= box.clientWidth"), "the figure fits the paper"
        page.pdf(path=f"{FOLDER}/page.pdf", prefer_css_page_size=True)
        with open(f"{FOLDER}/page.pdf", "rb") as file:
            assert len(re.findall(rb"/Type\s*/Page\b", file.read())) in range(4, 20)


def crowd():
    """Tens of thousands of lanes are soon drawn, on a canvas; the keys work there too."""
    with opened(wait=60_000) as page:
        assert sockets(page) == len(connections()) > 20_000
        count = shown(page)
        assert page.locator("#lanes canvas").count() == 1 and page.locator(".lane").count() == 0
        ready = page.evaluate("performance.now()")
        print(f"ready before {ready:.0f} ms")
        page.locator("#lanes").focus()
        page.keyboard.press("End")
        spoken = page.locator("#lane-chosen")
        assert page.evaluate("report.lanes.chosen") == count - 1
        id = spoken.get_attribute("data-id")
        assert id in connections()
        page.keyboard.press("Enter")
        assert f"connection {id}" in page.locator("#detail").inner_text()
        page.keyboard.press("Escape")
        drawn = """(() => {
            const canvas = document.querySelector('#lanes canvas');
            const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            let painted = 0;
            for (let index = 3; index < data.length; index += 4) painted += data[index] > 0;
            return painted;
        })()"""
        assert page.evaluate(drawn) > 1000
        page.fill("#search", "nginx")
        assert 0 < shown(page) < count


def cut():
    """A page that was cut short shows what is there, and says so."""
    with opened(name="cut.html") as page:
        assert "cut short" in page.locator("#notice").inner_text()
        assert 0 < shown(page) < len(connections())


def empty():
    """A page without connections is no error."""
    with opened() as page:
        assert figure(page, "rows") == 0
        assert "No connections." in page.locator("#lanes").inner_text()
        assert "No connection has ended." in page.locator("#ends").inner_text()


run((counts, filters, keyboard, pointer, hostile, looks, printed, crowd, cut, empty))
