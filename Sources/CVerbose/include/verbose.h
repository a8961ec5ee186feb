/* SPDX-License-Identifier: Apache-2.0 */
/* What libbpf prints. */
#ifndef TCPSTATE_VERBOSE_H
#define TCPSTATE_VERBOSE_H

/* Whether libbpf's messages go to standard error. */
void tcpstate_print_messages(int wanted);

#endif
