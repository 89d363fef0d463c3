/* SPDX-License-Identifier: Apache-2.0 */
/* The options of hpc-imagebuild, and which verbs take them. */
#include "command/image.h"

#define RECIPE (VERB_CHECK | VERB_PLAN | VERB_PROVISION | VERB_BUILD | VERB_LOCK | VERB_SHELL)
#define AT(m)  offsetof(struct image, opt.m)

#define UPLOAD (VERB_PUBLISH | VERB_RESUME)
/* The verbs that inspect images. */
#define LOOK (VERB_VERIFY | VERB_DIFF)
/* build also publishes, with --format ami. */
#define AMI (VERB_PUBLISH | VERB_BUILD)
/* The steps after an image exists; resume may change them. */
#define FOLLOW (AMI | VERB_RESUME)
#define CLOUD                                                                                      \
	(UPLOAD | VERB_GC | VERB_COPY | VERB_SHARE | VERB_DEPRECATE | VERB_DEREGISTER | VERB_ALIAS)

static const char *const arches[] = {"x86_64", "arm64", NULL};
const char *const format_names[FORMATS_N + 1] = {"dir", "tar", "raw", "qcow2", FORMAT_AMI, NULL};
static const char *const firmwares[] = {"uefi", "bios", "uefi+secure", NULL};
static const char *const boots[] = {"uefi-preferred", "uefi", "legacy-bios", NULL};

const struct command_option option_table[] = {
        {"set", "NAME=VALUE", "a fact that the recipe may use as ${NAME}; may be given again", 0,
         RECIPE | VERB_VERIFY, COMMAND_LIST, AT(set), NULL},
        {"root", "DIR", "work on the system installed in DIR", 0, VERB_PROVISION, COMMAND_TEXT,
         AT(root), NULL},
        {"clean", NULL, "then remove what no image may have: the machine is to become one", 0,
         VERB_PROVISION, COMMAND_FLAG, AT(clean), NULL},
        {"incomplete", NULL,
         "carry out ParallelCluster's image configuration though parts of it are left out", 0,
         VERB_PROVISION, COMMAND_FLAG, AT(incomplete), NULL},
        PROGRAM_DEADLINE(VERB_PROVISION | VERB_BUILD | VERB_TEST | CLOUD,
                         "give up after this long (default: 4h; test 10m, with AWS 1h)"),
        {"name", "NAME", "name of the image; unique in its region", 'n', AMI | VERB_COPY,
         COMMAND_TEXT, AT(name), NULL},
        {"description", "TEXT", "description of the image", 0, AMI, COMMAND_TEXT, AT(description),
         NULL},
        {"arch", "ARCH", "processors of the image (default: x86_64)", 0, VERB_PUBLISH,
         COMMAND_CHOICE, AT(arch), arches},
        {"boot", "MODE", "how its instances start", 0, VERB_PUBLISH, COMMAND_CHOICE, AT(boot),
         boots},
        {"uefi-data", "FILE", "UEFI variables of its instances: the keys of Secure Boot", 0, AMI,
         COMMAND_TEXT, AT(uefi_data), NULL},
        {"tpm", NULL, "instances have NitroTPM 2.0", 0, AMI, COMMAND_FLAG, AT(tpm), NULL},
        {"parent", "ID", "send only what differs from this AMI or snapshot", 0, AMI, COMMAND_TEXT,
         AT(parent), NULL},
        {"encrypt", NULL, "encrypt the snapshot", 0, AMI | VERB_COPY, COMMAND_FLAG, AT(encrypt),
         NULL},
        {"kms-key", "ARN", "encrypt the snapshot with this key", 0, AMI, COMMAND_TEXT, AT(kms_key),
         NULL},
        {"tag", "KEY=VALUE", "tag of image and snapshot; may be given again", 't', AMI,
         COMMAND_LIST, AT(tags), NULL},
        {"share", "ACCOUNT", "account that may use the image; may be given again", 0, FOLLOW,
         COMMAND_LIST, AT(accounts), NULL, VERB_RESUME},
        {"copy", "REGION", "region to copy the image to; may be given again", 0, FOLLOW,
         COMMAND_LIST, AT(regions), NULL, VERB_RESUME},
        {"alias", "NAME", "SSM parameter that shall name the image", 0, FOLLOW, COMMAND_TEXT,
         AT(alias), NULL, VERB_RESUME},
        {"deprecate", "TIME", "when the image is deprecated: 2027-01-01T00:00:00Z", 0, FOLLOW,
         COMMAND_TEXT, AT(deprecate), NULL, VERB_RESUME},
        {"connections", "N", "connections to EBS (32, at most 100)", 0, UPLOAD | VERB_BUILD,
         COMMAND_NUMBER, AT(connections), NULL},
        {"state", "DIR", "where journals and block lists are (/var/lib/hpc-imagebuild)", 0,
         UPLOAD | VERB_BUILD | VERB_GC, COMMAND_TEXT, AT(state), NULL},
        {"region", "REGION", "instead of AWS_REGION", 0, CLOUD | VERB_BUILD, COMMAND_TEXT,
         AT(region), NULL},
        {"dry-run", NULL, "only say what would be removed", 0, VERB_GC, COMMAND_FLAG, AT(dry_run),
         NULL},
        {"output", "DIR", "directory for the image's files, NAME-VERSION.FORMAT", 'o', VERB_BUILD,
         COMMAND_TEXT, AT(output), NULL},
        {"format", "LIST", "with commas between (default: raw)", 0, VERB_BUILD, COMMAND_TEXT,
         AT(format), format_names},
        {"compress", NULL, "compress these files: .raw.zst, .tar.zst, and a qcow2 disk within", 0,
         VERB_BUILD, COMMAND_FLAG, AT(compress), NULL},
        {"store", "DIR", "where layers are kept (default: /var/cache/hpc-node/images)", 0,
         VERB_PLAN | VERB_BUILD | VERB_SHELL | VERB_CACHE | VERB_LOCK | LOOK, COMMAND_TEXT,
         AT(store), NULL},
        {"fetch", NULL, "get the packages into the store too, for builds without a network", 0,
         VERB_LOCK, COMMAND_FLAG, AT(fetch), NULL},
        {"update", NULL,
         "make the lock that is there anew, or only the packages named and what they newly need", 0,
         VERB_LOCK, COMMAND_FLAG, AT(update), NULL},
        {"unlocked", NULL, "leave the lock beside the recipe alone", 0,
         VERB_PLAN | VERB_BUILD | VERB_SHELL, COMMAND_FLAG, AT(unlocked), NULL},
        {"snapshot", "URL",
         "where packages are that left Debian's archive (default: https://snapshot.debian.org); "
         "empty: nowhere",
         0, VERB_LOCK | VERB_BUILD, COMMAND_TEXT, AT(snapshot), NULL,
         .empty = VERB_LOCK | VERB_BUILD},
        {"firmware", "NAME", "what starts the disk (default: uefi)", 0, VERB_TEST, COMMAND_CHOICE,
         AT(firmware), firmwares},
        {"recipe", "FILE", "the image's recipe: what that puts in on purpose is no fault", 0,
         VERB_VERIFY, COMMAND_TEXT, AT(recipe), NULL},
        {"failed", NULL, "in the tree of the step that failed last", 0, VERB_SHELL, COMMAND_FLAG,
         AT(failed), NULL},
        {"keep", "SIZE", "how much prune leaves (default: 20G)", 0, VERB_CACHE, COMMAND_SIZE,
         AT(keep), NULL},
        PROGRAM_JSON(VERB_CHECK | VERB_LOCK | VERB_TEST | VERB_PLAN | VERB_PROVISION | VERB_BUILD |
                     VERB_CACHE | UPLOAD | VERB_GC | LOOK),
        PROGRAM_QUIET,
        PROGRAM_VERBOSE,
        {0},
};
_Static_assert(ARRAY_LEN(option_table) <= COMMAND_OPTIONS_MAX + 1, "command.c reads no more rows");
