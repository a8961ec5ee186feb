// SPDX-License-Identifier: Apache-2.0
/*
 * The way from a decoded record to a written row, in C: the same checks, the
 * same table, and byte for byte the same rows as in TCPStateCore and
 * TCPStateReport. It measures what Swift costs.
 *
 *	twin RECORDS OUTPUT
 *
 * Prints CPU nanoseconds per event.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <tcpstate_event.h>
#include <tcpstate_stay.h>
#include "states.h"
#include "twin_text.h"
#include "twin_table.h"
#include "twin_connection.h"

#define BLOCK (128 * 1024)
#define WALL_OFFSET 1800000000000000000ull

struct pipeline {
	struct table table;
	struct time_text time;
	uint64_t sequence, unmatched;
	uint64_t open[13]; /* connections by state */
	char *next;
	char buffer[2 * BLOCK];
	int output;
};

static void forget(struct pipeline *p, struct connection *c)
{
	p->open[c->state]--;
	table_remove(&p->table, c->key);
}

/* close() of a socket that has sent its FIN already: shutdown() sent it. */
static void note_closed(struct connection *c, const struct tcpstate_event *e)
{
	if (c && has_sent_fin(e->state_old) && !c->fin_by_close)
		c->fin_by_shutdown = true;
}

/* Applies one transition; returns whether there is a row. */
static bool apply(struct pipeline *p, const struct tcpstate_event *e, struct row *row)
{
	uint64_t key = e->cookie ? e->cookie : e->socket_address;
	struct connection *c = table_find(&p->table, key);
	bool child = e->state_old == LISTEN && e->state_new == SYN_RECV;
	bool opens = e->state_old == CLOSE || child, unknown_child = false;

	if (e->state_old == e->state_new)
		note_closed(c, e);
	if (e->state_old == e->state_new || (child && e->peer_port == 0))
		return false;
	*row = (struct row){ .event = e, .state_old = e->state_old, .state_new = e->state_new };
	if (c && !opens) {
		if (c->state == e->state_old && c->entered <= e->timestamp_ns)
			row->stay = (struct tcpstate_stay){ e->timestamp_ns - c->entered, true,
							    c->entered_exactly };
		else
			p->unmatched++;
	} else {
		if (c) {
			p->unmatched += !c->older;
			forget(p, c);
		} else if (e->state_old == SYN_RECV && e->state_new == ESTABLISHED) {
			unknown_child = true;
		} else if (!opens && e->timestamp_ns > COMPLETE_SINCE) {
			row->stay = (struct tcpstate_stay){ e->timestamp_ns - COMPLETE_SINCE, true,
							    false };
		}
		c = table_insert(&p->table, key);
		c->state = e->state_old;
		p->open[c->state]++;
		if (unknown_child)
			c->role = SERVER;
		else
			c->older = !opens;
	}
	row->connection = c;
	learn(c, e);
	if (e->state_old == SYN_RECV)
		row->stay = syn_received_stay(e, c, row->stay);
	if (e->state_new == CLOSE && !ending(e, row)) {
		forget(p, c);
		return false;
	}
	p->open[c->state]--;
	p->open[row->state_new]++;
	c->state = row->state_new;
	c->entered = e->timestamp_ns;
	c->entered_exactly = true;
	return true;
}

static void write_row(struct pipeline *p, const struct row *row)
{
	static const struct word states[13] = {
		WORD("unknown_0"),   WORD("established"), WORD("syn_sent"),  WORD("syn_received"),
		WORD("fin_wait_1"),  WORD("fin_wait_2"),  WORD("time_wait"), WORD("closed"),
		WORD("close_wait"),  WORD("last_ack"),	  WORD("listen"),    WORD("closing"),
		WORD("syn_received")
	};
	static const struct word roles[] = { WORD("unknown"), WORD("client"), WORD("server"),
					     WORD("listener") };
	static const struct word reasons[] = {
		WORD(""),	 WORD("fin"),	     WORD("reset_received"), WORD("reset_sent"),
		WORD("timeout"), WORD("refused"),    WORD("unreachable"),    WORD("aborted"),
		WORD("killed"),	 WORD("unaccepted"), WORD("prohibited"),     WORD("repair"),
		WORD("no_port"), WORD("no_route"),   WORD("unknown")
	};
	const struct connection *c = row->connection;
	const struct tcpstate_event *e = row->event;
	uint64_t wall = e->timestamp_ns + WALL_OFFSET;
	struct name actor = name_from(e->actor_name);
	char *out = p->next;

	out = put_time(out, &p->time, wall);
	out = put_nano(out, &p->time, wall);
	out = put_decimal(out, ++p->sequence);
	out = put_hex16(out, c->key);
	out = put_word(out, &roles[c->role]);
	out = c->owner_pid ? put_decimal(out, c->owner_pid) : put_null(out);
	out = c->owner_pid ? put_name(out, c->owner_name) : put_null(out);
	out = put_decimal(out, c->user_id);
	out = c->cgroup ? put_decimal(out, c->cgroup) : put_null(out);
	out = c->netns ? put_decimal(out, c->netns) : put_null(out);
	out = put_word(out, is_v4(c->local_address) || is_v4(c->peer_address)
				    ? &(struct word)WORD("ipv4")
				    : &(struct word)WORD("ipv6"));
	out = put_address(out, c->local_address);
	out = c->local_port ? put_decimal(out, c->local_port) : put_null(out);
	out = is_unspecified(c->peer_address) ? put_null(out) : put_address(out, c->peer_address);
	out = c->peer_port ? put_decimal(out, c->peer_port) : put_null(out);
	out = put_word(out, &states[row->state_old]);
	out = put_word(out, &states[row->state_new]);
	out = row->stay.known ? put_decimal(out, row->stay.ns) : put_null(out);
	out = put_word(out, !row->stay.known  ? &(struct word)WORD("")
			    : row->stay.exact ? &(struct word)WORD("exact")
					      : &(struct word)WORD("at_least"));
	out = put_word(out, &(struct word)WORD("event"));
	out = e->actor_pid ? put_decimal(out, e->actor_pid) : put_null(out);
	out = e->actor_pid ? put_name(out, actor) : put_null(out);
	out = put_word(out, &reasons[row->reason]);
	out = c->counted ? put_decimal(out, c->bytes_sent) : put_null(out);
	out = c->counted ? put_decimal(out, c->bytes_received) : put_null(out);
	out = c->counted && c->rtt_us ? put_decimal(out, c->rtt_us) : put_null(out);
	out = c->counted ? put_decimal(out, c->retransmits) : put_null(out);
	out[-1] = '\n';
	p->next = out;
}

static bool flush(struct pipeline *p, size_t count)
{
	size_t held = p->next - p->buffer;

	if (write(p->output, p->buffer, count) != (ssize_t)count)
		return false;
	memmove(p->buffer, p->buffer + count, held - count);
	p->next -= count;
	return true;
}

static bool run(struct pipeline *p, const char *records, size_t size)
{
	struct row row;

	p->next = stpcpy(p->buffer, header);
	for (size_t offset = 0; offset < size; offset += sizeof(struct tcpstate_event)) {
		const struct tcpstate_event *e = (const void *)(records + offset);

		if (size - offset < sizeof(*e) || e->version != TCPSTATE_EVENT_VERSION ||
		    e->kind != TCPSTATE_KIND_TRANSITION || e->state_old > 12 || e->state_new > 12 ||
		    !(e->cookie | e->socket_address))
			return false;
		if (!apply(p, e, &row))
			continue;
		write_row(p, &row);
		if (row.state_new == CLOSE || row.state_new == TIME_WAIT)
			forget(p, row.connection);
		if (p->next - p->buffer >= BLOCK && !flush(p, BLOCK))
			return false;
	}
	return flush(p, p->next - p->buffer);
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static char *read_all(const char *path, size_t *size)
{
	struct stat status;
	char *memory;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fstat(fd, &status))
		return NULL;
	*size = status.st_size;
	memory = malloc(*size + 8);
	for (size_t held = 0; memory && held < *size;) {
		ssize_t count = read(fd, memory + held, *size - held);

		if (count <= 0)
			return NULL;
		held += count;
	}
	return memory;
}

int main(int argc, char **argv)
{
	struct pipeline *p = calloc(1, sizeof(*p));
	uint64_t start, elapsed;
	size_t size = 0;
	char *records;

	if (argc != 3 || !p)
		return 2;
	records = read_all(argv[1], &size);
	p->output = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (!records || !size || p->output < 0)
		return 1;
	table_init(&p->table);
	start = cpu_ns();
	if (!run(p, records, size))
		return 1;
	elapsed = cpu_ns() - start;
	printf("%llu\n", (unsigned long long)(elapsed / (size / sizeof(struct tcpstate_event))));
	return 0;
}
