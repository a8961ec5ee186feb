/* SPDX-License-Identifier: Apache-2.0 */
/* The command line as the kernel passed it. */
#ifndef TCPSTATE_FRONT_H
#define TCPSTATE_FRONT_H

/* How many arguments there are, the program's name among them. */
int tcpstate_argument_count(void);

/* The argument with that number, as bytes up to a zero; null if there is none. */
const char *tcpstate_argument(int number);

#endif
