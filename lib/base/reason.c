/* SPDX-License-Identifier: Apache-2.0 */
/* The table of reasons: name, meaning, and what to do about it. */
#include "base/reason.h"

#include "base/str.h"

static const struct reason_row rows[REASON_COUNT] = {
        [REASON_NONE] = {"none", "nothing went wrong", ""},
        [REASON_BUG] = {"bug", "the program contradicted itself: a fault of ours", ""},
        [REASON_INPUT_SYNTAX] = {"input-syntax", "a document is not well-formed", ""},
        [REASON_INPUT_UNKNOWN_KEY] = {"input-unknown-key", "a key is not one we know",
                                      "keys are case-sensitive"},
        [REASON_INPUT_TYPE] = {"input-type", "a value has the wrong type", ""},
        [REASON_INPUT_RANGE] = {"input-range", "a value is outside its range", ""},
        [REASON_INPUT_REQUIRED] = {"input-required", "a required key is missing", ""},
        [REASON_INPUT_DUPLICATE] = {"input-duplicate", "the same key, path or id is given twice",
                                    "keep one of the two"},
        [REASON_INPUT_LIMIT] = {"input-limit", "an input is larger or deeper than any real one",
                                ""},
        [REASON_INPUT_CYCLE] = {"input-cycle", "steps need each other in a circle",
                                "drop one 'after' or path of the circle"},
        [REASON_INPUT_FACT] = {"input-fact", "a ${fact} is not known on this machine", ""},
        [REASON_INPUT_UNSUPPORTED] = {"input-unsupported",
                                      "a valid setting that this version does not carry out", ""},
        [REASON_INSTANCE_TYPE] = {"instance-type",
                                  "an instance type is not in the table of those that are known",
                                  "add a line for it to /etc/hpc-node/instance-types.tsv, in the "
                                  "form of share/hpc-node/instance-types.tsv"},
        [REASON_IMDS_UNREACHABLE] = {"imds-unreachable",
                                     "the instance metadata service did not answer",
                                     "is this an EC2 instance with HttpEndpoint enabled? a PUT "
                                     "that times out while TCP connects means the hop limit is too "
                                     "small for a container or network namespace"},
        [REASON_IMDS_FORBIDDEN] =
                {"imds-forbidden", "the instance metadata service refused us",
                 "metadata is disabled for this instance, or a proxy stands between: aws ec2 "
                 "modify-instance-metadata-options --http-endpoint enabled"},
        [REASON_IMDS_PROTOCOL] =
                {"imds-protocol", "the metadata service answered what it never should",
                 "something else answers at 169.254.169.254; look for proxies and local redirects"},
        [REASON_IMDS_ABSENT] = {"imds-absent", "the metadata item does not exist",
                                "tags need 'Allow tags in metadata' on the instance; a role needs "
                                "an instance profile"},
        [REASON_NO_INSTANCE_ROLE] = {"no-instance-role", "the instance has no IAM role",
                                     "attach an instance profile to the instance"},
        [REASON_CREDENTIALS_REFUSED] = {"credentials-refused",
                                        "EC2 could not give out the role's credentials",
                                        "the role's trust policy must let ec2.amazonaws.com assume "
                                        "it; the message carries EC2's code"},
        [REASON_CREDENTIALS_REJECTED] =
                {"credentials-rejected", "a service does not accept the credentials",
                 "they have expired, were deactivated, or belong to another partition; an "
                 "instance's own were fetched again before this was said"},
        [REASON_NO_CREDENTIALS] =
                {"no-credentials", "no credentials were found",
                 "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; on EC2 attach an "
                 "instance profile"},
        [REASON_NO_REGION] = {"no-region", "the region is not known",
                              "set AWS_REGION, or let the instance metadata service be reachable"},
        [REASON_HTTP_UNREACHABLE] =
                {"http-unreachable", "a server could not be reached",
                 "in a private subnet: is there a gateway or interface endpoint for the service in "
                 "this region, and does the security group let it through?"},
        [REASON_HTTP_TLS] = {"http-tls", "the server's certificate could not be verified",
                             "mind the clock, a TLS-inspecting proxy, or AWS_CA_BUNDLE"},
        [REASON_HTTP_STATUS] = {"http-status", "a server answered with an error status", ""},
        [REASON_HTTP_TOO_LARGE] = {"http-too-large", "a server sent more than the ceiling allows",
                                   ""},
        [REASON_HTTP_BROKEN_OFF] =
                {"http-broken-off", "a transfer broke off or was too slow",
                 "it was tried again until the deadline; look at the network path"},
        [REASON_HTTP_REDIRECT] =
                {"http-redirect", "a server wanted to send us elsewhere",
                 "signed and metadata requests never follow redirects; use the final address"},
        [REASON_S3_NO_SUCH_KEY] = {"s3-no-such-key", "the object is not in the bucket",
                                   "mind the key: it is taken literally, byte for byte"},
        [REASON_S3_NO_SUCH_BUCKET] = {"s3-no-such-bucket", "there is no such bucket",
                                      "mind the name; buckets of other partitions are not visible"},
        [REASON_S3_ACCESS_DENIED] =
                {"s3-access-denied", "S3 refused the request",
                 "either the role or user lacks s3:GetObject (or kms:Decrypt) on it, or "
                 "the object does not exist and s3:ListBucket is lacking: S3 answers "
                 "both the same"},
        [REASON_S3_SIGNATURE] = {"s3-signature", "S3 rejects our signature or keys",
                                 "the credentials and the endpoint do not belong together: mind "
                                 "AWS_ENDPOINT_URL"},
        [REASON_S3_CLOCK_SKEW] = {"s3-clock-skew",
                                  "this machine's clock is wrong by more than 15 minutes",
                                  "let chrony use 169.254.169.123; we signed again with the "
                                  "server's time and it still refused"},
        [REASON_S3_WRONG_REGION] = {"s3-wrong-region", "the bucket is in another region",
                                    "we asked again there and it still refused; in a private "
                                    "subnet only the own region's buckets are reachable"},
        [REASON_S3_THROTTLED] =
                {"s3-throttled", "S3 asked us to slow down until the deadline",
                 "many nodes read one prefix at once: S3 grows with the load within minutes"},
        [REASON_S3_PRECONDITION] = {"s3-precondition", "the object is there already",
                                    "If-None-Match was asked for, so nothing was overwritten"},
        [REASON_AWS_DENIED] = {"aws-denied", "the service refused who we are what we asked for",
                               ""},
        [REASON_AWS_INVALID] = {"aws-invalid", "the service refused the request as not valid", ""},
        [REASON_AWS_ABSENT] = {"aws-absent", "the service doesn't know what was named",
                               "mind the region and the account"},
        [REASON_AWS_CONFLICT] = {"aws-conflict",
                                 "what exists in the account stands in the way of the request",
                                 "names of images are unique in a region"},
        [REASON_AWS_QUOTA] = {"aws-quota", "a quota of the account is reached",
                              "Service Quotas shows it and takes the request for more"},
        [REASON_AWS_CAPACITY] = {"aws-capacity",
                                 "EC2 has no instances of that type to give, or the subnet no "
                                 "addresses",
                                 "other types and subnets may have some, and later these too"},
        [REASON_AWS_THROTTLED] = {"aws-throttled",
                                  "the service asked us to slow down until the deadline", ""},
        [REASON_AWS_STATE] = {"aws-state", "a snapshot or image ended in a state that is of no use",
                              ""},
        [REASON_SECRET_DENIED] = {"secret-denied", "Secrets Manager refused the request",
                                  "the role needs secretsmanager:GetSecretValue on the ARN and "
                                  "kms:Decrypt on its key"},
        [REASON_SECRET_ABSENT] = {"secret-absent", "there is no such secret",
                                  "mind the ARN and the region in it"},
        [REASON_CHECKSUM_MISMATCH] =
                {"checksum-mismatch", "content does not have the sha256 it was pinned to",
                 "the object was changed or the pin is old; nothing was written"},
        [REASON_SIGNATURE_INVALID] = {"signature-invalid",
                                      "content is not signed by the pinned key",
                                      "sign the object again or correct config-key"},
        [REASON_HOST_FILE] = {"host-file", "a file could not be read or written", ""},
        [REASON_HOST_PRIVILEGE] = {"host-privilege", "what was asked for needs root", ""},
        [REASON_HOST_SPACE] = {"host-space", "a file system has no space or quota left", ""},
        [REASON_HOST_EXEC] = {"host-exec", "a program could not be started", ""},
        [REASON_HOST_COMMAND_FAILED] = {"host-command-failed", "a program ended with an error", ""},
        [REASON_HOST_USER] = {"host-user", "a user or group is missing or differs",
                              "ids must agree on every node of the cluster"},
        [REASON_HOST_PACKAGE] = {"host-package", "a package could not be installed", ""},
        [REASON_IMDS_LOCK] =
                {"imds-lock", "the metadata service could not be locked against other users",
                 "it takes CAP_NET_ADMIN and a kernel with nf_tables and nft_reject_inet"},
        [REASON_HOST_SYSCTL] = {"host-sysctl", "a kernel setting was refused",
                                "does this kernel have it, and the module behind it loaded?"},
        [REASON_UNIT_MISSING] = {"unit-missing", "there is no such unit, or no systemd", ""},
        [REASON_UNIT_FAILED] =
                {"unit-failed", "a unit failed to start",
                 "the message ends with its last journal line; journalctl -b -u UNIT has all"},
        [REASON_UNIT_SKIPPED] = {"unit-skipped",
                                 "systemd skipped the unit because a condition did not hold",
                                 "systemctl status UNIT names the condition; our drop-in resets "
                                 "those known to bite"},
        [REASON_UNIT_TIMEOUT] = {"unit-timeout", "a unit did not come up in time",
                                 "systemctl status UNIT; journalctl -b -u UNIT"},
        [REASON_MOUNT_SERVER_DOWN] =
                {"mount-server-down", "the file server did not answer",
                 "is it up, and does its security group let TCP 2049 in from this node?"},
        [REASON_MOUNT_REFUSED] =
                {"mount-refused", "the file server refused the mount",
                 "does its export list or access policy name this node's address?"},
        [REASON_MOUNT_NO_EXPORT] =
                {"mount-no-export", "the file server has no such export",
                 "mind the path after the colon; for EFS access points use its id"},
        [REASON_MOUNT_BUSY] =
                {"mount-busy", "something else is mounted there already",
                 "umount it, or drop its line from fstab; two sources cannot share a mount point"},
        [REASON_MOUNT_HELPER] = {"mount-helper",
                                 "the helper program of a file system failed to mount it", ""},
        [REASON_MOUNT_NOT_SEEN] = {"mount-not-seen",
                                   "the mount helper said yes but nothing is mounted",
                                   "look at the helper's log (for EFS: /var/log/amazon/efs)"},
        [REASON_MOUNT_UNSUPPORTED] =
                {"mount-unsupported", "this kernel or image cannot mount that type",
                 "install the client: nfs-common, amazon-efs-utils or lustre-client"},
        [REASON_MOUNT_HUNG] =
                {"mount-hung", "the mount did not return",
                 "the server accepts connections but does not answer; look at its load"},
        [REASON_DISK_ABSENT] =
                {"disk-absent", "a disk that should be attached is not there",
                 "is the volume attached to this instance, and does its type have NVMe disks?"},
        [REASON_DISK_NOT_BLANK] =
                {"disk-not-blank", "a disk has something on it that can't be mounted",
                 "nothing is ever made over data: empty it by hand, as with wipefs, or attach "
                 "another one"},
        [REASON_EXPORT_MISSING] =
                {"export-missing", "a directory to export is not there",
                 "is it a mount of this machine that failed, or a name that is misspelt?"},
        [REASON_NFS_SERVER] =
                {"nfs-server", "the kernel's NFS server does not serve what was asked",
                 "it needs the module nfsd and the package nfs-kernel-server; exportfs -v and "
                 "journalctl -b -u nfs-server -u nfs-mountd tell more"},
        [REASON_MUNGE_KEY_INVALID] = {"munge-key-invalid", "what is there is no munge key",
                                      "make one with: dd if=/dev/urandom bs=1 count=1024"},
        [REASON_MUNGE_KEY_UNSAFE] = {"munge-key-unsafe", "munged would refuse the key's place", ""},
        [REASON_MUNGE_ROUND_TRIP] = {"munge-round-trip",
                                     "a credential made here does not decode here",
                                     "journalctl -b -u munge"},
        [REASON_MUNGE_REFUSED] = {"munge-refused", "the head node does not accept our credentials",
                                  "the keys differ, or the clocks are more than 5 minutes apart"},
        [REASON_SLURMCTLD_UNREACHABLE] = {"slurmctld-unreachable", "slurmctld does not answer",
                                          "is it running on the head node, and does its security "
                                          "group let TCP 6817 (ParallelCluster: 6820-6829) in?"},
        [REASON_SLURM_NODE_UNKNOWN] = {"slurm-node-unknown",
                                       "the controller has no node of this name",
                                       "NodeName must be in slurm.conf, or the node must be "
                                       "dynamic (slurmd -Z) and MaxNodeCount leave room"},
        [REASON_SLURM_NODE_INVALID] =
                {"slurm-node-invalid", "the controller finds this node smaller than configured",
                 "compare 'slurmd -C' with the NodeName line; RealMemory is the usual one"},
        [REASON_SLURM_NODE_DOWN] = {"slurm-node-down",
                                    "the node registered and the controller keeps it down",
                                    "the message carries the reason given; scontrol update "
                                    "nodename=NODE state=resume, "
                                    "and see ReturnToService in slurm.conf(5)"},
        [REASON_SLURM_NOT_CONFIGLESS] =
                {"slurm-not-configless", "slurmctld does not hand out its configuration",
                 "set SlurmctldParameters=enable_configless on the head node, or give the node a "
                 "slurm.conf and 'configless: false'"},
        [REASON_SLURM_VERSION] =
                {"slurm-version", "slurmctld does not speak this slurmd's version",
                 "slurmd must not be newer than slurmctld, nor older than its last two "
                 "releases (three from 24.11 on)"},
        [REASON_SLURM_NOT_REGISTERED] =
                {"slurm-not-registered", "slurmd runs but the controller has not seen it register",
                 "can the head node reach TCP 6818 here? journalctl -b -u slurmd"},
        [REASON_SLURM_MISSING] = {"slurm-missing", "Slurm is not installed on this machine", ""},
        [REASON_SLURM_CONF] = {"slurm-conf", "slurmctld does not accept slurm.conf",
                               "the message has its words; an unknown key is often one of another "
                               "release: slurmctld -V"},
        [REASON_SLURM_PORT] = {"slurm-port", "the port of slurmctld is taken",
                               "ss -ltnp shows by whom; SlurmctldPort sets another one"},
        [REASON_SLURM_HOST] =
                {"slurm-host", "SlurmctldHost is not this machine",
                 "the name before the parentheses must be what 'hostname -s' says here"},
        [REASON_SLURM_STATE] = {"slurm-state", "the state of slurmctld would not be kept",
                                "StateSaveLocation belongs on a disk that outlives a reboot"},
        [REASON_SLURM_DATABASE] =
                {"slurm-database", "slurmctld can't start before slurmdbd has answered once",
                 "journalctl -b -u slurmdbd; mind AccountingStorageHost and its port 6819"},
        [REASON_SLURM_PARTITION] =
                {"slurm-partition", "a partition of slurm.conf is not up",
                 "scontrol update partitionname=NAME state=up; one that shall be down goes into "
                 "'down' of the section controller"},
        [REASON_SLURMCTLD_ENDED] = {"slurmctld-ended", "slurmctld ended by itself",
                                    "the message has its last words; journalctl -b -u slurmctld"},
        [REASON_SLURMDBD_UNREACHABLE] =
                {"slurmdbd-unreachable", "slurmdbd does not answer",
                 "journalctl -b -u slurmdbd on its machine; does the security group let TCP 6819 "
                 "in, and have both the same munge key?"},
        [REASON_SLURMDBD_SQL] =
                {"slurmdbd-sql", "the SQL server does not answer slurmdbd, or refuses it",
                 "is the server up, does its security group let TCP 3306 in, has the user all "
                 "rights to the database, and is the password the one of the secret?"},
        [REASON_SLURMDBD_ENDED] = {"slurmdbd-ended", "slurmdbd ended by itself",
                                   "the message has its last words; journalctl -b -u slurmdbd"},
        [REASON_PASSWORD_INVALID] = {"password-invalid", "what is there is no password",
                                     "the secret is to hold the password alone, as one line"},
        [REASON_SLURM_AUTH] = {"slurm-auth", "the controller rejected our authentication",
                               "munge keys or clocks differ between this node and the head"},
        [REASON_SCRIPT_FAILED] = {"script-failed", "a script ended with an error", ""},
        [REASON_STEP_TIMEOUT] =
                {"step-timeout", "a step did not finish within its timeout",
                 "raise 'timeout' on the step if its work takes that long; else look at "
                 "what it waits for"},
        [REASON_STEP_ABANDONED] =
                {"step-abandoned", "a step could not even be killed",
                 "it hangs in the kernel, usually on a dead file server; it was left "
                 "behind and the rest went on"},
        [REASON_STEP_NOT_HELD] = {"step-not-held", "a step was carried out but does not hold",
                                  "something undoes it, or the step is wrong"},
        [REASON_STEP_BLOCKED] = {"step-blocked", "a step this one needs failed", ""},
        [REASON_STEP_DIED] = {"step-died", "the process carrying out a step died",
                              "out of memory, or killed from outside; dmesg tells"},
        [REASON_DEADLINE] = {"deadline", "the deadline of the whole run passed", ""},
        [REASON_BUSY] = {"busy", "another run holds the lock", ""},
        [REASON_INTERRUPTED] = {"interrupted", "the run was told to stop",
                                "the next run converges"},
};

const struct reason_row *reason_row(enum reason reason)
{
	return &rows[(size_t)reason < REASON_COUNT ? reason : REASON_BUG];
}

const char *reason_hint(const struct reason_hint *own, enum reason reason)
{
	for (; own && own->text; own++)
		if (own->reason == reason)
			return own->text;
	return reason_row(reason)->hint;
}

enum reason reason_by_name(const char *name)
{
	for (size_t i = 0; i < REASON_COUNT; i++)
		if (str_eq(rows[i].name, name))
			return (enum reason)i;
	return REASON_COUNT;
}
