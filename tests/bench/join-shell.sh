#!/bin/bash
# The peer of the join benchmark: what hpc-agent bootstrap does on a compute node, as one would write it by hand.
# Identity from IMDSv2, configuration and munge key from S3 with the instance role, hostname, NFS, munge, slurmd.
set -euo pipefail
say() { echo "@@SHELL $(cut -d' ' -f1 /proc/uptime) $*" >/dev/console; }
metadata=${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}/latest

say start
until token=$(curl -sf -m 2 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$metadata/api/token"); do sleep 0.1; done
get() { curl -sf --retry 3 -m 5 -H "X-aws-ec2-metadata-token: $token" "$metadata/$1"; }
document=$(get user-data)
key() { sed -n "s/^$1: *//p" <<<"$document"; }
field() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" <<<"$credentials"; }
region=$(get meta-data/placement/region)
address=$(get meta-data/local-ipv4)
credentials=$(get "meta-data/iam/security-credentials/$(get meta-data/iam/security-credentials/)")
node=$(key node) head=$(key head)
say "imds $node"

host=${AWS_ENDPOINT_URL_S3#*://}
(umask 077; echo "machine ${host%:*} login $(field AccessKeyId) password $(field SecretAccessKey)" >/run/join.netrc)
empty=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
fetch() {
	curl -sf --retry 3 -m 10 -o "$2" --aws-sigv4 "aws:amz:$region:s3" --netrc-file /run/join.netrc \
		-H "x-amz-content-sha256: $empty" -H "x-amz-security-token: $(field Token)" "$AWS_ENDPOINT_URL_S3/${1#s3://}"
}
mkdir -p /etc/hpc-node
fetch "$(key config)" /etc/hpc-node/cluster-config.yaml
(umask 077; fetch "$(key munge-key)" /etc/munge/munge.key.new)
chown munge:munge /etc/munge/munge.key.new
chmod 400 /etc/munge/munge.key.new
mv /etc/munge/munge.key.new /etc/munge/munge.key
say s3

hostnamectl hostname "$node" 2>/dev/null || { echo "$node" >/etc/hostname; hostname "$node"; }
grep -q " $node\$" /etc/hosts || echo "$address $node" >>/etc/hosts
mountpoint -q /home || mount -t nfs4 -o vers=4.2,hard,noatime "$head:/home" /home
say mounts

systemctl start munge
munge -n | unmunge >/dev/null
say munge

mkdir -p /etc/slurm /var/spool/slurmd /etc/systemd/system/slurmd.service.d
printf '[Unit]\nConditionPathExists=\n' >/etc/systemd/system/slurmd.service.d/configless.conf
echo "SLURMD_OPTIONS='-N $node -b --conf-server $head:6817 ${SLURMD_MORE:-}'" >/etc/default/slurmd
systemctl daemon-reload
systemctl start slurmd
say slurmd
until [ "$(sinfo -h -N -n "$node" -o %t)" = idle ]; do sleep 0.1; done
say ready
