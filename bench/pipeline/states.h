/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's numbers of the states: include/net/tcp_states.h. */
#ifndef STATES_H
#define STATES_H

enum {
	ESTABLISHED = 1,
	SYN_SENT,
	SYN_RECV,
	FIN_WAIT1,
	FIN_WAIT2,
	TIME_WAIT,
	CLOSE,
	CLOSE_WAIT,
	LAST_ACK,
	LISTEN,
	CLOSING
};

#endif
