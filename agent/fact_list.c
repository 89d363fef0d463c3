/* SPDX-License-Identifier: Apache-2.0 */
/* The list of facts. */
#include "agent/fact_list.h"

#include <stddef.h>

const struct fact_row fact_list[] = {
        {"instance-id", "i-0123456789abcdef0", "id of the instance"},
        {"instance-type", "t3.micro", "its type"},
        {"region", "eu-west-1", "its region"},
        {"availability-zone", "eu-west-1a", "its availability zone"},
        {"account-id", "123456789012", "the account it is in"},
        {"local-ipv4", "192.0.2.11", "its private address"},
        {"mac", "02:00:00:00:00:01", "of its first network interface"},
        {"ami-id", "ami-0123456789abcdef0", "the image it was started from"},
        {"launch-index", "0", "its number among the instances of one launch, from 0"},
        {"partition", "aws", "aws, aws-cn or aws-us-gov"},
        {"dns-suffix", "amazonaws.com", "domain of the partition's services"},
        {"local-hostname", "ip-192-0-2-11.eu-west-1.compute.internal", "the name EC2 gives it"},
        {"ssh-key",
         "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB",
         "public key of the key pair it was launched with"},
        {"distribution", "debian", "the ID of its /etc/os-release"},
        {"slurm-prefix", "/usr", "where Slurm is installed; absent where the image has none"},
        {"slurm-version", "22.05", "the release of slurmctld, on a head that has it"},
        {"fleet-program", "/usr/sbin/hpc-fleet", "hpc-fleet, on a head that has it"},
        {"vpc-cidrs", "192.0.2.0/24", "networks of its VPC, by blanks; on a head alone"},
        {"cluster", "cluster", "of the node document, as what follows"},
        {"role", "compute", "compute, head or login"},
        {"node", "queue-dy-resource-1", "Slurm NodeName of this node"},
        {"head", "192.0.2.10", "address of the head node"},
        {"config", "s3://bucket/cluster-config.yaml", "where the cluster configuration is"},
        {0},
};
