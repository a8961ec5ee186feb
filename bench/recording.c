// SPDX-License-Identifier: Apache-2.0
/*
 * recording ROWS: writes a recording of that many rows to standard output, as tcpstate-trace --format csv
 * would: many connections open at once, from a few processes to many peers, every state, every way to end.
 * The same number gives the same bytes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OPEN = 20000, STEPS = 10, PROCESSES = 40, PEERS = 3000 };

enum state {
	CLOSED,
	SYN_SENT,
	SYN_RECEIVED,
	ESTABLISHED,
	FIN_WAIT_1,
	FIN_WAIT_2,
	CLOSE_WAIT,
	CLOSING,
	LAST_ACK,
	TIME_WAIT,
	LISTEN
};

static const char *names[] = { "closed",     "syn_sent",   "syn_received", "established",
			       "fin_wait_1", "fin_wait_2", "close_wait",   "closing",
			       "last_ack",   "time_wait",  "listen" };

/* The states that a connection goes through; -1 ends them. */
static const signed char ways[][STEPS] = {
	{ CLOSED, SYN_SENT, ESTABLISHED, CLOSE_WAIT, LAST_ACK, CLOSED, -1 },
	{ CLOSED, SYN_SENT, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT, CLOSED, -1 },
	{ LISTEN, SYN_RECEIVED, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT, CLOSED, -1 },
	{ LISTEN, SYN_RECEIVED, ESTABLISHED, CLOSE_WAIT, LAST_ACK, CLOSED, -1 },
	{ CLOSED, SYN_SENT, ESTABLISHED, FIN_WAIT_1, CLOSING, TIME_WAIT, CLOSED, -1 },
	{ CLOSED, SYN_SENT, CLOSED, -1 },
	{ LISTEN, SYN_RECEIVED, ESTABLISHED, CLOSED, -1 },
};
static const int shares[] = { 25, 50, 70, 90, 92, 96, 100 };

/* The usual nanoseconds in a state, and the spread in octaves. */
static const struct {
	uint64_t usual;
	int octaves;
} stays[] = {
	[CLOSED] = { 0, 0 },
	[SYN_SENT] = { 12000000, 8 },
	[SYN_RECEIVED] = { 400000, 10 },
	[ESTABLISHED] = { 900000000, 14 },
	[FIN_WAIT_1] = { 9000000, 8 },
	[FIN_WAIT_2] = { 40000000, 12 },
	[CLOSE_WAIT] = { 5000000, 20 },
	[CLOSING] = { 8000000, 6 },
	[LAST_ACK] = { 9000000, 8 },
	[TIME_WAIT] = { 60000000000, 0 },
	[LISTEN] = { 0, 0 },
};

struct connection {
	uint64_t id, since;
	uint32_t peer;
	int way, step, process, port, at_least;
};

static uint64_t seed = 88172645463325252ull;

static uint64_t number(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

static uint64_t stay(int state)
{
	uint64_t usual = stays[state].usual;
	int octaves = stays[state].octaves;

	if (octaves == 0)
		return usual + number() % 4000000;
	/* The sum of two random numbers is more likely in the middle. */
	int shift = (int)(number() % (octaves + 1) + number() % (octaves + 1)) / 2 - octaves / 2;

	usual = shift < 0 ? usual >> -shift : usual << shift;
	return usual + number() % (usual + 1);
}

static void begin(struct connection *c, uint64_t id)
{
	int share = (int)(number() % 100);

	c->id = id;
	for (c->way = 0; shares[c->way] <= share; c->way++)
		;
	c->step = 0;
	c->process = (int)(number() % PROCESSES);
	c->peer = 0x0a000000u + (uint32_t)((number() % PEERS) * (number() % 3 + 1));
	c->port = 32768 + (int)(number() % 28000);
	c->at_least = number() % 50 == 0;
}

static void row(const struct connection *c, uint64_t time, uint64_t sequence, uint64_t length)
{
	static time_t second = -1;
	static char text[32];
	int old = ways[c->way][c->step], new = ways[c->way][c->step + 1];
	int server = ways[c->way][0] == LISTEN;
	time_t now = (time_t)(time / 1000000000);
	char stayed[48] = ",", actor[32] = ",";

	if (now != second) {
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime(&now));
		second = now;
	}
	if (length > 0)
		snprintf(stayed, sizeof(stayed), "%llu,%s", (unsigned long long)length,
			 c->at_least ? "at_least" : "exact");
	if (new == FIN_WAIT_1 || new == LAST_ACK || new == SYN_SENT)
		snprintf(actor, sizeof(actor), "%d,worker-%d", 1000 + c->process * 7, c->process);
	printf("%s.%09lluZ,%llu,%llu,%016llx,%s,%d,worker-%d,33,%d,4026531840,ipv4,10.1.2.3,%d,%u.%"
	       "u.%u.%u,%d,%s,%s,%s,%s,%s,%s",
	       text, (unsigned long long)(time % 1000000000), (unsigned long long)time,
	       (unsigned long long)sequence, (unsigned long long)c->id,
	       server ? "server" : "client", 1000 + c->process * 7, c->process, 4000 + c->process,
	       server ? 443 : c->port, c->peer >> 24, c->peer >> 16 & 255, c->peer >> 8 & 255,
	       c->peer & 255, server ? c->port : 5432, names[old], names[new], stayed,
	       old == TIME_WAIT ? "derived" : "event", actor,
	       new == CLOSED || new == TIME_WAIT ? (c->step < 3 ? "refused" : "fin") : "");
	if (new == SYN_SENT || old == TIME_WAIT)
		puts(",,,,");
	else
		printf(",%llu,%llu,%llu,%d\n", (unsigned long long)(number() % 100000),
		       (unsigned long long)(number() % 1000000),
		       (unsigned long long)(100 + number() % 20000), (int)(number() % 40 == 0));
}

int main(int argc, char **argv)
{
	uint64_t rows = argc == 2 ? strtoull(argv[1], NULL, 10) : 0, time = 1790000000000000000ull,
		 id = 100000;
	static struct connection open[OPEN];

	if (rows == 0) {
		fprintf(stderr, "usage: recording ROWS\n");
		return 64;
	}
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	puts("timestamp,timestamp_unix_nano,sequence,connection_id,role,process_pid,process_name,"
	     "user_id,cgroup_id,netns,"
	     "network_type,local_address,local_port,peer_address,peer_port,state_old,state_new,"
	     "state_duration_ns,"
	     "duration_kind,source,actor_pid,actor_name,reason,bytes_sent,bytes_received,rtt_us,"
	     "retransmits");
	for (int i = 0; i < OPEN; i++)
		begin(&open[i], id++);
	for (uint64_t sequence = 1; sequence <= rows; sequence++) {
		struct connection *c = &open[number() % OPEN];
		int state = ways[c->way][c->step];

		time += 20000 + number() % 60000;
		row(c, time, sequence, stays[state].usual > 0 ? stay(state) : 0);
		if (ways[c->way][++c->step + 1] < 0)
			begin(c, id++);
	}
	return fflush(stdout) == 0 ? 0 : 74;
}
