#!/usr/bin/env python3
"""Makes instance-types.tsv from answers of EC2's DescribeInstanceTypes.

    lib/model/instance-types.py FILE... >lib/model/instance-types.tsv

FILE holds the answer as `aws ec2 describe-instance-types --output json` prints it, or a map of types to their
descriptions, as the package moto ships one; either may be packed by gzip. Of several files the last one that
describes a type wins. Only facts that this project uses are taken, one line a type.
"""
import gzip
import json
import sys
from pathlib import Path

COLUMNS = ["type", "arch", "vcpus", "cores", "threads", "mem_mib", "gpu_maker", "gpu_model", "gpus", "efa_ifs", "cards",
           "nvme_n", "nvme_gb"]


def described(path):
    raw = Path(path).read_bytes()
    answer = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
    if isinstance(answer, dict) and "InstanceTypes" in answer:
        answer = {one["InstanceType"]: one for one in answer["InstanceTypes"]}
    return answer


def arch(one):
    """x86 types of earlier years list i386, and Apple's names of their own, too."""
    known = [a for a in one["ProcessorInfo"]["SupportedArchitectures"] if a in ("x86_64", "arm64")]
    return known[0] if known else None


def gpus(one):
    """A part of a GPU counts as one that jobs can ask for, though EC2 gives its Count as 0."""
    cards = one.get("GpuInfo", {}).get("Gpus", [])
    if not cards:
        return ["-", "-", 0]
    count = sum(max(card["Count"], card.get("LogicalGpuCount", 0)) for card in cards)
    return [cards[0]["Manufacturer"], cards[0]["Name"].replace(" ", "").lower(), count]


def disks(one):
    """Disks of the instance itself; those without NVMe have no name by which they could be told apart."""
    info = one.get("InstanceStorageInfo", {})
    if info.get("NvmeSupport", "unsupported") == "unsupported":
        return [0, 0]
    return [sum(d["Count"] for d in info["Disks"]), max(d["SizeInGB"] for d in info["Disks"])]


def row(one):
    cpu, net = one["VCpuInfo"], one["NetworkInfo"]
    threads = cpu.get("DefaultThreadsPerCore") or max(1, cpu["DefaultVCpus"] // cpu["DefaultCores"])
    efa = net.get("EfaInfo", {}).get("MaximumEfaInterfaces", 1) if net.get("EfaSupported") else 0
    return [one["InstanceType"], arch(one), cpu["DefaultVCpus"], cpu["DefaultCores"], threads,
            one["MemoryInfo"]["SizeInMiB"], *gpus(one), efa, net.get("MaximumNetworkCards", 1), *disks(one)]


def main(files):
    if not files:
        sys.exit(__doc__)
    types = {}
    for path in files:
        types.update(described(path))
    print(*COLUMNS, sep="\t")
    for name in sorted(types):
        line = row(types[name])
        if line[1]:
            print(*line, sep="\t")


if __name__ == "__main__":
    main(sys.argv[1:])
