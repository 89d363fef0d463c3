"""Fifty nodes at once: booted containers whose agents all start within seconds of each other."""
from bed import agent
from bed.cluster import node_document
from bed.proc import wait_until

from test_container import HOME_BOUND

COUNT = 50


def test_fifty_nodes_join_at_once(bed, controller, layer):
    names = [f"queue1-st-t3micro-{number}" for number in range(1, COUNT + 1)]
    bed.put("cluster-config.yaml", HOME_BOUND)
    for name in names:
        box = bed.container(name, [layer], [f"{controller.export}:/srv/nfs"], user_data=node_document(name, deadline="150s"))
        box.run_inside_tree("systemctl", "enable", agent.UNIT)
        box.boot(wait=False)
    idle = lambda: controller.run("sinfo -h -N -t idle -o %N | wc -l")[1].strip() == str(COUNT)
    wait_until(idle, 150, f"{COUNT} nodes idle", 0.5)
    output = controller.alice(f"srun -N {COUNT} -w queue1-st-t3micro-[1-{COUNT}] hostname", 60)
    assert sorted(output.split()) == sorted(names)
    for name in names:
        box = bed.running[name]
        box.attach()
        assert agent.wait_ended(box, 30).phase == "ready"
