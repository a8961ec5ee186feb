/* SPDX-License-Identifier: Apache-2.0 */
/* What one record says about its connection, as TCPStateCore decides it. */
#ifndef TWIN_CONNECTION_H
#define TWIN_CONNECTION_H

#define COMPLETE_SINCE 1ull

enum reason {
	NO_REASON,
	FIN,
	RESET_RECEIVED,
	RESET_SENT,
	TIMEOUT,
	REFUSED,
	UNREACHABLE,
	ABORTED,
	KILLED,
	UNACCEPTED,
	PROHIBITED,
	REPAIR,
	NO_PORT,
	NO_ROUTE,
	UNKNOWN
};

struct row {
	struct connection *connection;
	const struct tcpstate_event *event;
	int state_old, state_new;
	struct tcpstate_stay stay;
	enum reason reason;
};

static bool synchronized(int state)
{
	return state != CLOSE && state != LISTEN && state != SYN_SENT && state != SYN_RECV &&
	       state != 12;
}

static enum reason reason_of(int error)
{
	switch (error) {
	case 104:
	case 32:
		return RESET_RECEIVED;
	case 111:
		return REFUSED;
	case 110:
		return TIMEOUT;
	case 101:
	case 113:
	case 100:
	case 112:
	case 64:
	case 92:
	case 71:
	case 95:
		return UNREACHABLE;
	case 13:
	case 1:
		return PROHIBITED;
	case 103:
		return KILLED;
	default:
		return UNKNOWN;
	}
}

/* What →CLOSED means; false if only the full socket goes and FIN-WAIT-2 goes on. */
static bool ending(const struct tcpstate_event *e, struct row *row)
{
	bool owned = e->flags & TCPSTATE_FLAG_OWNED,
	     has_socket = e->flags & TCPSTATE_FLAG_HAS_SOCKET;

	if (row->state_old == LISTEN)
		return true;
	if (e->flags & (TCPSTATE_FLAG_REPAIR | TCPSTATE_FLAG_NO_PORT | TCPSTATE_FLAG_NO_ROUTE)) {
		row->reason = e->flags & TCPSTATE_FLAG_REPAIR	 ? REPAIR
			      : e->flags & TCPSTATE_FLAG_NO_PORT ? NO_PORT
								 : NO_ROUTE;
		return true;
	}
	if (e->error) {
		row->reason = reason_of(e->error);
		if (row->reason == RESET_RECEIVED && e->flags & TCPSTATE_FLAG_RESET_SENT)
			row->reason = RESET_SENT;
		return true;
	}
	switch (row->state_old) {
	case FIN_WAIT2:
		if (!(e->flags & TCPSTATE_FLAG_DONE)) {
			row->reason =
				has_socket || (owned && e->linger2 < 0) ? ABORTED : RESET_SENT;
			return has_socket || e->linger2 < 0 || e->flags & TCPSTATE_FLAG_RESET_SENT;
		}
		/* fallthrough */
	case CLOSING:
		row->state_new = TIME_WAIT;
		/* fallthrough */
	case LAST_ACK:
		row->reason = FIN;
		return true;
	default:
		row->reason = owned ? ABORTED : has_socket ? UNKNOWN : UNACCEPTED;
		return true;
	}
}

static struct tcpstate_stay syn_received_stay(const struct tcpstate_event *e, struct connection *c,
					      struct tcpstate_stay spacing)
{
	if (c->role != SERVER)
		return spacing;
	c->syn_ack_retransmits = e->retransmits > 255 ? 255 : e->retransmits;
	return tcpstate_syn_received_stay(
		e->smoothed_rtt_us8, e->retransmits,
		e->flags & TCPSTATE_FLAG_HAS_RTO_TIME ? e->total_rto_time_ms : 0,
		spacing.known ? spacing.ns : 0);
}

static void count(struct connection *c, const struct tcpstate_event *e, bool sequenced)
{
	uint64_t fin = e->flags & TCPSTATE_FLAG_DONE ? 1 : 0;
	uint32_t first;

	c->bytes_sent =
		e->bytes_sent -
		(e->bytes_retransmitted < e->bytes_sent ? e->bytes_retransmitted : e->bytes_sent);
	c->bytes_received = e->bytes_received - (fin < e->bytes_received ? fin : e->bytes_received);
	c->counted = true;
	c->rtt_us = e->smoothed_rtt_us8 >> 3;
	c->retransmits = e->retransmits;
	if (!sequenced)
		return;
	c->send_next = e->send_next;
	c->receive_next = e->receive_next;
	if (c->sequenced)
		return;
	if (c->role == UNKNOWN_ROLE &&
	    (e->state_old == ESTABLISHED || e->state_old == CLOSE_WAIT) &&
	    !(e->flags & TCPSTATE_FLAG_SEND_SHUTDOWN)) {
		uint64_t syn = e->bytes_acknowledged +
			       (uint32_t)(e->send_next - e->send_unacknowledged) - c->bytes_sent;

		c->role = syn == 1 ? CLIENT : syn == 0 ? SERVER : UNKNOWN_ROLE;
	}
	if (c->role != CLIENT && c->role != SERVER)
		return;
	first = e->send_unacknowledged - (uint32_t)e->bytes_acknowledged;
	c->initial_send = c->role == CLIENT ? first : first - 1;
	c->initial_receive = e->receive_next - (uint32_t)e->bytes_received - 1;
	c->sequenced = true;
}

static bool has_sent_fin(int state)
{
	return state == FIN_WAIT1 || state == FIN_WAIT2 || state == CLOSING || state == LAST_ACK;
}

/* Which call sent this end's FIN. */
static void learn_fin_call(struct connection *c, const struct tcpstate_event *e)
{
	if (c->fin_by_shutdown || c->fin_by_close)
		return;
	if (!has_sent_fin(e->state_old))
		c->fin_by_shutdown =
			e->state_old != CLOSE_WAIT && !(e->flags & TCPSTATE_FLAG_RECEIVE_SHUTDOWN);
	else if (e->flags & TCPSTATE_FLAG_HAS_SOCKET)
		c->fin_by_shutdown = !(e->flags & TCPSTATE_FLAG_LINGER);
	else
		c->fin_by_close = c->entered >= COMPLETE_SINCE;
}

/* A listener's owner doesn't replace one that was seen with the socket. */
static void take_owner(struct connection *c, const struct tcpstate_event *e)
{
	if (e->owner_kind == TCPSTATE_OWNER_INHERITED && c->owner_pid &&
	    c->owner_kind != TCPSTATE_OWNER_INHERITED)
		return;
	c->owner_pid = e->owner_pid;
	c->owner_name = name_from(e->owner_name);
	c->owner_kind = e->owner_kind;
}

static void learn(struct connection *c, const struct tcpstate_event *e)
{
	int old = e->state_old, new = e->state_new;

	memcpy(c->local_address, e->local_address, 16);
	memcpy(c->peer_address, e->peer_address, 16);
	c->local_port = e->local_port;
	c->peer_port = e->peer_port;
	c->netns = e->netns;
	if (e->interface_index)
		c->interface = e->interface_index;
	c->user_id = e->user_id;
	c->cgroup = e->cgroup_id;
	if (e->owner_pid)
		take_owner(c, e);
	if (old == CLOSE && new == SYN_SENT)
		c->role = CLIENT;
	else if (old == LISTEN && new == SYN_RECV)
		c->role = SERVER;
	else if (old == LISTEN || new == LISTEN)
		c->role = LISTENER;
	else if (old == ESTABLISHED && new == FIN_WAIT1)
		c->closer = 1;
	else if (old == ESTABLISHED && new == CLOSE_WAIT)
		c->closer = 2;
	else if (old == FIN_WAIT1 && new == CLOSING)
		c->closer = 3;
	if (old == LISTEN || new == LISTEN || new == SYN_SENT)
		return;
	if (new == FIN_WAIT1 || new == LAST_ACK || has_sent_fin(old))
		learn_fin_call(c, e);
	count(c, e, synchronized(old) || new == ESTABLISHED);
}

#endif
