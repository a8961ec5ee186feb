#!/usr/bin/env python3
import argparse, asyncio, os, sys, tempfile, time
import drive
from world import World
def main():
    p = argparse.ArgumentParser(); p.add_argument('binary'); p.add_argument('--connections', type=int, default=300); p.add_argument('--seed', type=int, default=1)
    p.add_argument('--rate', type=float, default=30); p.add_argument('--only', default=''); p.add_argument('--keep')
    a = p.parse_args()
    folder = a.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True); os.chmod(folder, 0o777)
    begun = time.time()
    with World(os.path.abspath(a.binary), folder, a.seed) as w:
        tracer = w.start_tracer(); meta=dict(begun=time.time_ns(), netns=w.netns, control=w.control, cgroups=w.cgroup_ids())
        fails = asyncio.run(drive.perform(w, a.connections, a.seed, a.rate, a.only.split(',') if a.only else ()))
        print('scenes', time.time() - begun)
        meta['finish']=time.time_ns(); w.end(tracer); import json; json.dump(meta, open(folder+'/run.json','w'))
        w.stop_captures(); w.stop_agents()
        tracer.messages.seek(0); print(tracer.messages.read().decode()[-300:])
        print('dropped', w.dropped)
    print('\n'.join(fails))
main()
