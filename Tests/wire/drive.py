"""Plays scenes, some at a time and at a limited rate, and looks at what is open in between."""
import asyncio
import json
import random
import time

import scenes
import scenes_close
import scenes_open
import scenes_owner

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


async def play(stage, number, name, seed, room, failures):
    async with room:
        scene = scenes.Scene(stage, number, random.Random(f"{seed} {number}"), name)
        begun = time.time_ns()
        try:
            await asyncio.wait_for(scenes.REGISTRY[name][0](scene), 90)
        except (LookupError, asyncio.TimeoutError, KeyError) as error:
            failures.append(f"{name} {number}: {type(error).__name__} {error}")
        stage.write(op="scene", number=number, name=name, family=scene.family, t0=begun, t1=time.time_ns())


async def perform(world, count, seed, rate, only=(), looks=None):
    """Play `count` scenes; `looks(stage)` runs at the same time. Returns what went wrong with the scenes themselves."""
    loop = asyncio.get_running_loop()
    for remote in world.remotes.values():
        remote.attach(loop)
    failures = []
    with open(f"{world.folder}/scenes.jsonl", "w") as log:
        stage = Stage(world, log)
        await stage.open()
        room = asyncio.Semaphore(AT_ONCE + count // 50)
        tasks = []
        watching = asyncio.create_task(looks(stage)) if looks else None
        begun = time.monotonic()
        for number, name in enumerate(plan(count, seed, only)):
            tasks.append(asyncio.create_task(play(stage, number, name, seed, room, failures)))
            await asyncio.sleep(max(0, begun + number / rate - time.monotonic()))
        await asyncio.gather(*tasks)
        await asyncio.sleep(0.5)
        stage.done = True
        if watching:
            await watching
    for remote in world.remotes.values():
        loop.remove_reader(remote.control)
    return failures


__all__ = ["perform", "MODULES"]
