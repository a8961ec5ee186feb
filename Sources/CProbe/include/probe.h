/* SPDX-License-Identifier: Apache-2.0 */
/* System calls whose maker may not survive them. */
#ifndef TCPSTATE_PROBE_H
#define TCPSTATE_PROBE_H

/*
 * Makes a system call in a child, in case a seccomp filter kills whoever makes
 * it. Returns its errno, 0 if it succeeds, minus the signal that ended the
 * child, and ECHILD if there can't be one.
 */
int tcpstate_try_call(long number, long first, long second, long third, long fourth, long fifth);

#endif
