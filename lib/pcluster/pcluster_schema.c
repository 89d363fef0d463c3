/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of ParallelCluster's cluster-config.yaml and the types of their values. */
#include "pcluster/pcluster_schema.h"

#include "pcluster/pcluster_rows.h"

/* ---- small shared parts ---- */

static const struct pcluster_row enabled[] = {B("Enabled"), END};
static const struct pcluster_row tag[] = {S_REQ("Key"), S_REQ("Value"), END};
static const struct pcluster_row policy[] = {ARN_REQ("Policy", ":policy/"), END};
static const struct pcluster_row proxy[] = {S("HttpProxyAddress"), END};
static const struct pcluster_row custom_ami[] = {S_AT("CustomAmi", "ami-"), END};
static const struct pcluster_row efa[] = {B("Enabled"), B("GdrSupport"), END};
static const struct pcluster_row gpu_health[] = {M("Gpu", enabled), END};
static const struct pcluster_row placement_group[] = {B("Enabled"), S("Id"), S("Name"), END};
static const struct pcluster_row s3_access[] = {S_REQ("BucketName"), S("KeyName"),
                                                B("EnableWriteAccess"), END};
static const struct pcluster_row dcv[] = {B("Enabled"), I_IN("Port", 1, 65535), S("AllowedIps"),
                                          END};
static const struct pcluster_row reservation[] = {S("CapacityReservationId"),
                                                  S("CapacityReservationResourceGroupArn"), END};
static const struct pcluster_row root_volume[] = {I("Size"),
                                                  B("Encrypted"),
                                                  S("KmsKeyId"),
                                                  S("VolumeType"),
                                                  I("Iops"),
                                                  I("Throughput"),
                                                  B("DeleteOnTermination"),
                                                  END};
static const struct pcluster_row ephemeral[] = {S("MountDir"), END};
static const struct pcluster_row local_storage[] = {M("RootVolume", root_volume),
                                                    M("EphemeralVolume", ephemeral), END};
static const struct pcluster_row lambda_vpc[] = {SS_AT_REQ("SecurityGroupIds", "sg-"),
                                                 SS_AT_REQ("SubnetIds", "subnet-"), END};

/* ---- custom actions: one script, or a sequence of them ---- */

static const struct pcluster_row script[] = {S_REQ("Script"), SS("Args"), END};
static const struct pcluster_row action[] = {S("Script"), SS("Args"), L("Sequence", script), END};
static const struct pcluster_row actions[] = {
        M("OnNodeStart", action), M("OnNodeConfigured", action), M("OnNodeUpdated", action), END};

/* ---- HeadNode, LoginNodes ---- */

static const char *const shared_storage_types[] = {"Ebs", "Efs", "ebs", "efs", NULL};
static const struct pcluster_row head_networking[] = {
        S_AT_REQ("SubnetId", "subnet-"),
        ROW("ElasticIp", .type = FIELD_ANY), /* an id, an address, or a boolean */
        SS_AT("SecurityGroups", "sg-"),
        SS_AT("AdditionalSecurityGroups", "sg-"),
        M("Proxy", proxy),
        END};
static const struct pcluster_row ssh[] = {S("KeyName"), S("AllowedIps"), END};
static const struct pcluster_row head_imds[] = {B("Secured"), END};
static const struct pcluster_row iam[] = {
        ARN("InstanceRole", ":role/"), ARN("InstanceProfile", ":instance-profile/"),
        L("AdditionalIamPolicies", policy), L("S3Access", s3_access), END};
static const struct pcluster_row head_efs[] = {B("Encrypted"), END};
static const struct pcluster_row head_node[] = {
        S_REQ("InstanceType"),
        M_REQ("Networking", head_networking),
        B("DisableSimultaneousMultithreading"),
        M("Ssh", ssh),
        M("LocalStorage", local_storage),
        C("SharedStorageType", shared_storage_types),
        M("SharedStorageEfsSettings", head_efs),
        M("Dcv", dcv),
        M("CustomActions", actions),
        M("Iam", iam),
        M("Imds", head_imds),
        M("Image", custom_ami),
        END,
};
static const struct pcluster_row login_networking[] = {
        SS_AT_REQ("SubnetIds", "subnet-"), SS_AT("SecurityGroups", "sg-"),
        SS_AT("AdditionalSecurityGroups", "sg-"), M("Proxy", proxy), END};
static const struct pcluster_row pool[] = {
        S_REQ("Name"),
        S_REQ("InstanceType"),
        ROW("Count", .type = FIELD_INT, .max = INT32_MAX, .required = true),
        I_IN("GracetimePeriod", 1, 120),
        M("Image", custom_ami),
        M("Ssh", ssh),
        M_REQ("Networking", login_networking),
        M("Dcv", dcv),
        M("CustomActions", actions),
        M("Iam", iam),
        END,
};
static const struct pcluster_row login_nodes[] = {L_REQ("Pools", pool), END};

/* ---- Scheduling ---- */

static const char *const schedulers[] = {"slurm", "awsbatch", "plugin", NULL};
static const char *const scaling[] = {"all-or-nothing", "greedy-all-or-nothing", "best-effort",
                                      NULL};
static const char *const capacity_types[] = {"ONDEMAND", "SPOT", "CAPACITY_BLOCK", NULL};
static const char *const allocation_strategies[] = {"lowest-price",
                                                    "capacity-optimized",
                                                    "price-capacity-optimized",
                                                    "prioritized",
                                                    "capacity-optimized-prioritized",
                                                    NULL};
static const char *const update_strategies[] = {"DRAIN", "COMPUTE_FLEET_STOP", "TERMINATE", NULL};
static const struct pcluster_row dns[] = {B("DisableManagedDns"), S("HostedZoneId"),
                                          B("UseEc2Hostnames"), END};
static const struct pcluster_row database[] = {S_REQ("Uri"), S_REQ("UserName"),
                                               S_AT_REQ("PasswordSecretArn", "arn:"),
                                               S("DatabaseName"), END};
static const struct pcluster_row slurmdbd[] = {S_REQ("Host"), I("Port"), END};
static const struct pcluster_row slurm_settings[] = {
        I("ScaledownIdletime"),
        M("Dns", dns),
        C_OPEN("QueueUpdateStrategy", update_strategies),
        B("EnableMemoryBasedScheduling"),
        M("Database", database),
        M("ExternalSlurmdbd", slurmdbd),
        L("CustomSlurmSettings", NULL),
        S("CustomSlurmSettingsIncludeFile"),
        S("MungeKeySecretArn"),
        END,
};
static const struct pcluster_row instance[] = {S_REQ("InstanceType"), END};
static const struct pcluster_row resource_networking[] = {M("PlacementGroup", placement_group),
                                                          END};
static const struct pcluster_row template_overrides[] = {S_REQ("LaunchTemplateId"), I("Version"),
                                                         END};
static const struct pcluster_row compute_resource[] = {
        S_REQ("Name"),
        S("InstanceType"),
        L("Instances", instance),
        I_IN("MinCount", 0, INT32_MAX),
        I_IN("MaxCount", 0, INT32_MAX),
        N("SpotPrice"),
        M("Efa", efa),
        B("DisableSimultaneousMultithreading"),
        I("SchedulableMemory"),
        M("CapacityReservationTarget", reservation),
        M("Networking", resource_networking),
        M("HealthChecks", gpu_health),
        M("CustomSlurmSettings", NULL),
        L("Tags", tag),
        I("StaticNodePriority"),
        I("DynamicNodePriority"),
        M("LaunchTemplateOverrides", template_overrides),
        END,
};
static const struct pcluster_row queue_networking[] = {SS_AT_REQ("SubnetIds", "subnet-"),
                                                       B("AssignPublicIp"),
                                                       SS_AT("SecurityGroups", "sg-"),
                                                       SS_AT("AdditionalSecurityGroups", "sg-"),
                                                       M("PlacementGroup", placement_group),
                                                       M("Proxy", proxy),
                                                       END};
static const struct pcluster_row compute_settings[] = {M("LocalStorage", local_storage), END};
static const struct pcluster_row queue[] = {
        S_REQ("Name"),
        C_OPEN("CapacityType", capacity_types),
        C_OPEN("AllocationStrategy", allocation_strategies),
        B("JobExclusiveAllocation"),
        L("ComputeResources", compute_resource),
        M("ComputeSettings", compute_settings),
        M_REQ("Networking", queue_networking),
        M("HealthChecks", gpu_health),
        M("CustomSlurmSettings", NULL),
        L("Tags", tag),
        M("CustomActions", actions),
        M("Iam", iam),
        M("Image", custom_ami),
        M("CapacityReservationTarget", reservation),
        END,
};
static const struct pcluster_row batch_resource[] = {S_REQ("Name"),
                                                     SS("InstanceTypes"),
                                                     I("MinvCpus"),
                                                     I("DesiredvCpus"),
                                                     I("MaxvCpus"),
                                                     I("SpotBidPercentage"),
                                                     END};
static const struct pcluster_row batch_queue[] = {
        S_REQ("Name"), C_OPEN("CapacityType", capacity_types),
        L("ComputeResources", batch_resource), M("Networking", queue_networking), END};
static const struct pcluster_row scheduling[] = {
        C_REQ("Scheduler", schedulers),     C_OPEN("ScalingStrategy", scaling),
        M("SlurmSettings", slurm_settings), L("SlurmQueues", queue),
        M("AwsBatchSettings", NULL),        L("AwsBatchQueues", batch_queue),
        M("SchedulerSettings", NULL), /* the plugin scheduler of 3.2 to 3.5 */
        L("SchedulerQueues", NULL),         END,
};

/* ---- SharedStorage ---- */

static const char *const storage_types[] = {"Ebs",      "Efs",       "FsxLustre", "FsxOpenZfs",
                                            "FsxOntap", "FileCache", NULL};
static const char *const volume_types[] = {"standard", "io1", "io2", "gp2",
                                           "st1",      "sc1", "gp3", NULL};
static const char *const performance_modes[] = {"generalPurpose", "maxIO", NULL};
static const char *const throughput_modes[] = {"provisioned", "bursting", "elastic", NULL};
static const char *const deployment_types[] = {"SCRATCH_1", "SCRATCH_2", "PERSISTENT_1",
                                               "PERSISTENT_2", NULL};
static const char *const import_policies[] = {"NEW", "NEW_CHANGED", "NEW_CHANGED_DELETED", NULL};
static const char *const cache_types[] = {"READ", NULL};
static const char *const compressions[] = {"LZ4", NULL};
static const char *const disk_types[] = {"HDD", "SSD", NULL};
static const struct pcluster_row raid[] = {
        ROW("Type", .type = FIELD_INT, .max = 1, .required = true), I_IN("NumberOfVolumes", 2, 5),
        END};
static const struct pcluster_row ebs[] = {
        C_OPEN("VolumeType", volume_types),
        I("Iops"),
        I("Size"),
        B("Encrypted"),
        S("KmsKeyId"),
        S_AT("SnapshotId", "snap-"),
        I("Throughput"),
        S_AT("VolumeId", "vol-"),
        S("DeletionPolicy"),
        M("Raid", raid),
        END,
};
static const struct pcluster_row efs[] = {
        S_AT("FileSystemId", "fs-"),
        B("EncryptionInTransit"),
        B("IamAuthorization"),
        S_AT("AccessPointId", "fsap-"),
        B("Encrypted"),
        S("KmsKeyId"),
        C_OPEN("PerformanceMode", performance_modes),
        C_OPEN("ThroughputMode", throughput_modes),
        I("ProvisionedThroughput"),
        S("DeletionPolicy"),
        END,
};
static const struct pcluster_row data_repository[] = {
        S_REQ("Name"),
        B("BatchImportMetaDataOnCreate"),
        S("DataRepositoryPath"),
        S("FileSystemPath"),
        I("ImportedFileChunkSize"),
        SS("AutoExportPolicy"),
        SS("AutoImportPolicy"),
        END,
};
static const struct pcluster_row lustre[] = {
        S_AT("FileSystemId", "fs-"),
        I("StorageCapacity"),
        C_OPEN("DeploymentType", deployment_types),
        I("ImportedFileChunkSize"),
        S("ExportPath"),
        S("ImportPath"),
        S("WeeklyMaintenanceStartTime"),
        I("AutomaticBackupRetentionDays"),
        B("CopyTagsToBackups"),
        S("DailyAutomaticBackupStartTime"),
        I("PerUnitStorageThroughput"),
        S_AT("BackupId", "backup-"),
        S("KmsKeyId"),
        C_OPEN("AutoImportPolicy", import_policies),
        C_OPEN("DriveCacheType", cache_types),
        C_OPEN("DataCompressionType", compressions),
        C_OPEN("StorageType", disk_types),
        S("FileSystemTypeVersion"),
        S("DeletionPolicy"),
        L("DataRepositoryAssociations", data_repository),
        S("DnsName"),
        S("MountName"),
        END,
};
static const struct pcluster_row volume[] = {S_AT_REQ("VolumeId", "fsvol-"), END};
static const struct pcluster_row file_cache[] = {S_AT_REQ("FileCacheId", "fc-"), END};
static const struct pcluster_row shared_storage[] = {
        S_REQ("MountDir"),
        S_REQ("Name"),
        C_REQ("StorageType", storage_types),
        M("EbsSettings", ebs),
        M("EfsSettings", efs),
        M("FsxLustreSettings", lustre),
        M("FsxOpenZfsSettings", volume),
        M("FsxOntapSettings", volume),
        M("FileCacheSettings", file_cache),
        END,
};

/* ---- the rest of the top level ---- */

static const char *const imds_versions[] = {"v1.0", "v2.0", NULL};
static const struct pcluster_row image[] = {S_REQ("Os"), S_AT("CustomAmi", "ami-"), END};
static const struct pcluster_row imds[] = {C_OPEN("ImdsSupport", imds_versions), END};
static const struct pcluster_row cloudwatch_logs[] = {B("Enabled"), I("RetentionInDays"),
                                                      S("DeletionPolicy"), END};
static const struct pcluster_row logs[] = {M("CloudWatch", cloudwatch_logs), M("Rotation", enabled),
                                           END};
static const struct pcluster_row dashboards[] = {M("CloudWatch", enabled), END};
static const struct pcluster_row monitoring[] = {B("DetailedMonitoring"), M("Logs", logs),
                                                 M("Dashboards", dashboards), M("Alarms", enabled),
                                                 END};
static const struct pcluster_row one_api[] = {B("BaseToolkit"), B("HpcToolkit"), END};
static const struct pcluster_row intel[] = {B("IntelHpcPlatform"), M("OneApi", one_api),
                                            B("Python"), END};
static const struct pcluster_row packages[] = {M("IntelSoftware", intel), END};
static const struct pcluster_row roles[] = {S("LambdaFunctionsRole"), END};
static const struct pcluster_row cluster_iam[] = {
        M("Roles", roles), ARN("PermissionsBoundary", ":policy/"), S("ResourcePrefix"), END};
static const struct pcluster_row directory[] = {
        S_REQ("DomainName"),
        S_REQ("DomainAddr"),
        S_AT_REQ("PasswordSecretArn", "arn:"),
        S_REQ("DomainReadOnlyUser"),
        S("LdapTlsCaCert"),
        S("LdapTlsReqCert"),
        S("LdapAccessFilter"),
        B("GenerateSshKeysForUsers"),
        M("AdditionalSssdConfigs", NULL),
        END,
};
static const char *const user_homes[] = {"Shared", "Local", NULL};
static const struct pcluster_row deployment[] = {B("DisableSudoAccessForDefaultUser"),
                                                 C("DefaultUserHome", user_homes),
                                                 M("LambdaFunctionsVpcConfig", lambda_vpc), END};
static const struct pcluster_row cookbook[] = {S("ChefCookbook"), S("ExtraChefAttributes"), END};
static const struct pcluster_row timeouts[] = {I_IN("HeadNodeBootstrapTimeout", 1, INT32_MAX),
                                               I_IN("ComputeNodeBootstrapTimeout", 1, INT32_MAX),
                                               END};
static const struct pcluster_row ami_filters[] = {L("Tags", tag), S("Owner"), S("NamePrefix"), END};
static const struct pcluster_row dev_settings[] = {
        M("Cookbook", cookbook),
        S("NodePackage"),
        S("ClusterTemplate"),
        S("InstanceTypesData"),
        M("AmiSearchFilters", ami_filters),
        M("Timeouts", timeouts),
        S("AwsBatchCliPackage"),
        B("ComputeStartupTimeMetricEnabled"),
        S("EfaInterfaceType"),
        END,
};
/* ---- ours ---- */

static const struct pcluster_row own_resource[] = {S_REQ("Name"), SS("Features"), END};
static const struct pcluster_row own_queue[] = {S_REQ("Name"), L("ComputeResources", own_resource),
                                                I("MaxNodeHours"), N("MaxHourlyCost"), END};
static const struct pcluster_row own_price[] = {S_REQ("InstanceType"), N_REQ("Price"), END};
static const struct pcluster_row own_user[] = {S_REQ("Name"), I_REQ("Uid"), SS("Keys"), B("Sudo"),
                                               END};
static const struct pcluster_row own_source[] = {S_REQ("Source"), S_REQ("Sha256"), END};
static const struct pcluster_row own_packages[] = {S("Repository"), M("RepositoryKey", own_source),
                                                   L("Files", own_source), SS("Names"), END};
static const struct pcluster_row hpc_node[] = {
        SS("Networks"),         SS("MetadataUsers"),         L("Queues", own_queue),
        L("Prices", own_price), L("Users", own_user),        B("SharedHome"),
        B("DefaultUser"),       M("Packages", own_packages), END};

const struct pcluster_row pcluster_schema_rows[] = {
        S("Region"),
        M_REQ("Image", image),
        M_REQ("HeadNode", head_node),
        M("LoginNodes", login_nodes),
        M_REQ("Scheduling", scheduling),
        L("SharedStorage", shared_storage),
        M("Imds", imds),
        M("Monitoring", monitoring),
        M("AdditionalPackages", packages),
        M("Iam", cluster_iam),
        M("DirectoryService", directory),
        M("DeploymentSettings", deployment),
        M("DevSettings", dev_settings),
        L("Tags", tag),
        S("CustomS3Bucket"),
        S("AdditionalResources"),
        M_OWN("HpcNode", hpc_node),
        END,
};

int pcluster_check(const struct doc *config, struct cluster_notes *unknown, struct faults *faults,
                   struct err *e)
{
	return pcluster_rows_check(config, pcluster_schema_rows, "cluster configuration", unknown,
	                           faults, e);
}

bool pcluster_is(const struct doc *d)
{
	return doc_has(d, "HeadNode") || doc_has(d, "Scheduling");
}
