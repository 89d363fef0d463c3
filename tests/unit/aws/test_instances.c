/* SPDX-License-Identifier: Apache-2.0 */
/* Instances: what each call sends, what its answers mean, and what EC2's refusals tell. */
#include "service.h"

#include "aws/instances.h"

#define POST       "POST / "
#define BODY(text) "<R><requestId>1</requestId>" text "</R>"
#define CODE(code, words)                                                                          \
	"<Response><Errors><Error><Code>" code "</Code><Message>" words                            \
	"</Message></Error></Errors><RequestID>req-7</RequestID></Response>"
#define ONE(id, index)                                                                             \
	"<item><instanceId>" id "</instanceId><amiLaunchIndex>" index "</amiLaunchIndex></item>"
#define FULL                                                                                                                \
	"<item><instanceId>i-1</instanceId><instanceType>t3.micro</instanceType>"                                           \
	"<amiLaunchIndex>3</amiLaunchIndex><clientToken>tok</clientToken>"                                                  \
	"<privateIpAddress>10.0.0.9</privateIpAddress><subnetId>subnet-1</subnetId><placement><availabilityZone>eu-west-1a" \
	"</availabilityZone></placement><instanceState><code>48</code><name>terminated</name>"                              \
	"</instanceState><stateReason><code>Server.SpotInstanceTermination</code></stateReason>"                            \
	"<tagSet><item><key>k</key><value>v</value></item><item><key>e</key><value/></item>"                                \
	"</tagSet></item>"

static struct instances got;
static struct ec2_refusal why;

static bool sent(const char *part)
{
	return strstr(script_last(&s, POST), part) != NULL;
}

static void answered(int status, const char *text)
{
	static struct script_row rows[2];

	rows[0] = (struct script_row){POST, 0, status, NULL, text};
	begin(rows);
}

static struct instances_launch launch(void)
{
	static const char *const groups[] = {"sg-1", "sg-2"};
	static const struct ec2_tag tags[] = {{"hpc-node:cluster", "c d"}, {"a", "b"}};

	return (struct instances_launch){.token = "tok",
	                                 .min = 1,
	                                 .max = 4,
	                                 .image = "ami-1",
	                                 .type = "t3.micro",
	                                 .subnet = "subnet-1",
	                                 .profile = "node",
	                                 .key = "pair",
	                                 .groups = groups,
	                                 .n_groups = 2,
	                                 .user_data = {"#hpc-node\n", 10},
	                                 .tags = tags,
	                                 .n_tags = 2};
}

static void a_launch_says_all_and_its_answer_is_read(void **state)
{
	struct instances_launch l = launch();

	(void)state;
	answered(200, BODY("<instancesSet>" FULL ONE("i-2", "0") "</instancesSet>"));
	assert_ok(instances_run(c, &l, a, &got, &why, soon(), &e));
	assert_true(sent("Action=RunInstances&Version=2016-11-15&ClientToken=tok&MinCount=1"
	                 "&MaxCount=4&ImageId=ami-1&InstanceType=t3.micro&SubnetId=subnet-1"
	                 "&SecurityGroupId.1=sg-1&SecurityGroupId.2=sg-2"
	                 "&IamInstanceProfile.Name=node&KeyName=pair"
	                 "&InstanceInitiatedShutdownBehavior=terminate"
	                 "&MetadataOptions.HttpEndpoint=enabled"
	                 "&MetadataOptions.HttpTokens=required"
	                 "&MetadataOptions.HttpPutResponseHopLimit=1"
	                 "&MetadataOptions.InstanceMetadataTags=enabled"
	                 "&TagSpecification.1.ResourceType=instance"
	                 "&TagSpecification.1.Tag.1.Key=hpc-node%3Acluster"
	                 "&TagSpecification.1.Tag.1.Value=c%20d"
	                 "&TagSpecification.1.Tag.2.Key=a&TagSpecification.1.Tag.2.Value=b"
	                 "&TagSpecification.2.ResourceType=volume"
	                 "&TagSpecification.2.Tag.1.Key=hpc-node%3Acluster"));
	assert_true(sent("&UserData=I2hwYy1ub2RlCg%3D%3D"));
	assert_int_equal(got.n, 2);
	assert_string_equal(got.items[0].id, "i-1");
	assert_string_equal(got.items[0].type, "t3.micro");
	assert_string_equal(got.items[0].address, "10.0.0.9");
	assert_string_equal(got.items[0].subnet, "subnet-1");
	assert_string_equal(got.items[0].token, "tok");
	assert_string_equal(got.items[0].state, "terminated");
	assert_string_equal(got.items[0].reason, "Server.SpotInstanceTermination");
	assert_int_equal(got.items[0].index, 3);
	assert_string_equal(instances_tag(&got.items[0], "k"), "v");
	assert_string_equal(instances_tag(&got.items[0], "e"), "");
	assert_null(instances_tag(&got.items[0], "x"));
	assert_string_equal(got.items[1].address, "");
	assert_int_equal(got.items[1].index, 0);
	assert_null(instances_tag(&got.items[1], "k"));
	l.profile = "arn:aws:iam::1:instance-profile/p";
	l.key = NULL;
	l.user_data.len = 0;
	assert_ok(instances_run(c, &l, a, &got, &why, soon(), &e));
	assert_true(sent("IamInstanceProfile.Arn=arn") && !sent("KeyName") && !sent("UserData"));
	l.profile = NULL;
	assert_ok(instances_run(c, &l, a, &got, &why, soon(), &e));
	assert_false(sent("IamInstanceProfile"));
}

static void a_launch_says_where_and_how(void **state)
{
	static const struct instances_interface two[] = {{0, 0, "interface", -1},
	                                                 {1, 0, "efa-only", -1}};
	static const struct instances_interface one[] = {{0, 0, "efa", 0}};
	static const struct instances_root root = {.device = "/dev/xvda", .gib = 9, .type = "gp3"};
	static const struct instances_root all = {"/dev/sda1", 1,    3000,     125,
	                                          "gp3",       true, "alias/k"};
	struct instances_launch l = launch();

	(void)state;
	answered(200, BODY("<instancesSet>" ONE("i-2", "0") "</instancesSet>"));
	l.market = "spot";
	l.interfaces = two;
	l.n_interfaces = 2;
	l.root = &root;
	l.cores = 8;
	l.threads = 1;
	assert_ok(instances_run(c, &l, a, &got, &why, soon(), &e));
	assert_true(sent("&NetworkInterface.1.NetworkCardIndex=0&NetworkInterface.1.DeviceIndex=0"
	                 "&NetworkInterface.1.InterfaceType=interface"
	                 "&NetworkInterface.1.SubnetId=subnet-1"
	                 "&NetworkInterface.1.DeleteOnTermination=true"
	                 "&NetworkInterface.1.SecurityGroupId.1=sg-1"
	                 "&NetworkInterface.1.SecurityGroupId.2=sg-2"
	                 "&NetworkInterface.2.NetworkCardIndex=1"));
	assert_false(sent("&SubnetId") || sent("&SecurityGroupId") || sent("PublicIp"));
	assert_true(sent("&InstanceMarketOptions.MarketType=spot"
	                 "&InstanceMarketOptions.SpotOptions.SpotInstanceType=one-time"
	                 "&InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior=terminate"
	                 "&CpuOptions.CoreCount=8&CpuOptions.ThreadsPerCore=1"
	                 "&BlockDeviceMapping.1.DeviceName=%2Fdev%2Fxvda"
	                 "&BlockDeviceMapping.1.Ebs.VolumeSize=9"
	                 "&BlockDeviceMapping.1.Ebs.VolumeType=gp3"
	                 "&BlockDeviceMapping.1.Ebs.DeleteOnTermination=true"
	                 "&InstanceInitiated"));
	l.max_price = "0.5";
	l.interfaces = one;
	l.n_interfaces = 1;
	l.root = &all;
	l.group = "g";
	l.tenancy = "dedicated";
	l.cores = 0;
	assert_ok(instances_run(c, &l, a, &got, &why, soon(), &e));
	assert_true(sent("SpotOptions.MaxPrice=0.5&Placement.GroupName=g"
	                 "&Placement.Tenancy=dedicated&BlockDeviceMapping"));
	assert_true(sent("&NetworkInterface.1.AssociatePublicIpAddress=false"));
	assert_true(sent("Ebs.Iops=3000&BlockDeviceMapping.1.Ebs.Throughput=125"
	                 "&BlockDeviceMapping.1.Ebs.Encrypted=true"
	                 "&BlockDeviceMapping.1.Ebs.KmsKeyId=alias%2Fk"));
	l = launch();
	l.market = "capacity-block";
	l.reservation = "cr-1";
	assert_ok(instances_run(c, &l, a, &got, &why, soon(), &e));
	assert_true(sent("MarketType=capacity-block&CapacityReservationSpecification"
	                 ".CapacityReservationTarget.CapacityReservationId=cr-1"));
	assert_false(sent("SpotOptions") || sent("BlockDevice") || sent("NetworkInterface"));
	l.reservation = "arn:aws:x";
	assert_ok(instances_run(c, &l, a, &got, &why, soon(), &e));
	assert_true(sent("Target.CapacityReservationResourceGroupArn=arn%3Aaws%3Ax"));
}

static void what_no_launch_answers_is_refused(void **state)
{
	static const char *const bodies[] = {
	        BODY("<instancesSet/>"),
	        BODY(""),
	        BODY("<instancesSet>x</instancesSet>"),
	        BODY("<instancesSet>" ONE("x-1", "0") "</instancesSet>"),
	        BODY("<instancesSet>" ONE("i-1", "-1") "</instancesSet>"),
	        BODY("<instancesSet>" ONE("i-1", "0") ONE("i-2", "1") ONE("i-3", "2")
	                     ONE("i-4", "3") ONE("i-5", "4") "</instancesSet>"),
	};
	struct instances_launch l = launch();
	char *big = arena_alloc(a, INSTANCES_USER_DATA + 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		answered(200, bodies[i]);
		got.n = 99;
		assert_err(instances_run(c, &l, a, &got, &why, soon(), &e), ERR_DENIED,
		           "launching instances of 't3.micro': the answer isn't what EC2 sends");
		assert_int_equal(got.n, 99);
	}
	answered(200, BODY("<instancesSet>" ONE("i-1", "0") "</instancesSet>"));
	memset(big, 'x', INSTANCES_USER_DATA + 1);
	l.user_data = (struct blob){big, INSTANCES_USER_DATA + 1};
	assert_err(instances_run(c, &l, a, &got, &why, soon(), &e), ERR_INPUT,
	           "16385 bytes of user data: expected at most 16384");
	l.user_data.len--;
	assert_ok(instances_run(c, &l, a, &got, &why, soon(), &e));
}

/* What has status 500 is still an answer: trying again changes nothing. */
static void a_refusal_is_told_in_ec2s_words(void **state)
{
	static const struct {
		int status;
		const char *body, *code;
		enum err_kind kind;
		enum reason reason;
	} rows[] = {
	        {500, CODE("InsufficientInstanceCapacity", "We have none"),
	         "InsufficientInstanceCapacity", ERR_DENIED, REASON_AWS_CAPACITY},
	        {400, CODE("InsufficientFreeAddressesInSubnet", "w"),
	         "InsufficientFreeAddressesInSubnet", ERR_DENIED, REASON_AWS_CAPACITY},
	        {400, CODE("VcpuLimitExceeded", "w"), "VcpuLimitExceeded", ERR_DENIED,
	         REASON_AWS_QUOTA},
	        {400, CODE("InstanceLimitExceeded", "w"), "InstanceLimitExceeded", ERR_DENIED,
	         REASON_AWS_QUOTA},
	        {400, CODE("IdempotentParameterMismatch", "w"), "IdempotentParameterMismatch",
	         ERR_DENIED, REASON_AWS_CONFLICT},
	        {400, CODE("InvalidParameterValue", "w"), "InvalidParameterValue", ERR_DENIED,
	         REASON_AWS_INVALID},
	};
	const struct instances_launch l = launch();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		answered(rows[i].status, rows[i].body);
		assert_err(instances_run(c, &l, a, &got, &why, soon(), &e), rows[i].kind,
		           rows[i].code);
		assert_int_equal(e.reason, rows[i].reason);
		assert_string_equal(why.code, rows[i].code);
		assert_string_equal(why.request, "req-7");
		assert_int_equal(script_count(&s, POST), 1);
	}
	answered(500, CODE("InsufficientInstanceCapacity", "We have\nnone"));
	assert_true(instances_run(c, &l, a, &got, &why, soon(), &e) < 0);
	assert_string_equal(why.message, "We have\\x0anone");
	/* No answer: what the last call was told is not told again. */
	begin((const struct script_row[]){{POST, 0, 0}, {0}});
	assert_err(instances_run(c, &l, a, &got, &why, clock_in_ms(3000), &e), ERR_RETRY, "");
	assert_string_equal(why.code, "");
}

/* A throttled call is the same call again, with its token. */
static void a_throttled_launch_keeps_its_token(void **state)
{
	static const struct script_row rows[] = {
	        {POST, 2, 503, NULL, CODE("RequestLimitExceeded", "w")},
	        {POST, 1, 0},
	        {POST, 0, 200, NULL, BODY("<instancesSet>" ONE("i-1", "0") "</instancesSet>")},
	        {0},
	};
	const struct instances_launch l = launch();

	(void)state;
	begin(rows);
	assert_ok(instances_run(c, &l, a, &got, &why, soon(), &e));
	assert_int_equal(script_count(&s, POST), 4);
	assert_true(sent("ClientToken=tok"));
	assert_string_equal(got.items[0].id, "i-1");
}

static void listings_are_read_page_by_page(void **state)
{
	static const struct script_row rows[] = {
	        {POST, 1, 200, NULL,
	         BODY("<reservationSet><item><reservationId>r-1</reservationId><instancesSet>" FULL
	              "</instancesSet></item><item><instancesSet/></item></reservationSet>"
	              "<nextToken>t/1</nextToken>")},
	        {POST, 1, 200, NULL,
	         BODY("<reservationSet><item><instancesSet>" ONE(
	                 "i-2", "0") "</instancesSet></item></reservationSet>")},
	        {POST, 0, 200, NULL, BODY("<reservationSet/>")},
	        {0},
	};
	static const char *const ids[] = {"i-8", "i-9"};
	struct instances_query q = {.tag = "hpc-node:cluster", .value = "c"};

	(void)state;
	begin(rows);
	assert_ok(instances_list(c, &q, a, &got, &why, soon(), &e));
	assert_int_equal(got.n, 2);
	assert_string_equal(got.items[1].id, "i-2");
	assert_true(sent("Action=DescribeInstances&Version=2016-11-15"
	                 "&Filter.1.Name=tag%3Ahpc-node%3Acluster&Filter.1.Value.1=c"
	                 "&Filter.2.Name=instance-state-name&Filter.2.Value.1=pending"
	                 "&Filter.2.Value.2=running&MaxResults=1000&NextToken=t%2F1"));
	q = (struct instances_query){.token = "tok", .ended = true};
	assert_ok(instances_list(c, &q, a, &got, &why, soon(), &e));
	assert_int_equal(got.n, 0);
	assert_true(sent("Filter.1.Name=client-token&Filter.1.Value.1=tok&MaxResults=1000"));
	assert_false(sent("instance-state-name"));
	q = (struct instances_query){.ids = ids, .n_ids = 2, .ended = true};
	assert_ok(instances_list(c, &q, a, &got, &why, soon(), &e));
	assert_true(sent("Version=2016-11-15&InstanceId.1=i-8&InstanceId.2=i-9"));
	assert_false(sent("MaxResults"));
	answered(200, BODY("<reservationSet>x</reservationSet>"));
	assert_err(instances_list(c, &q, a, &got, &why, soon(), &e), ERR_DENIED,
	           "DescribeInstances: the answer isn't what EC2 sends");
	answered(400, CODE("InvalidInstanceID.NotFound", "The instance ID 'i-8' does not exist"));
	assert_err(instances_list(c, &q, a, &got, &why, soon(), &e), ERR_ABSENT, "i-8");
	assert_string_equal(why.code, "InvalidInstanceID.NotFound");
}

static void those_that_are_gone_keep_none_alive(void **state)
{
	static const struct script_row rows[] = {
	        {POST, 1, 400, NULL,
	         CODE("InvalidInstanceID.NotFound",
	              "The instance IDs 'i-1, i-3' do not exist, i-2f")},
	        {POST, 0, 200, NULL, BODY("<instancesSet/>")},
	        {0},
	};
	static const char *const ids[] = {"i-1", "i-2", "i-3"};
	const char *many[INSTANCES_END_MAX + 1];

	(void)state;
	begin(rows);
	assert_ok(instances_end(c, ids, 3, &why, soon(), &e));
	assert_int_equal(script_count(&s, POST), 2);
	assert_true(sent("Action=TerminateInstances&Version=2016-11-15&InstanceId.1=i-2"));
	assert_false(sent("InstanceId.2"));
	assert_ok(instances_end(c, ids, 3, &why, soon(), &e));
	assert_true(sent("InstanceId.1=i-1&InstanceId.2=i-2&InstanceId.3=i-3"));
	answered(400, CODE("InvalidInstanceID.NotFound", "'i-1', 'i-2', 'i-3'"));
	assert_ok(instances_end(c, ids, 3, &why, soon(), &e));
	assert_int_equal(e.kind, ERR_NONE);
	assert_ok(instances_end(c, ids, 0, &why, soon(), &e));
	assert_int_equal(script_count(&s, POST), 1);
	answered(400, CODE("InvalidInstanceID.NotFound", "some others"));
	assert_err(instances_end(c, ids, 3, &why, soon(), &e), ERR_ABSENT, "some others");
	answered(403, CODE("UnauthorizedOperation", "i-1 i-2 i-3"));
	assert_err(instances_end(c, ids, 3, &why, soon(), &e), ERR_DENIED, "UnauthorizedOperation");
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = "i-1";
	assert_err(instances_end(c, many, ARRAY_LEN(many), &why, soon(), &e), ERR_BUG, "501");
	answered(200, BODY("<instancesSet/>"));
	assert_ok(instances_end(c, many, INSTANCES_END_MAX, &why, soon(), &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(a_launch_says_all_and_its_answer_is_read),
	        TEST(a_launch_says_where_and_how),
	        TEST(what_no_launch_answers_is_refused),
	        TEST(a_refusal_is_told_in_ec2s_words),
	        TEST(a_throttled_launch_keeps_its_token),
	        TEST(listings_are_read_page_by_page),
	        TEST(those_that_are_gone_keep_none_alive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
