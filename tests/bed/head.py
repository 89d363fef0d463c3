"""The head node: slurmctld and munged in a container, ganesha serving its /home, and what starts nodes on demand."""
import os
from pathlib import Path

from . import net, suites
from .nspawn import Container
from .proc import Expired, Service, run, wait_until

NAME, ADDRESS, MAC = "head", "10.77.0.10", "52:54:00:77:00:0a"
POWER_PORT = 8081

SLURM_CONF = """
ClusterName=test-cluster
SlurmctldHost={name}({address})
SlurmUser=slurm
AuthType=auth/munge
StateSaveLocation=/var/spool/slurmctld
SlurmdSpoolDir=/var/spool/slurmd
SlurmctldLogFile=/var/log/slurm/slurmctld.log
SlurmdLogFile=/var/log/slurm/slurmd.log
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
ProctrackType={proctrack}
TaskPlugin={task}
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,bf_interval=1,sched_min_interval=100000
SlurmctldParameters=enable_configless,cloud_reg_addrs,idle_on_node_suspend,power_save_interval=1,power_save_min_interval=0
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
MaxNodeCount=200
TreeWidth=65533
ResumeProgram=/usr/local/sbin/resume
SuspendProgram=/usr/local/sbin/suspend
PrologSlurmctld=/usr/local/sbin/wait-for-power-up
ResumeTimeout=120
SuspendTimeout=5
SuspendTime=600
ResumeRate=0
SlurmctldDebug=verbose
NodeName=DEFAULT CPUs=1 RealMemory=100
NodeName=queue1-st-t3micro-[1-60] NodeAddr=10.77.0.[21-80] State=UNKNOWN
NodeName=queue1-st-big-1 NodeAddr=10.77.0.131 RealMemory=900000 State=UNKNOWN
NodeName=queue1-dy-t3micro-[1-10] State=CLOUD
PartitionName=queue1 Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""

# slurmctld starts a batch job on a node it resumed only at its next 30 s pass, unless a prolog ends after the power-up.
WAIT_FOR_POWER_UP = """#!/bin/bash
for ((i = 0; i < 1200; i++)); do
	case $(sinfo -h -N -n "$SLURM_JOB_NODELIST" -o %T | sort -u) in
	*'#'* | *'~'* | *'%'* | *'*'* | *power*) sleep 0.1 ;;
	*) exit 0 ;;
	esac
done
exit 1
"""
POWER = """#!/bin/bash
for node in $(scontrol show hostnames "$1"); do
	curl -sf -m 5 -X POST "http://{router}:{port}/{action}/$node" || exit 1
done
"""
GANESHA = """
NFS_CORE_PARAM {{ Protocols = 4; Enable_NLM = false; Enable_RQUOTA = false; NFS_Port = 2049; Bind_addr = {address};
	mount_path_pseudo = true; }}
NFSv4 {{ Graceless = true; Lease_Lifetime = 10; Minor_Versions = 0, 1, 2; Only_Numeric_Owners = true;
	RecoveryBackend = fs; RecoveryRoot = {state}; }}
EXPORT_DEFAULTS {{ Access_Type = RW; Squash = No_Root_Squash; SecType = sys; Transports = TCP; Protocols = 4; }}
EXPORT {{ Export_Id = 1; Path = {export}/home; Pseudo = /home; FSAL {{ Name = VFS; }} }}
LOG {{ Default_Log_Level = EVENT; }}
"""


class Head:
    """`munge_key` is bytes; `cgroup` says whether jobs are tracked with cgroups (guests can, containers cannot)."""

    def __init__(self, directory, munge_key, cgroup=False, suite=None):
        self.home = Path(directory)
        self.export = self.home / "export"
        (self.export / "home/alice").mkdir(parents=True)
        os.chown(self.export / "home/alice", 1000, 1000)
        self.box = Container(NAME, ADDRESS, MAC, self.home / "box", binds=[f"{self.export}/home:/home"],
                             suite=suite)
        self._configure(munge_key, cgroup)
        self.box.boot()
        self.nfs = self._serve_nfs()
        self.start_slurmctld()

    def start_slurmctld(self):
        """Starts it, with its munged, and waits until it answers."""
        self.box.run("systemctl start munge slurmctld", 20)
        try:
            wait_until(lambda: " UP" in self.box.run("scontrol ping", check=False)[1], 15, "slurmctld answers", 0.1)
        except Expired as why:
            raise Expired(f"{why}\n{self.logs()}") from None

    def _configure(self, munge_key, cgroup):
        put = self.box.put
        put("/etc/hostname", NAME + "\n")
        put("/etc/hosts", f"127.0.0.1 localhost\n{ADDRESS} {NAME}\n")
        put("/etc/munge/munge.key", munge_key, 0o400, "munge:munge")
        put("/etc/slurm/cgroup.conf", suites.CGROUP_CONF if cgroup else self.box.suite.cgroup_conf)
        put("/etc/slurm/slurm.conf", SLURM_CONF.format(
            name=NAME, address=ADDRESS,
            proctrack="proctrack/cgroup" if cgroup else "proctrack/linuxproc",
            task="task/affinity,task/cgroup" if cgroup else "task/none"))
        put("/usr/local/sbin/wait-for-power-up", WAIT_FOR_POWER_UP, 0o755)
        for action in ("resume", "suspend"):
            put(f"/usr/local/sbin/{action}", POWER.format(router=net.ROUTER, port=POWER_PORT, action=action), 0o755)
        run("chroot", self.box.root, "install", "-d", "-o", "slurm", "/var/spool/slurmctld", "/var/log/slurm")

    def _serve_nfs(self):
        """On this machine but at the head's address, where a head node's own server would be."""
        state = self.home / "nfs"
        state.mkdir()
        (self.home / "ganesha.conf").write_text(GANESHA.format(address=ADDRESS, state=state, export=self.export))
        service = Service("ganesha", ["ganesha.nfsd", "-F", "-f", self.home / "ganesha.conf", "-p", self.home / "ganesha.pid",
                                      "-L", self.home / "ganesha-own.log"], self.home / "ganesha.log", self.box.netns)
        run(*self.box.netns.prefix(), "bash", "-c",
            f"for ((i = 0; i < 300; i++)); do (exec 3<>/dev/tcp/{ADDRESS}/2049) 2>/dev/null && exit; sleep 0.05; done; exit 1")
        return service

    def run(self, shell, timeout=30, check=True):
        return self.box.run(shell, timeout, check)

    def alice(self, command, timeout=30, check=True):
        """Runs a command as the user alice, in her shared home."""
        quoted = command.replace("'", "'\\''")
        return self.box.run(f"cd /home/alice && runuser -u alice -- bash -c '{quoted}'", timeout, check)[1]

    def state(self, node):
        """What the controller says of a node: 'idle', 'down*', 'idle~' ...; '' if it knows no such node."""
        return self.box.run(f"sinfo -h -N -n {node} -o %t", check=False)[1].strip()

    def wait_idle(self, node, deadline):
        wait_until(lambda: self.state(node) == "idle", deadline, f"{node} idle", 0.1)

    def logs(self):
        return self.box.run("grep -vE 'is_node_resp|backfill' /var/log/slurm/slurmctld.log | tail -n 30", check=False)[1]

    def close(self):
        self.nfs.stop(1)
        self.box.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
