# SPDX-License-Identifier: Apache-2.0
"""Plays scenes, some at a time and at a limited rate, and looks at what is open in between."""
import asyncio
import json
import random
import time

from playing import scenes
from playing import scenes_close
from playing import scenes_open
from playing import scenes_owner

AT_ONCE = 60
MODULES = scenes_close, scenes_open, scenes_owner


class Stage(scenes.Stage):
    """The stage, with what only the controller can do."""

    def __init__(self, world, log):
        super().__init__(world)
        self.log = log

    async def destroy(self, scene, handle):
        """Kill the client's socket with SOCK_DESTROY."""
        local = await scene.c.do(["port", handle])
        before = time.time_ns()
        process = await asyncio.create_subprocess_exec(
            "ip", "netns", "exec", self.world.names["A"], "ss", "-K", "-t", "sport", "=", f":{local}",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
        await process.wait()
        self.write(op="kill", h=handle, t0=before, t1=time.time_ns(), pid=process.pid, n=0, name="ss")

    async def sysctl(self, side, path, value):
        process = await asyncio.create_subprocess_exec("ip", "netns", "exec", self.world.names[side], "sh", "-c",
                                                       f"echo {value} > {path}")
        await process.wait()

    def write(self, **record):
        self.log.write(json.dumps(record) + "\n")


def plan(count, seed, only):
    """The names of the scenes in order: each once, then by weight; slow ones come early, so that they end in time."""
    chooser = random.Random(seed)
    names = [name for name in scenes.REGISTRY if not only or name in only]
    weights = [scenes.REGISTRY[name][1] * (0.15 if scenes.REGISTRY[name][2] else 1) for name in names]
    chosen = names + chooser.choices(names, weights, k=max(0, count - len(names)))
    chooser.shuffle(chosen)
    return sorted(chosen, key=lambda name: not scenes.REGISTRY[name][2]) if count < 1000 else chosen


async def play(stage, number, name, seed, failures):
    scene = scenes.Scene(stage, number, random.Random(f"{seed} {number}"), name)
    begun = time.time_ns()
    function = scenes.OLDER.get(name) or scenes.REGISTRY[name][0]
    try:
        await asyncio.wait_for(function(scene), 90)
    except (LookupError, asyncio.TimeoutError, KeyError) as error:
        failures.append(f"{name} {number}: {type(error).__name__} {error}")
    stage.write(op="scene", number=number, name=name, family=scene.family, t0=begun, t1=time.time_ns())


async def in_turn(stage, names, seed, rate, failures):
    """The scenes one after the other at this rate, so many at once at most."""
    room = asyncio.Semaphore(AT_ONCE + len(names) // 50)
    begun = time.monotonic()

    async def within(number, name):
        async with room:
            await play(stage, number, name, seed, failures)

    tasks = []
    for number, name in enumerate(names):
        tasks.append(asyncio.create_task(within(number, name)))
        await asyncio.sleep(max(0, begun + number / rate - time.monotonic()))
    await asyncio.gather(*tasks)


async def overflow(stage, number, seed, failures):
    """At last: no room for another TIME-WAIT in the clients' namespace."""
    limit = "/proc/sys/net/ipv4/tcp_max_tw_buckets"
    before = time.time_ns()
    await stage.sysctl("A", limit, 0)
    await asyncio.gather(*(play(stage, number + more, ("client_closes_first", "half_close")[more % 2], seed, failures)
                           for more in range(8)))
    await asyncio.sleep(3)  # for the tracer to look
    stage.write(op="overflow", side="A", t0=before, t1=time.time_ns())


async def perform(world, count, seed, rate, only, start_tracer, looks):
    """Play `count` scenes; `looks(stage)` runs at the same time. Returns what went wrong with the scenes themselves."""
    loop = asyncio.get_running_loop()
    for remote in world.remotes.values():
        remote.attach(loop)
    failures = []
    with open(f"{world.folder}/scenes.jsonl", "w") as log:
        stage = Stage(world, log)
        names = [name for name in scenes.OLDER if not only or name in only] * 3
        older = [asyncio.create_task(play(stage, 10**6 + at, name, seed, failures)) for at, name in enumerate(names)]
        while stage.older + sum(task.done() for task in older) < len(older):
            await asyncio.sleep(0.02)
        await loop.run_in_executor(None, start_tracer)
        stage.tracing.set()
        await stage.open()
        watching = asyncio.create_task(looks(stage))
        await in_turn(stage, plan(count, seed, only), seed, rate, failures)
        await asyncio.gather(*older)
        await asyncio.sleep(0.5)
        if not only:
            await overflow(stage, 2 * 10**6, seed, failures)
        stage.done = True
        await watching
    for remote in world.remotes.values():
        loop.remove_reader(remote.control)
    return failures
