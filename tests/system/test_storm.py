"""Fifty nodes at once: booted containers whose agents all start within seconds of each other."""
import time

from bed import agent, head
from bed.cluster import node_document
from bed.proc import wait_until

from test_container import HOME_BOUND
from test_head import ADDRESS, HEAD, home, ready, spec  # noqa: F401

COUNT = 50
NAMES = [f"queue1-st-t3micro-{number}" for number in range(1, COUNT + 1)]
GUARD = 150                     # seconds: a hang guard


def storm(bed, layer, address, export, sinfo):
    """Boots all of them; returns the seconds until all are idle, as `sinfo` says."""
    begun = time.monotonic()
    for name in NAMES:
        box = bed.container(name, [layer], [f"{export}:/srv/nfs/home"],
                            user_data=node_document(name, head=address, deadline=f"{GUARD}s"))
        box.run_inside_tree("systemctl", "enable", agent.UNIT)
        box.boot(wait=False)
    wait_until(lambda: sinfo("sinfo -h -N -t idle -o %N | wc -l")[1].strip() == str(COUNT), GUARD, f"{COUNT} nodes idle", 0.5)
    return time.monotonic() - begun


def all_are_ready(bed):
    for name in NAMES:
        bed.running[name].attach()
        assert agent.wait_ended(bed.running[name], 30).phase == "ready"


def job(alice):
    return sorted(alice(f"srun -N {COUNT} -w queue1-st-t3micro-[1-{COUNT}] hostname").split()) == sorted(NAMES)


def test_fifty_nodes_join_at_once(bed, controller, layer):
    bed.put("cluster-config.yaml", HOME_BOUND)
    took = storm(bed, layer, head.ADDRESS, f"{controller.export}/home", controller.run)
    print(f"{COUNT} nodes idle, with a head made by hand: {took:.1f} s")
    assert job(lambda command: controller.alice(command, 60))
    all_are_ready(bed)


def test_fifty_nodes_join_a_head_of_ours_at_once(bed, layer, home):                                        # noqa: F811
    bed.put("cluster-config.yaml", spec())
    box = bed.container(HEAD, [layer], [f"{home}:/home"], user_data=node_document(HEAD, role="head", head=None))
    for action in ("resume", "suspend"):
        box.put(f"/usr/local/sbin/{action}", "#!/bin/sh\n", 0o755)
    ready(box.boot())
    took = storm(bed, layer, ADDRESS, home, box.run)
    print(f"{COUNT} nodes idle, with a head of ours: {took:.1f} s")
    assert job(lambda command: box.run(f"cd /home/alice && runuser -u alice -- {command}", 60)[1])
    all_are_ready(bed)
