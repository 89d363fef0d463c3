#!/bin/bash
# slurm_ns.sh DIR COMMAND...: runs the command where DIR/etc/slurm is this machine's, in namespaces that end with it: a host
# `head` at 10.0.0.10 and fd00:1::10 with munged, and what slurmctld is to start. SLURM_TREE, if set, is the root directory of another Debian,
# whose Slurm it then is; nothing is written there. Needs root.
if [ "${1:-}" != --inside ]; then
	exec unshare --mount --net --uts --ipc --pid --fork --kill-child --mount-proc "$0" --inside "$@"
fi
set -euo pipefail
shift
dir=$1
shift
if [ -n "${SLURM_TREE:-}" ]; then
	mount -t tmpfs tmpfs /run
	mkdir /run/up /run/work /run/root
	mount -t overlay overlay -o "lowerdir=$SLURM_TREE,upperdir=/run/up,workdir=/run/work" /run/root
	for d in proc sys dev; do mount --rbind /$d /run/root/$d; done
	mkdir /run/root/case
	cp -r "$dir/." /run/root/case/
	cp "$0" /run/root/slurm_ns.sh
	exec env --unset=SLURM_TREE chroot /run/root /slurm_ns.sh --inside /case "$@"
fi
hostname head
mount -t tmpfs tmpfs /run
for d in /var/lib/slurm /var/log/slurm /etc/slurm; do mount -t tmpfs tmpfs "$d"; done
install -d -o slurm -g slurm /var/lib/slurm/slurmctld
chown slurm /var/log/slurm
cp -r "$dir"/etc/slurm/. /etc/slurm/
mkdir -p /run/over/up/hpc-node /run/over/work
for program in resume suspend resume-fail prolog-wait; do
	install -m 755 /bin/true /run/over/up/hpc-node/slurm-$program
done
mount -t overlay overlay -o lowerdir=/usr/lib,upperdir=/run/over/up,workdir=/run/over/work /usr/lib
# getaddrinfo wants an address besides loopback's before it takes one.
ip link set lo up
ip link add v0 type veth peer name v1
ip addr add 10.0.0.10/24 dev v0
ip addr add fd00:1::10/64 dev v0 nodad
ip link set v0 up
ip link set v1 up
printf '127.0.0.1 localhost\n10.0.0.10 head\n' >/run/hosts
mount --bind /run/hosts /etc/hosts
install -d -o munge -m 755 /run/munge
install -o munge -m 400 <(head -c 1024 /dev/urandom) /run/munge/key
setpriv --reuid=munge --regid=munge --clear-groups munged --force --key-file=/run/munge/key \
	--socket=/run/munge/munge.socket.2 --pid-file=/run/munge/pid --log-file=/run/munge/log --seed-file=/run/munge/seed
exec "$@"
