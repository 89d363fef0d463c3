"""The system test bed: a small cluster of real services, guests and containers on one machine.

Everything here runs inside the namespaces that `enter` makes, so that the kernel itself removes every process, mount,
bridge and tap when the run ends, however it ends.

To look around in one:  cd tests && python3 -m bed.enter python3 -i -c 'from bed.cluster import Bed; bed = Bed()'
"""
