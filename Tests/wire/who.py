# SPDX-License-Identifier: Apache-2.0
"""Which process has a socket, and which one acts: from the log of calls and descriptors."""
from cells import JITTER, Judge as Cells
from steps import MS

OWNER_GRACE = 1000 * MS  # an owner who has neither read nor closed is known after a look at the descriptors


class Judge(Cells):
    """Adds owner, actor, user and cgroup."""

    def near(self, end, moment):
        """Processes in a call on this socket at that moment: they may hold its lock."""
        if not end.socket:
            return set()
        found = set()
        for call in end.socket.calls:
            if call["t0"] - JITTER <= moment <= call["t1"] + JITTER:
                found.add(call["pid"])
        return found

    def of_actor_pid(self, value, row, step, end):
        if step.silent:
            return self.one_of(value, [""])
        wanted = {pid if pid is not None else "" for pid in step.by}
        if None in step.by:
            # Who is in a call on the socket holds its lock, and does the network's work on the way out.
            wanted |= self.near(end, row.t)
        if step.cause == "killed":
            wanted.add(row["actor_pid"] if row["actor_name"] == "ss" else "")
        if value == "" and "" not in wanted:
            return "wrong", sorted(map(str, wanted))
        return self.one_of(value, wanted)

    def of_actor_name(self, value, row, step, end):
        if row["actor_pid"] == "":
            return self.one_of(value, [""])
        pid = int(row["actor_pid"])
        known = "ss" if step.cause == "killed" else "tcpstate-trace"[:15]
        return self.one_of(value, [self.calls.names.get(pid, known)[:15]])

    def owners(self, end, row, step):
        """Pids that are right as the owner, and whether a listener's is only inherited."""
        socket = end.socket
        opener = end.listener.holders(row.t, MS) if end.listener else set()
        if socket is None:
            return opener, opener
        moment = row.t
        holders = socket.holders(moment, JITTER)
        if step.cause == "a look":
            # Its time is that of the state's beginning; the look came up to two seconds later.
            holders = holders | socket.holders(moment + OWNER_GRACE, OWNER_GRACE)
        if not holders and socket.last_close and moment > socket.last_close["t0"]:
            holders = {socket.last_close["pid"]}
        accepted = [c for c in socket.calls if c["op"] == "accept"]
        if end.role == "server" and (not accepted or moment < accepted[0]["t1"]):
            return holders | opener, opener
        return holders, opener

    def of_process_pid(self, value, row, step, end):
        holders, opener = self.owners(end, row, step)
        if value == "":
            return "unknown", sorted(holders)
        if int(value) in holders:
            return "right", ""
        if row.get("owner_kind") == "inherited" and int(value) in opener:
            # It says itself that nobody has been seen yet.
            return "unknown", sorted(holders)
        if end.socket and int(value) in end.socket.formerly(row.t, OWNER_GRACE):
            return "unknown", f"{sorted(holders)}, who has it since less than a second"
        return "wrong", sorted(holders)

    def of_owner_kind(self, value, row, step, end):
        if row["process_pid"] == "":
            return self.one_of(value, [""])
        holders, opener = self.owners(end, row, step)
        if value == "inherited":
            good = end.role == "server" and int(row["process_pid"]) in opener
        else:
            # Who called listen() or connect() may have passed the descriptor on and closed its own: see of_process_pid.
            formerly = end.socket.formerly(row.t, OWNER_GRACE) if end.socket else ()
            good = value in ("holder", "reader", "opener") and int(row["process_pid"]) in {*holders, *formerly}
        return "right" if good else "wrong", "holder, reader, opener, or inherited from the listener"

    def of_process_name(self, value, row, step, end):
        if row["process_pid"] == "":
            return self.one_of(value, [""])
        return self.one_of(value, [self.calls.names.get(int(row["process_pid"]), "tcpstate-trace")[:15]])

    def of_user_id(self, value, row, step, end):
        socket = end.socket
        if end.role != "server":
            return self.one_of(value, [socket.uid])
        opener = {end.listener.uid} if end.listener else set()
        if not socket:
            return self.one_of(value, opener)
        call = end.origin
        # A child has its listener's user until accept() gives it a file.
        wanted = {socket.uid} if row.t > call["t1"] else {socket.uid} | opener
        return self.one_of(value, wanted)

    def of_cgroup_id(self, value, row, step, end):
        socket = end.socket if end.role != "server" else end.listener
        maker = next((c["pid"] for c in socket.calls if c["op"] in ("socket", "accept")), None) if socket else None
        wanted = self.cgroups.get(maker)
        if wanted is None:
            return "unknown", "no cgroup v2"
        return self.one_of(value, [wanted])
