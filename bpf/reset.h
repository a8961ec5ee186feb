/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Why a RST is sent: the kernel's reasons by name, because their numbers differ between kernels. */
#ifndef TCPSTATE_RESET_H
#define TCPSTATE_RESET_H

#include "kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <tcpstate_event.h>

/* Relocated by name, so the numbers here mean nothing. */
enum sk_rst_reason {
	SK_RST_REASON_NO_SOCKET,
	SK_RST_REASON_TCP_INVALID_ACK_SEQUENCE,
	SK_RST_REASON_TCP_RFC7323_PAWS,
	SK_RST_REASON_TCP_TOO_OLD_ACK,
	SK_RST_REASON_TCP_ACK_UNSENT_DATA,
	SK_RST_REASON_TCP_FLAGS,
	SK_RST_REASON_TCP_OLD_ACK,
	SK_RST_REASON_TCP_ABORT_ON_DATA,
	SK_RST_REASON_TCP_TIMEWAIT_SOCKET,
	SK_RST_REASON_INVALID_SYN,
	SK_RST_REASON_TCP_ABORT_ON_CLOSE,
	SK_RST_REASON_TCP_ABORT_ON_LINGER,
	SK_RST_REASON_TCP_ABORT_ON_MEMORY,
	SK_RST_REASON_TCP_STATE,
	SK_RST_REASON_TCP_KEEPALIVE_TIMEOUT,
	SK_RST_REASON_TCP_DISCONNECT_WITH_DATA,
	SK_RST_REASON_MPTCP_RST_EUNSPEC,
	SK_RST_REASON_MPTCP_RST_EMPTCP,
	SK_RST_REASON_MPTCP_RST_ERESOURCE,
	SK_RST_REASON_MPTCP_RST_EPROHIBIT,
	SK_RST_REASON_MPTCP_RST_EWQ2BIG,
	SK_RST_REASON_MPTCP_RST_EBADPERF,
	SK_RST_REASON_MPTCP_RST_EMIDDLEBOX,
	SK_RST_REASON_ERROR,
};

/* If the kernel lacks a name, its test is dead code to the verifier. */
#define KNOWN(name)                                                                          \
	do {                                                                                 \
		if (bpf_core_enum_value_exists(enum sk_rst_reason, SK_RST_REASON_##name) &&  \
		    reason == bpf_core_enum_value(enum sk_rst_reason, SK_RST_REASON_##name)) \
			return TCPSTATE_RESET_##name;                                        \
	} while (0)

static __always_inline __u8 reset_reason(__u32 reason)
{
	KNOWN(NO_SOCKET);
	KNOWN(TCP_INVALID_ACK_SEQUENCE);
	KNOWN(TCP_RFC7323_PAWS);
	KNOWN(TCP_TOO_OLD_ACK);
	KNOWN(TCP_ACK_UNSENT_DATA);
	KNOWN(TCP_FLAGS);
	KNOWN(TCP_OLD_ACK);
	KNOWN(TCP_ABORT_ON_DATA);
	KNOWN(TCP_TIMEWAIT_SOCKET);
	KNOWN(INVALID_SYN);
	KNOWN(TCP_ABORT_ON_CLOSE);
	KNOWN(TCP_ABORT_ON_LINGER);
	KNOWN(TCP_ABORT_ON_MEMORY);
	KNOWN(TCP_STATE);
	KNOWN(TCP_KEEPALIVE_TIMEOUT);
	KNOWN(TCP_DISCONNECT_WITH_DATA);
	KNOWN(MPTCP_RST_EUNSPEC);
	KNOWN(MPTCP_RST_EMPTCP);
	KNOWN(MPTCP_RST_ERESOURCE);
	KNOWN(MPTCP_RST_EPROHIBIT);
	KNOWN(MPTCP_RST_EWQ2BIG);
	KNOWN(MPTCP_RST_EBADPERF);
	KNOWN(MPTCP_RST_EMIDDLEBOX);
	KNOWN(ERROR);
	return 0;
}

#undef KNOWN

#endif
