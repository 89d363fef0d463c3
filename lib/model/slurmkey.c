/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys slurm.conf has in which release of Slurm, and which of them are ours alone. */
#include "model/slurmkey.h"

#include <errno.h>
#include <strings.h>

#include "model/slurmver.h"

#define NAMES_MAX 256 /* of one table */

/* The end of each table has no name. */
struct slurmkey {
	const char *name;
	unsigned since, until; /* slurmver.h; 0: always */
};

/* clang-format off */
#define K(name) {name, 0, 0},
static const struct slurmkey globals[] = {
	K("AccountingStorageBackupHost") K("AccountingStorageEnforce")
	K("AccountingStorageExternalHost") K("AccountingStorageHost")
	K("AccountingStorageParameters") K("AccountingStoragePass") K("AccountingStoragePort")
	K("AccountingStorageTRES") K("AccountingStorageType") K("AccountingStorageUser")
	K("AccountingStoreFlags") K("AccountingStoreJobComment") K("AcctGatherEnergyType")
	K("AcctGatherFilesystemType") K("AcctGatherInfinibandType")
	K("AcctGatherInterconnectType") K("AcctGatherNodeFreq") K("AcctGatherProfileType")
	K("AllowSpecResourcesUsage") K("AuthAltParameters") K("AuthAltTypes") K("AuthInfo")
	K("AuthType") K("BackupAddr") K("BackupController") K("BatchStartTimeout")
	K("BcastExclude") K("BcastParameters") K("BurstBufferParameters") K("BurstBufferType")
	{"CertgenParameters", 2505, 0}, {"CertgenType", 2505, 0}, {"CertmgrParameters", 2411, 0},
	{"CertmgrType", 2411, 0}, {"CliFilterParameters", 2511, 0}, K("CliFilterPlugins")
	K("ClusterName") K("CommunicationParameters") K("CompleteWait") K("ControlAddr")
	K("ControlMachine") K("CoreSpecPlugin") K("CpuFreqDef") K("CpuFreqGovernors")
	K("CredType") K("CryptoType") {"DataParserParameters", 2411, 0}, K("DebugFlags")
	K("DefCPUPerGPU") K("DefMemPerCPU") K("DefMemPerGPU") K("DefMemPerNode")
	K("DependencyParameters") K("DisableRootJobs") K("DownNodes") K("EioTimeout")
	K("EnforcePartLimits") K("Epilog") K("EpilogMsgTime") K("EpilogSlurmctld")
	{"EpilogTimeout", 2505, 0}, K("ExtSensorsFreq") K("ExtSensorsType")
	K("FairShareDampeningFactor") K("FastSchedule") K("FederationParameters") K("FirstJobId")
	K("GetEnvTimeout") K("GpuFreqDef") K("GresTypes") K("GroupUpdateForce")
	K("GroupUpdateTime") {"HashPlugin", 2405, 0}, K("HealthCheckInterval")
	K("HealthCheckNodeState") K("HealthCheckProgram") {"HealthCheckTimeout", 2605, 0},
	{"HttpParserType", 2511, 0}, K("InactiveLimit") K("InteractiveStepOptions")
	K("JobAcctGatherFrequency") K("JobAcctGatherParams") K("JobAcctGatherType")
	K("JobCompHost") K("JobCompLoc") K("JobCompParams") K("JobCompPass")
	{"JobCompPassScript", 2511, 0}, K("JobCompPort") K("JobCompType") K("JobCompUser")
	K("JobContainerType") K("JobCredentialPrivateKey") K("JobCredentialPublicCertificate")
	K("JobFileAppend") K("JobRequeue") K("JobSubmitPlugins") K("KeepAliveTime")
	K("KillOnBadExit") K("KillWait") K("LaunchParameters") K("LaunchType")
	{"LicenseParameters", 2605, 0}, K("Licenses") K("LogTimeFormat") K("MailDomain")
	K("MailProg") K("MaxArraySize") {"MaxBatchRequeue", 2311, 0}, K("MaxDBDMsgs")
	K("MaxJobCount") K("MaxJobId") K("MaxMemPerCPU") K("MaxMemPerNode") K("MaxNodeCount")
	K("MaxStepCount") K("MaxTasksPerNode") K("MCSParameters") K("MCSPlugin")
	K("MessageTimeout") {"MetricsAuthUsers", 2605, 0}, {"MetricsParameters", 2605, 0},
	{"MetricsType", 2511, 0}, K("MinJobAge") K("MpiDefault") K("MpiParams")
	{"NamespaceType", 2511, 0}, K("NodeFeaturesPlugins") K("NodeName") K("NodeSet")
	K("OverTimeLimit") K("PartitionName") K("PluginDir") K("PlugStackConfig")
	{"PowerAction", 2605, 0}, K("PowerParameters") K("PowerPlugin") K("PreemptExemptTime")
	K("PreemptMode") {"PreemptParameters", 2311, 0}, K("PreemptType") K("PrEpParameters")
	K("PrEpPlugins") K("PriorityCalcPeriod") K("PriorityDecayHalfLife")
	K("PriorityFavorSmall") K("PriorityFlags") K("PriorityMaxAge") K("PriorityParameters")
	K("PrioritySiteFactorParameters") K("PrioritySiteFactorPlugin") K("PriorityType")
	K("PriorityUsageResetPeriod") K("PriorityWeightAge") K("PriorityWeightAssoc")
	K("PriorityWeightFairshare") K("PriorityWeightJobSize") K("PriorityWeightPartition")
	K("PriorityWeightQOS") K("PriorityWeightTRES") K("PrivateData") K("ProctrackType")
	K("Prolog") K("PrologEpilogTimeout") K("PrologFlags") K("PrologSlurmctld")
	{"PrologTimeout", 2505, 0}, K("PropagatePrioProcess") K("PropagateResourceLimits")
	K("PropagateResourceLimitsExcept") K("RebootProgram") K("ReconfigFlags") K("RequeueExit")
	K("RequeueExitHold") K("ResumeFailProgram") K("ResumeProgram") K("ResumeRate")
	K("ResumeTimeout") K("ResvEpilog") K("ResvOverRun") K("ResvProlog") K("ReturnToService")
	K("RoutePlugin") K("SallocDefaultCommand") K("SbcastParameters") K("SchedulerParameters")
	K("SchedulerTimeSlice") K("SchedulerType") K("ScronParameters") K("SelectType")
	K("SelectTypeParameters") K("SlurmctldAddr") K("SlurmctldDebug") K("SlurmctldHost")
	{"SlurmctldHttpAuthParameters", 2605, 0}, K("SlurmctldLogFile") K("SlurmctldParameters")
	K("SlurmctldPidFile") {"SlurmctldPlugstack", 0, 2302}, K("SlurmctldPort")
	K("SlurmctldPrimaryOffProg") K("SlurmctldPrimaryOnProg") K("SlurmctldSyslogDebug")
	K("SlurmctldTimeout") K("SlurmdDebug") {"SlurmdHttpAuthParameters", 2605, 0},
	K("SlurmdLogFile") K("SlurmdParameters") K("SlurmdPidFile") K("SlurmdPort")
	K("SlurmdSpoolDir") K("SlurmdSyslogDebug") K("SlurmdTimeout") K("SlurmdUser")
	K("SlurmSchedLogFile") K("SlurmSchedLogLevel") K("SlurmUser") K("SrunEpilog")
	K("SrunPortRange") K("SrunProlog") K("StateSaveLocation") K("SuspendExcNodes")
	K("SuspendExcParts") {"SuspendExcStates", 2311, 0}, K("SuspendProgram") K("SuspendRate")
	K("SuspendTime") K("SuspendTimeout") K("SwitchParameters") K("SwitchType")
	K("TaskEpilog") K("TaskPlugin") K("TaskPluginParam") K("TaskProlog") K("TCPTimeout")
	{"TLSParameters", 2405, 0}, {"TLSType", 2405, 0}, K("TmpFS") K("TopologyParam")
	K("TopologyPlugin") K("TrackWCKey") K("TreeWidth") K("UnkillableStepProgram")
	K("UnkillableStepTimeout") {"UrlParserType", 2511, 0}, K("UsePAM") K("VSizeFactor")
	K("WaitTime") K("X11Parameters")
	{0},
};

static const struct slurmkey partitions[] = {
	K("AllocNodes") K("AllowAccounts") K("AllowGroups") K("AllowQos") K("Alternate")
	K("CpuBind") K("Default") K("DefaultTime") K("DefCPUPerGPU") K("DefMemPerCPU")
	K("DefMemPerGPU") K("DefMemPerNode") K("DenyAccounts") K("DenyQos") K("DisableRootJobs")
	{"Exclusive", 2605, 0}, {"ExclusiveTopo", 2405, 0}, K("ExclusiveUser") K("GraceTime")
	K("Hidden") K("LLN") K("MaxCPUsPerNode") {"MaxCPUsPerSocket", 2311, 0}, K("MaxMemPerCPU")
	K("MaxMemPerNode") K("MaxNodes") K("MaxTime") K("MinNodes") K("Nodes") K("OverSubscribe")
	K("OverTimeLimit") {"PowerDownOnIdle", 2311, 0}, K("PreemptMode") K("Priority")
	K("PriorityJobFactor") K("PriorityTier") K("QOS") K("ReqResv") K("ResumeTimeout")
	K("RootOnly") K("SelectTypeParameters") K("Shared") K("State") K("SuspendTime")
	K("SuspendTimeout") {"Topology", 2505, 0}, K("TRESBillingWeights")
	{0},
};

static const struct slurmkey nodes[] = {
	K("BcastAddr") K("Boards") K("CoreSpecCount") K("CoresPerSocket") K("CpuBind") K("CPUs")
	K("CPUSpecList") K("Feature") K("Features") K("Gres") {"GresConf", 2511, 0},
	K("MemSpecLimit") K("NodeAddr") K("NodeHostname") {"Parameters", 2511, 0}, K("Port")
	K("Procs") K("RealMemory") K("Reason") {"RestrictedCoresPerGPU", 2405, 0}, K("Sockets")
	K("SocketsPerBoard") K("State") {"SuspendTime", 2605, 0}, K("ThreadsPerCore")
	K("TmpDisk") {"Topology", 2505, 0}, K("TRESWeights") K("Weight")
	{0},
};
#undef K
/* clang-format on */

/* ---- what is ours ---- */

static const char *const denied_globals[] = {"Epilog",
                                             "GresTypes",
                                             "LaunchParameters",
                                             "Prolog",
                                             "ReconfigFlags",
                                             "ResumeFailProgram",
                                             "ResumeProgram",
                                             "ResumeTimeout",
                                             "SlurmctldHost",
                                             "SlurmctldLogFile",
                                             "SlurmctldParameters",
                                             "SlurmdLogFile",
                                             "SlurmUser",
                                             "SuspendExcNodes",
                                             "SuspendProgram",
                                             "SuspendTime",
                                             "TaskPlugin",
                                             "TreeWidth",
                                             NULL};
static const char *const denied_accounting[] = {"AccountingStorageType", "AccountingStorageHost",
                                                "AccountingStoragePort", "AccountingStorageUser",
                                                "JobAcctGatherType",     NULL};
static const char *const denied_partitions[] = {
        "Nodes", "OverSubscribe", "PartitionName", "ResumeTimeout", "State", "SuspendTime", NULL};
/* Feature and Features are one key to Slurm. */
static const char *const denied_nodes[] = {
        "CPUs",         "Feature",  "Features", "Gres",   "NodeAddr",
        "NodeHostname", "NodeName", "State",    "Weight", NULL};

static bool is_among(const char *const *names, const char *key)
{
	for (; *names; names++)
		if (strcasecmp(*names, key) == 0)
			return true;
	return false;
}

bool slurmkey_denied(enum slurmkey_level level, const char *key, bool accounting)
{
	static const char *const *const lists[] = {
	        [SLURMKEY_GLOBAL] = denied_globals,
	        [SLURMKEY_PARTITION] = denied_partitions,
	        [SLURMKEY_NODE] = denied_nodes,
	};

	return is_among(lists[level], key) ||
	       (accounting && level == SLURMKEY_GLOBAL && is_among(denied_accounting, key));
}

/* ---- what there is ---- */

static const struct slurmkey *table_of(enum slurmkey_level level)
{
	static const struct slurmkey *const tables[] = {
	        [SLURMKEY_GLOBAL] = globals,
	        [SLURMKEY_PARTITION] = partitions,
	        [SLURMKEY_NODE] = nodes,
	};

	return tables[level];
}

static const struct slurmkey *find(const struct slurmkey *table, const char *key)
{
	for (; table->name; table++)
		if (strcasecmp(table->name, key) == 0)
			return table;
	return NULL;
}

_Static_assert(ARRAY_LEN(globals) <= NAMES_MAX && ARRAY_LEN(partitions) <= NAMES_MAX &&
                       ARRAY_LEN(nodes) <= NAMES_MAX,
               "a table has more names than are compared");

static const char *nearest(const struct slurmkey *table, const char *key)
{
	const char *names[NAMES_MAX];
	size_t n = 0;

	for (; table->name && n < NAMES_MAX; table++)
		names[n++] = table->name;
	return str_nearest(key, names, n);
}

static const char *const line_names[] = {
        [SLURMKEY_GLOBAL] = "slurm.conf",
        [SLURMKEY_PARTITION] = "a PartitionName line of slurm.conf",
        [SLURMKEY_NODE] = "a NodeName line of slurm.conf",
};

static int unknown(enum slurmkey_level level, const char *key, const struct doc *at, struct err *e)
{
	const char *near = nearest(table_of(level), key);

	if (near)
		return doc_err(at, e, REASON_INPUT_UNKNOWN_KEY,
		               "%s has no key '%s' in any release of Slurm, did you mean '%s'?",
		               line_names[level], key, near);
	return doc_err(at, e, REASON_INPUT_UNKNOWN_KEY,
	               "%s has no key '%s' in any release of Slurm", line_names[level], key);
}

int slurmkey_check(enum slurmkey_level level, const char *key, unsigned version,
                   const struct doc *at, struct err *e)
{
	const struct slurmkey *row = find(table_of(level), key);
	char mine[8], bound[8];

	if (!row)
		return unknown(level, key, at, e);
	slurmver_name(version, mine);
	if (version == SLURMVER_ANY)
		return 0;
	if (row->since > version)
		return doc_err(at, e, REASON_INPUT_UNSUPPORTED,
		               "'%s' is a key of Slurm %s and later, and this is %s, which would "
		               "not start with it",
		               row->name, slurmver_name(row->since, bound), mine);
	if (row->until && row->until < version)
		return doc_err(at, e, REASON_INPUT_UNSUPPORTED,
		               "'%s' is a key of Slurm up to %s, and this is %s, which would not "
		               "start with it",
		               row->name, slurmver_name(row->until, bound), mine);
	return 0;
}
