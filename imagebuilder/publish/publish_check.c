/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the options of a publish against AWS's limits before the first call. */
#include <errno.h>
#include <string.h>

#include "aws/ec2_valid.h"
#include "aws/ssm.h"
#include "base/clock.h"
#include "cloud/partition.h"
#include "publish/publish_own.h"

#define TAGS_MAX 40 /* EC2 allows 50, including ours */

int publish_refuse(struct err *e, const char *what, const char *value, const char *expected)
{
	return err_set(e, ERR_USAGE, REASON_INPUT_SYNTAX, EINVAL, "%s '%s': expected %s", what,
	               value, expected);
}

static bool is_tag(const char *s, struct arena *a)
{
	const char *eq = strchr(s, '=');

	return eq && !str_starts(s, "hpc-imagebuild:") &&
	       ec2_valid_tag(arena_memdup(a, s, (size_t)(eq - s)), eq + 1);
}

static int check_lists(const struct publish_spec *s, struct arena *a, struct err *e)
{
	for (size_t i = 0; i < s->tags->n; i++)
		if (!is_tag(s->tags->items[i], a))
			return publish_refuse(
			        e, "--tag", s->tags->items[i],
			        "KEY=VALUE, of 127 and 255 characters, KEY not begun by aws: "
			        "or hpc-imagebuild:");
	if (s->tags->n > TAGS_MAX)
		return publish_refuse(e, "--tag", s->tags->items[TAGS_MAX], "at most 40 of them");
	for (size_t i = 0; i < s->follow.accounts->n; i++)
		if (!ec2_valid_account(s->follow.accounts->items[i]))
			return publish_refuse(e, "--share", s->follow.accounts->items[i],
			                      "an account's 12 digits");
	if (s->follow.accounts->n && s->encrypted && !s->kms_key)
		return publish_refuse(
		        e, "--share", s->follow.accounts->items[0],
		        "--kms-key with --encrypt: what the account's default key encrypts "
		        "can't be shared");
	for (size_t i = 0; i < s->follow.regions->n; i++)
		if (!partition_region_valid(s->follow.regions->items[i]))
			return publish_refuse(e, "--copy", s->follow.regions->items[i],
			                      "a region, such as eu-west-1");
	return 0;
}

int publish_check(const struct publish_spec *s, struct arena *a, struct err *e)
{
	if (!ec2_valid_name(s->name))
		return publish_refuse(e, "--name", s->name,
		                      "3 to 128 letters, digits and ()[] ./-'@_");
	if (s->description && !ec2_valid_description(s->description))
		return publish_refuse(e, "--description", s->description,
		                      "at most 255 printable ASCII characters");
	if (str_eq(s->arch, "arm64") && !str_eq(s->boot, "uefi"))
		return publish_refuse(e, "--boot", s->boot, "uefi, which is all that arm64 knows");
	/* EC2's own page on boot modes: an instance that starts by BIOS instead has neither. */
	if ((s->tpm || s->uefi_data) && !str_eq(s->boot, "uefi"))
		return publish_refuse(e, "--boot", s->boot,
		                      s->tpm ? "uefi, without which there is no TPM"
		                             : "uefi, without which --uefi-data holds nobody to "
		                               "its keys");
	if (s->parent && (s->encrypted || s->kms_key))
		return publish_refuse(e, "--parent", s->parent,
		                      "no encryption of its own: EBS takes the parent's");
	if (s->follow.alias && !ssm_name_valid(s->follow.alias))
		return publish_refuse(e, "--alias", s->follow.alias,
		                      "a parameter's name, such as /images/compute");
	if (s->follow.deprecate && !ec2_valid_deprecation(s->follow.deprecate, clock_wall()))
		return publish_refuse(
		        e, "--deprecate", s->follow.deprecate,
		        "a time to come within ten years, such as 2027-01-01T00:00:00Z");
	return check_lists(s, a, e);
}

static bool is_given_before(const struct command_list *list, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (str_eq(list->items[k], list->items[i]))
			return true;
	return false;
}

int publish_check_regions(const struct publish_spec *s, const char *own, struct err *e)
{
	const struct command_list *list = s->follow.regions;
	const struct partition *here = partition_by_region(own);

	for (size_t i = 0; i < list->n; i++) {
		const struct partition *there = partition_by_region(list->items[i]);

		if (str_eq(list->items[i], own))
			return publish_refuse(e, "--copy", list->items[i],
			                      "another region than the image's own");
		if (is_given_before(list, i))
			return publish_refuse(e, "--copy", list->items[i], "each region once");
		if (here && there && here != there)
			return publish_refuse(e, "--copy", list->items[i],
			                      "a region of the same partition: no image leaves it");
	}
	return 0;
}
