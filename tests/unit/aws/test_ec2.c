/* SPDX-License-Identifier: Apache-2.0 */
/* EC2's query protocol: what each call sends, and what its answers and refusals mean. */
#include "service.h"

#include "aws/ec2.h"

#define POST       "POST / "
#define BODY(text) "<R><requestId>1</requestId>" text "</R>"
#define CODE(code)                                                                                 \
	"<Response><Errors><Error><Code>" code "</Code><Message>words</Message></Error></Errors>"  \
	"<RequestID>1</RequestID></Response>"

static bool sent(const char *part)
{
	return strstr(script_last(&s, POST), part) != NULL;
}

/* One row that answers everything with `text`. */
static void answered(const char *text)
{
	static struct script_row rows[2];

	rows[0] = (struct script_row){POST, 0, 200, NULL, text};
	begin(rows);
}

static void listings_are_read_page_by_page(void **state)
{
	static const struct script_row rows[] = {
	        {POST, 1, 200, NULL,
	         BODY("<snapshotSet><item><snapshotId>snap-1</snapshotId></item></snapshotSet>"
	              "<nextToken>t/1</nextToken>")},
	        {POST, 1, 200, NULL,
	         BODY("<snapshotSet><item><snapshotId>snap-2</snapshotId></item></snapshotSet>"), 0,
	         0},
	        {POST, 0, 200, NULL, BODY("<snapshotSet/>")},
	        {0},
	};
	struct ec2_query q = {.filters = {{"tag:a b", "c&d"}}, .n_filters = 1};
	struct doc *got;

	(void)state;
	begin(rows);
	assert_ok(ec2_snapshots(c, &q, a, &got, soon(), &e));
	assert_int_equal(got->n, 2);
	assert_string_equal(doc_text(got->items[1], "snapshotId"), "snap-2");
	assert_true(sent("Action=DescribeSnapshots&Version=2016-11-15&Owner.1=self"
	                 "&Filter.1.Name=tag%3Aa%20b&Filter.1.Value.1=c%26d&MaxResults=500"
	                 "&NextToken=t%2F1"));
	q = (struct ec2_query){.id = "snap-3", .region = "us-east-1"};
	assert_ok(ec2_snapshots(c, &q, a, &got, soon(), &e));
	assert_int_equal(got->n, 0);
	assert_true(sent("SnapshotId.1=snap-3") && !sent("MaxResults"));
	assert_true(sent("/us-east-1/ec2/aws4_request"));
	assert_ok(ec2_images(c, &q, a, &got, soon(), &e));
	assert_true(sent("Action=DescribeImages") && sent("ImageId.1=snap-3"));
}

static void an_image_is_registered(void **state)
{
	const struct ec2_tag tags[] = {{"team", "a b"}, {"k", ""}};
	struct ec2_register what = {.name = "n (1)",
	                            .description = "d",
	                            .arch = "x86_64",
	                            .boot = "uefi-preferred",
	                            .snapshot = "snap-1",
	                            .gib = 8,
	                            .tags = tags,
	                            .n_tags = 2};
	const char *id = NULL;

	(void)state;
	answered(BODY("<imageId>ami-1</imageId>"));
	assert_ok(ec2_register(c, &what, a, &id, soon(), &e));
	assert_string_equal(id, "ami-1");
	assert_true(sent(
	        "\r\n\r\nAction=RegisterImage&Version=2016-11-15&Name=n%20%281%29&Description=d"
	        "&Architecture=x86_64&BootMode=uefi-preferred&EnaSupport=true&SriovNetSupport=simple"
	        "&ImdsSupport=v2.0&VirtualizationType=hvm&RootDeviceName=%2Fdev%2Fxvda"
	        "&BlockDeviceMapping.1.DeviceName=%2Fdev%2Fxvda"
	        "&BlockDeviceMapping.1.Ebs.SnapshotId=snap-1&BlockDeviceMapping.1.Ebs.VolumeSize=8"
	        "&BlockDeviceMapping.1.Ebs.VolumeType=gp3&BlockDeviceMapping.1.Ebs.Iops=3000"
	        "&BlockDeviceMapping.1.Ebs.Throughput=125"
	        "&BlockDeviceMapping.1.Ebs.DeleteOnTermination=true"
	        "&TagSpecification.1.ResourceType=image&TagSpecification.1.Tag.1.Key=team"
	        "&TagSpecification.1.Tag.1.Value=a%20b&TagSpecification.1.Tag.2.Key=k"
	        "&TagSpecification.1.Tag.2.Value="));
	assert_true(sent("Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"));
	struct ec2_register secure = what;
	secure.boot = "uefi";
	secure.tpm = true;
	secure.uefi_data = "QU1a+/==";
	answered(BODY("<imageId>ami-2</imageId>"));
	assert_ok(ec2_register(c, &secure, a, &id, soon(), &e));
	assert_true(sent("&BootMode=uefi&TpmSupport=v2.0&UefiData=QU1a%2B%2F%3D%3D&EnaSupport"));
	answered(BODY("<imageId>ami-1</imageId>"));
	assert_ok(ec2_register(c, &what, a, &id, soon(), &e));
	answered(BODY("<imageId>snap-1</imageId>"));
	assert_err(ec2_register(c, &what, a, &id, soon(), &e), ERR_DENIED,
	           "registering 'n (1)': the answer names no image");
	assert_int_equal(e.reason, REASON_HTTP_STATUS);
	assert_int_equal(e.no, EPROTO);
	answered(BODY(""));
	assert_err(ec2_register(c, &what, a, &id, soon(), &e), ERR_DENIED, "names no image");
	/* Only a dry run takes that answer for a success. */
	begin((const struct script_row[]){{POST, 0, 412, NULL, CODE("DryRunOperation")}, {0}});
	assert_err(ec2_register(c, &what, a, &id, soon(), &e), ERR_DENIED, "DryRunOperation");
	assert_int_equal(e.reason, REASON_AWS_STATE);
	assert_int_equal(e.no, EALREADY);
	what.dry_run = true;
	begin((const struct script_row[]){{POST, 0, 412, NULL, CODE("DryRunOperation")}, {0}});
	assert_ok(ec2_register(c, &what, a, &id, soon(), &e));
	assert_true(sent("DryRun=true"));
	assert_int_equal(e.kind, ERR_NONE);
	begin((const struct script_row[]){{POST, 0, 403, NULL, CODE("UnauthorizedOperation")},
	                                  {0}});
	assert_err(ec2_register(c, &what, a, &id, soon(), &e), ERR_DENIED, "UnauthorizedOperation");
	assert_int_equal(e.reason, REASON_AWS_DENIED);
	assert_string_equal(id, "ami-1");
}

static void an_image_is_copied(void **state)
{
	struct ec2_copy copy = {
	        .region = "us-east-1", .from = "eu-west-1", .id = "ami-1", .name = "n"};
	struct ec2_copy other = copy;
	const char *id = NULL;

	(void)state;
	copy.token = ec2_copy_token(&copy, a);
	assert_string_equal(copy.token, ec2_copy_token(&other, a));
	other.encrypted = true;
	assert_string_not_equal(copy.token, ec2_copy_token(&other, a));
	answered(BODY("<imageId>ami-2</imageId>"));
	assert_ok(ec2_copy(c, &copy, a, &id, soon(), &e));
	assert_string_equal(id, "ami-2");
	assert_true(sent("\r\n\r\nAction=CopyImage&Version=2016-11-15&Name=n&SourceImageId=ami-1"
	                 "&SourceRegion=eu-west-1&ClientToken="));
	assert_true(sent(copy.token) && sent("/us-east-1/ec2/aws4_request"));
	assert_true(sent("CopyImageTags=true") && !sent("Encrypted"));
	assert_ok(ec2_copy(c, &other, a, &id, soon(), &e));
	assert_true(sent("Encrypted=true"));
}

static void what_is_changed(void **state)
{
	struct doc *deleted = NULL;
	bool on = false;

	(void)state;
	answered(BODY("<return>true</return>"));
	assert_ok(ec2_share_image(c, NULL, "ami-1", "123456789012", soon(), &e));
	assert_true(sent("\r\n\r\nAction=ModifyImageAttribute&Version=2016-11-15&ImageId=ami-1"
	                 "&LaunchPermission.Add.1.UserId=123456789012"));
	assert_ok(ec2_share_snapshot(c, NULL, "snap-1", "123456789012", soon(), &e));
	assert_true(sent("Action=ModifySnapshotAttribute&Version=2016-11-15"
	                 "&SnapshotId=snap-1&Attribute=createVolumePermission&OperationType=add"
	                 "&UserId.1=123456789012"));
	assert_ok(ec2_deprecate(c, NULL, "ami-1", "2027-01-01T00:00:00Z", soon(), &e));
	assert_true(sent("Action=EnableImageDeprecation&Version=2016-11-15"
	                 "&ImageId=ami-1&DeprecateAt=2027-01-01T00%3A00%3A00Z"));
	assert_ok(ec2_delete_snapshot(c, NULL, "snap-1", soon(), &e));
	assert_true(sent("Action=DeleteSnapshot") && sent("SnapshotId=snap-1"));
	assert_ok(ec2_deregister(c, NULL, "ami-1", a, &deleted, soon(), &e));
	assert_true(sent("Action=DeregisterImage&Version=2016-11-15"
	                 "&ImageId=ami-1&DeleteAssociatedSnapshots=true"));
	assert_null(deleted);
	assert_ok(ec2_encrypts(c, NULL, &on, soon(), &e));
	assert_true(sent("Action=GetEbsEncryptionByDefault&Version=2016-11-15"));
	assert_false(on);
	answered(BODY("<ebsEncryptionByDefault>true</ebsEncryptionByDefault>"));
	assert_ok(ec2_encrypts(c, "us-east-1", &on, soon(), &e));
	assert_true(on);
	assert_true(sent("/us-east-1/ec2/aws4_request"));
	answered(BODY("<deleteSnapshotResultSet><item><snapshotId>snap-1</snapshotId></item>"
	              "</deleteSnapshotResultSet>"));
	assert_ok(ec2_deregister(c, NULL, "ami-1", a, &deleted, soon(), &e));
	assert_int_equal(deleted->n, 1);
	assert_string_equal(doc_text(deleted->items[0], "snapshotId"), "snap-1");
}

static void a_change_that_was_not_made(void **state)
{
	(void)state;
	answered(BODY("<return>false</return>"));
	assert_err(ec2_share_image(c, NULL, "ami-1", "123456789012", soon(), &e), ERR_DENIED,
	           "EC2 didn't do it");
	answered("not XML");
	assert_err(ec2_share_image(c, NULL, "ami-1", "123456789012", soon(), &e), ERR_DENIED,
	           "sharing 'ami-1': the answer isn't what EC2 sends");
	assert_int_equal(e.reason, REASON_HTTP_STATUS);
	assert_int_equal(e.no, EPROTO);
}

/* Whatever is asked, a refusal is told, and no result is taken from it. */
static void each_call_tells_its_refusal(void **state)
{
	const struct script_row script[] = {{POST, 0, 403, NULL, CODE("UnauthorizedOperation")},
	                                    {0}};
	struct ec2_register image = {
	        .name = "n", .arch = "x86_64", .boot = "uefi", .snapshot = "snap-1", .gib = 8};
	struct ec2_copy copy = {
	        .region = "eu-west-1", .from = "eu-west-1", .id = "ami-1", .name = "n"};
	struct ec2_query all = {0};
	struct doc *got = NULL;
	const char *id = NULL;
	bool on = true;

	(void)state;
	begin(script);
	assert_err(ec2_snapshots(c, &all, a, &got, soon(), &e), ERR_DENIED, "DescribeSnapshots: ");
	assert_int_equal(e.reason, REASON_AWS_DENIED);
	assert_err(ec2_images(c, &all, a, &got, soon(), &e), ERR_DENIED, "DescribeImages: ");
	assert_err(ec2_encrypts(c, NULL, &on, soon(), &e), ERR_DENIED, "GetEbsEncryption");
	assert_err(ec2_register(c, &image, a, &id, soon(), &e), ERR_DENIED, "registering 'n': ");
	assert_err(ec2_copy(c, &copy, a, &id, soon(), &e), ERR_DENIED, "copying 'ami-1': ");
	assert_err(ec2_share_snapshot(c, NULL, "snap-1", "1", soon(), &e), ERR_DENIED,
	           "sharing 'snap-1': ");
	assert_err(ec2_deprecate(c, NULL, "ami-1", "x", soon(), &e), ERR_DENIED,
	           "deprecating 'ami-1': ");
	assert_err(ec2_deregister(c, NULL, "ami-1", a, &got, soon(), &e), ERR_DENIED,
	           "deregistering 'ami-1': ");
	assert_err(ec2_delete_snapshot(c, NULL, "snap-1", soon(), &e), ERR_DENIED,
	           "deleting 'snap-1': ");
	assert_null(got);
	assert_null(id);
	assert_true(on);
}

static void an_answer_of_another_form(void **state)
{
	struct ec2_query all = {0};
	struct doc *got = NULL;

	(void)state;
	answered(BODY("<imagesSet>text</imagesSet>"));
	assert_err(ec2_images(c, &all, a, &got, soon(), &e), ERR_DENIED,
	           "DescribeImages: the answer isn't what EC2 sends");
	assert_int_equal(e.reason, REASON_HTTP_STATUS);
	assert_int_equal(e.no, EPROTO);
	assert_null(got);
	answered(BODY(""));
	assert_ok(ec2_images(c, &all, a, &got, soon(), &e));
	assert_int_equal(got->n, 0);
}

/* A page of so many images. */
static const char *page_of(int n, const char *rest)
{
	struct strbuf text = STRBUF(a, 1 << 16);

	strbuf_str(&text, "<R><imagesSet>");
	for (int i = 0; i < n; i++)
		strbuf_str(&text, "<item/>");
	strbuf_printf(&text, "</imagesSet>%s</R>", rest);
	return text.data;
}

static void a_listing_at_its_ceiling(void **state)
{
	const char *more = page_of(EC2_LIST_MAX / 25, "<nextToken>t</nextToken>");
	struct ec2_query all = {0};
	struct doc *got = NULL;

	(void)state;
	begin((const struct script_row[]){{POST, 24, 200, NULL, more},
	                                  {POST, 0, 200, NULL, page_of(EC2_LIST_MAX / 25, "")},
	                                  {0}});
	assert_ok(ec2_images(c, &all, a, &got, soon(), &e));
	assert_int_equal(got->n, EC2_LIST_MAX);
	got = NULL;
	begin((const struct script_row[]){
	        {POST, 25, 200, NULL, more}, {POST, 0, 200, NULL, page_of(1, "")}, {0}});
	assert_err(ec2_images(c, &all, a, &got, soon(), &e), ERR_INPUT,
	           "DescribeImages: more than 10000 of them");
	assert_int_equal(e.reason, REASON_INPUT_LIMIT);
	assert_int_equal(e.no, E2BIG);
	assert_null(got);
}

/* What doesn't fit in a request is never sent. */
static void too_much_is_asked(void **state)
{
	struct ec2_register image = {.name = "n", .arch = "x86_64", .boot = "uefi", .gib = 8};
	char *much = arena_alloc(a, 262144);
	const char *id = NULL;

	(void)state;
	answered(BODY("<imageId>ami-1</imageId>"));
	memset(much, 'd', 262143);
	image.snapshot = much;
	assert_err(ec2_register(c, &image, a, &id, soon(), &e), ERR_INPUT,
	           "registering 'n': too much is asked");
	assert_int_equal(e.reason, REASON_INPUT_LIMIT);
	assert_int_equal(e.no, E2BIG);
	assert_int_equal(script_count(&s, POST), 0);
}

static void refusals(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
		enum reason reason;
		int no;
	} rows[] = {
	        {400, CODE("InvalidAMIID.NotFound"), ERR_ABSENT, REASON_AWS_ABSENT, ENOENT},
	        {400, CODE("InvalidSnapshot.NotFound"), ERR_ABSENT, REASON_AWS_ABSENT, ENOENT},
	        {400, CODE("InvalidSnapshot.InUse"), ERR_DENIED, REASON_AWS_CONFLICT, EBUSY},
	        {400, CODE("InvalidAMIName.Duplicate"), ERR_DENIED, REASON_AWS_CONFLICT, EEXIST},
	        {403, CODE("UnauthorizedOperation"), ERR_DENIED, REASON_AWS_DENIED, EACCES},
	        {401, CODE("AuthFailure"), ERR_DENIED, REASON_CREDENTIALS_REJECTED, EACCES},
	        {401, CODE("OptInRequired"), ERR_DENIED, REASON_AWS_DENIED, EACCES},
	        {400, CODE("InvalidAMIID.Unavailable"), ERR_ABSENT, REASON_AWS_ABSENT, ENOENT},
	        {400, CODE("IdempotentParameterMismatch"), ERR_DENIED, REASON_AWS_CONFLICT, EEXIST},
	        {400, CODE("AMIQuotaExceeded"), ERR_DENIED, REASON_AWS_QUOTA, EDQUOT},
	        {503, CODE("EC2ThrottledException"), ERR_RETRY, REASON_AWS_THROTTLED, EAGAIN},
	        {400, CODE("ResourceLimitExceeded"), ERR_DENIED, REASON_AWS_QUOTA, EDQUOT},
	        {400, CODE("SnapshotLimitExceeded"), ERR_DENIED, REASON_AWS_QUOTA, EDQUOT},
	        {503, CODE("RequestLimitExceeded"), ERR_RETRY, REASON_AWS_THROTTLED, EAGAIN},
	        {503, CODE("Unavailable"), ERR_RETRY, REASON_HTTP_STATUS, EAGAIN},
	        {400, CODE("SomethingElse"), ERR_DENIED, REASON_AWS_INVALID, EINVAL},
	        {418, CODE("SomethingElse"), ERR_DENIED, REASON_HTTP_STATUS, EPROTO},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_row script[] = {{POST, 0, rows[i].status, NULL, rows[i].body},
		                                    {0}};

		begin(script);
		assert_err(ec2_share_image(c, NULL, "ami-1", "1", clock_in_ms(10000), &e),
		           rows[i].kind, "sharing 'ami-1'");
		assert_int_equal(e.reason, rows[i].reason);
		assert_int_equal(e.no, rows[i].no);
	}
	begin((const struct script_row[]){{POST, 0, 400, NULL, CODE("InvalidSnapshot.NotFound")},
	                                  {0}});
	assert_ok(ec2_delete_snapshot(c, NULL, "snap-1", soon(), &e));
	assert_int_equal(e.kind, ERR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(listings_are_read_page_by_page),
	        TEST(an_image_is_registered),
	        TEST(an_image_is_copied),
	        TEST(what_is_changed),
	        TEST(a_change_that_was_not_made),
	        TEST(each_call_tells_its_refusal),
	        TEST(an_answer_of_another_form),
	        TEST(a_listing_at_its_ceiling),
	        TEST(too_much_is_asked),
	        TEST(refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
