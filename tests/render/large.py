"""A ParallelCluster file of many queues, for tests and figures."""


def large(queues=200, resources=50, nodes=5, types=("c5.xlarge", "c6g.xlarge", "p4d.24xlarge", "hpc7a.96xlarge", "m5.large")):
    """Each compute resource has one node that stays and `nodes` - 1 that come and go."""
    lines = ["Region: eu-west-1", "Image: {Os: ubuntu2204}", "HeadNode:", "  InstanceType: c5.large",
             "  Networking: {SubnetId: subnet-12121212}", "HpcNode: {Networks: 10.0.0.0/16}", "Scheduling:",
             "  Scheduler: slurm", "  SlurmQueues:"]
    for q in range(queues):
        lines += [f"  - Name: queue{q}", "    Networking: {SubnetIds: [subnet-12121212]}", "    ComputeResources:"]
        lines += [f"    - {{Name: r{r}, InstanceType: {types[(q + r) % len(types)]}, MinCount: 1, MaxCount: {nodes}}}"
                  for r in range(resources)]
    return "\n".join(lines) + "\n"
