"""Disks that are attached to a guest: formatted where they are blank, mounted as they are, never made over data.

QEMU's NVMe has serials as EC2's has; the model of the instance store is laid over the kernel's word for one of them.
"""
from bed import agent

NAME = "server-1"
EBS, OTHER, STORE = "vol0123456789abcdef0", "vol0aaaaaaaaaaaaaaaa", "AWS0123456789ABCDEF0"
MIB = 64

SPEC = """
volumes:
- {path: /data, disk: vol-0123456789abcdef0, directories: [home]}
- {path: /other, disk: vol-0aaaaaaaaaaaaaaaa, optional: true}
- {path: /scratch, disk: instance-store, mode: 1777}
mounts:
- {path: /srv/home, type: bind, source: /data/home}
"""

FIND = """
disk() { for d in /sys/class/block/nvme*n1; do [ "$(cut -d' ' -f1 $d/device/serial)" = $1 ] && basename $d; done; }
"""
PREPARE = FIND + f"""
until [ "$(disk {EBS})" ] && [ "$(disk {OTHER})" ] && [ "$(disk {STORE})" ]; do sleep 0.05; done
printf 'Amazon EC2 NVMe Instance Storage' >/run/model
mount --bind /run/model /sys/class/block/$(disk {STORE})/device/model
echo data | dd of=/dev/$(disk {OTHER}) bs=1 seek=5000 conv=notrunc status=none
cat >/root/spec.yaml <<'END'
{SPEC}END
"""


def bootstrap(guest):
    return agent.bootstrap(guest, "-c", "file:/root/spec.yaml", "--deadline=60s", timeout=90)


def digest(guest):
    return guest.run(FIND + f"sha256sum </dev/$(disk {OTHER})")[1]


def test_disks_of_a_machine(session_bed, payload):
    guest = session_bed.guest(NAME, payload, user_data="")
    guest.plug_nic()
    for serial in (EBS, OTHER, STORE):
        guest.plug_disk(serial, MIB)
    guest.run(PREPARE, 60)
    before = digest(guest)
    code, printed = bootstrap(guest)
    assert code == 8, printed                   # the one with data on it was optional
    status = agent.status(guest)
    assert status.failures() == {"volumes:/other": "disk-not-blank"}, status
    assert status.of("mounts") == {"changed"}, status
    assert digest(guest) == before
    mounts = guest.read("/proc/mounts")
    assert " /data ext4 rw,noatime" in mounts and " /scratch ext4 rw,noatime" in mounts and "/other" not in mounts
    assert " /srv/home ext4 " in mounts
    assert guest.run("stat -c %a /scratch /data /data/home")[1] == "1777\n755\n755\n"
    # Holds, and changes nothing; the directory has become its user's.
    guest.run("chown 1000 /srv/home && echo kept >/srv/home/file")
    code, printed = bootstrap(guest)
    assert code == 8 and agent.status(guest).of("mounts") == {"ok"}, printed
    # What is there is mounted as it is, at the next boot, too; and a volume that has grown is used wholly.
    guest.run(FIND + f"umount /srv/home /data; e2fsck -fp /dev/$(disk {EBS}); resize2fs /dev/$(disk {EBS}) {MIB // 2}M", 60)
    code, printed = bootstrap(guest)
    assert code == 8, printed
    assert guest.read("/srv/home/file") == "kept\n"
    assert guest.run("stat -c %u /srv/home")[1] == "1000\n"
    assert int(guest.run("df --output=size -m /data | tail -1")[1]) > MIB // 2
    session_bed.terminate(NAME)
