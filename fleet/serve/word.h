/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What workstations want of the fleet, and what it tells them, beside the configuration in S3; see
 * fleet_word.h. A service without a configuration in S3 has neither. That S3 can't be reached is no failure of the
 * service: it is told once, and tried again at the next time.
 */
#pragma once

#include "serve/fleet.h"

/* Knows from the site where both are, and from the state directory what was carried out last. */
int word_open(struct fleet *f, struct err *e) ATTR_MUST_USE;
/* Carries out what is wanted, if that is new. Fails where the journal or the state directory does. */
int word_read(struct fleet *f, struct err *e) ATTR_MUST_USE;
/* Tells how the fleet is, if that changed. */
void word_tell(struct fleet *f);
