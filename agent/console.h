/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is told on the serial console. EC2 keeps its output and gives it to those who may ask for it,
 * so that it is the only source when nobody can log in to a node, and for who is about to: what is
 * there came from the instance itself, whoever sits in the network between.
 */
#pragma once

/* One line. Whatever becomes of it: there is nobody to tell. */
void console_line(const char *line);

/* The public keys of this machine's SSH server, between the marks that cloud-init made usual, without
 * names; nothing where there are none. `root` is the descriptor of the machine's root. */
#define CONSOLE_KEYS_BEGIN "-----BEGIN SSH HOST KEY KEYS-----"
#define CONSOLE_KEYS_END   "-----END SSH HOST KEY KEYS-----"
void console_host_keys(int root);
