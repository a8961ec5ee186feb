// SPDX-License-Identifier: Apache-2.0
/*
 * Writes the records of CONNECTIONS loopback connections to standard output,
 * as the kernel side would: both ends of each, 10 transitions, in the order
 * and at the pace of churn, for 100 client and 16 server processes. Always the
 * same bytes.
 *
 *	records CONNECTIONS [open]
 *
 * With "open", all connections stay open: the first four transitions of each.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <tcpstate_event.h>
#include "states.h"

static uint64_t now = 5000000000000;
static uint32_t seed = 1;

static uint32_t dice(uint32_t sides)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % sides;
}

static void address(uint8_t *to, uint32_t v4)
{
	uint32_t words[4] = { 0, 0, htonl(0xffff), htonl(v4) };

	memcpy(to, words, sizeof(words));
}

static void emit(struct tcpstate_event *e, int state_old, int state_new, int acts)
{
	now += 500 + dice(4000);
	e->timestamp_ns = now;
	e->state_old = state_old;
	e->state_new = state_new;
	e->actor_pid = acts ? e->owner_pid : 0;
	memset(e->actor_name, 0, sizeof(e->actor_name));
	if (acts) {
		memcpy(e->actor_name, e->owner_name, sizeof(e->actor_name));
		e->flags |= TCPSTATE_FLAG_OWNED;
	} else {
		e->flags &= ~TCPSTATE_FLAG_OWNED;
	}
	fwrite(e, sizeof(*e), 1, stdout);
}

static void open_end(struct tcpstate_event *e, uint64_t cookie, uint32_t process, uint32_t iss,
		     uint32_t irs)
{
	memset(e, 0, sizeof(*e));
	e->version = TCPSTATE_EVENT_VERSION;
	e->kind = TCPSTATE_KIND_TRANSITION;
	e->cookie = cookie;
	e->socket_address = 0xffff888100000000 + cookie * 2432;
	e->cgroup_id = 4242 + process / 4;
	e->netns = 4026531840;
	e->interface_index = 1;
	e->user_id = process < 100 ? 1000 : 33;
	e->owner_pid = 812 + 7 * process;
	snprintf((char *)e->owner_name, sizeof(e->owner_name), "%s-%u",
		 process < 100 ? "client" : "worker", process);
	memcpy(e->congestion_control, "cubic", 5);
	e->congestion_window = 10;
	e->slow_start_threshold = 0x7fffffff;
	e->send_window = e->receive_window = 65536;
	e->rto_jiffies = 50;
	e->flags = TCPSTATE_FLAG_HAS_SOCKET | TCPSTATE_FLAG_HAS_RTO_TIME;
	e->send_unacknowledged = iss;
	e->send_next = e->write_sequence = iss + 1;
	e->receive_next = e->copied_sequence = irs;
}

static void connection(uint64_t number, int stays_open)
{
	uint32_t iss = dice(1 << 24) << 8, irs = dice(1 << 24) << 8, rtt = 20 + dice(200),
		 bytes = dice(3) * 1448;
	struct tcpstate_event client, server;

	open_end(&client, 2 * number + 100, dice(100), iss, 0);
	open_end(&server, 2 * number + 101, 100 + dice(16), irs, iss + 1);
	address(client.local_address, 0x7f000001);
	address(client.peer_address, 0x7f000101 + (number % 40 << 8));
	memcpy(server.local_address, client.peer_address, 16);
	memcpy(server.peer_address, client.local_address, 16);
	client.peer_port = server.local_port = 32768 + number % 40;
	emit(&client, CLOSE, SYN_SENT, 1);
	client.local_port = server.peer_port = 1025 + number / 40 % 60000;

	client.smoothed_rtt_us8 = server.smoothed_rtt_us8 = rtt << 3;
	client.receive_next = client.copied_sequence = irs + 1;
	client.send_unacknowledged = iss + 1;
	client.bytes_acknowledged = 1;
	client.segments_sent = client.segments_received = 1;
	emit(&client, SYN_SENT, ESTABLISHED, 0);
	server.send_next = server.send_unacknowledged = server.write_sequence = irs + 1;
	emit(&server, LISTEN, SYN_RECV, 0);
	emit(&server, SYN_RECV, ESTABLISHED, 0);

	if (stays_open)
		return;
	client.bytes_sent = bytes;
	client.bytes_acknowledged += bytes;
	client.send_next += bytes;
	client.send_unacknowledged += bytes;
	server.bytes_received = bytes;
	server.receive_next += bytes;
	server.copied_sequence += bytes;
	client.flags |= TCPSTATE_FLAG_SEND_SHUTDOWN;
	emit(&client, ESTABLISHED, FIN_WAIT1, 1);
	server.flags |= TCPSTATE_FLAG_DONE;
	server.bytes_received++;
	server.receive_next++;
	emit(&server, ESTABLISHED, CLOSE_WAIT, 0);
	client.send_next++;
	client.send_unacknowledged++;
	client.bytes_acknowledged++;
	client.flags &= ~TCPSTATE_FLAG_HAS_SOCKET;
	client.flags |= TCPSTATE_FLAG_DEAD;
	emit(&client, FIN_WAIT1, FIN_WAIT2, 0);
	emit(&server, CLOSE_WAIT, LAST_ACK, 1);
	client.flags |= TCPSTATE_FLAG_DONE;
	client.bytes_received++;
	client.receive_next++;
	emit(&client, FIN_WAIT2, CLOSE, 0);
	server.send_next++;
	server.send_unacknowledged++;
	server.bytes_acknowledged++;
	emit(&server, LAST_ACK, CLOSE, 0);
}

int main(int argc, char **argv)
{
	long connections = argc > 1 ? atol(argv[1]) : 0;

	if (connections < 1 || (argc > 2 && strcmp(argv[2], "open"))) {
		fprintf(stderr, "usage: records CONNECTIONS [open]\n");
		return 2;
	}
	for (long number = 0; number < connections; number++)
		connection(number, argc > 2);
	return fflush(stdout) != 0;
}
