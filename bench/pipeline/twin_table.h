/* SPDX-License-Identifier: Apache-2.0 */
/* Connections by key, as TCPStateCore keeps them: open addressing over slots in chunks. */
#ifndef TWIN_TABLE_H
#define TWIN_TABLE_H

#define CHUNK 4096

enum role { UNKNOWN_ROLE, CLIENT, SERVER, LISTENER };

struct connection {
	uint64_t key, entered, cgroup, bytes_sent, bytes_received;
	uint8_t local_address[16], peer_address[16];
	struct name owner_name;
	uint32_t owner_pid, user_id, netns, interface;
	uint32_t initial_send, initial_receive, send_next, receive_next;
	uint32_t rtt_us, retransmits;
	uint16_t local_port, peer_port;
	uint8_t state, closer, owner_kind, syn_ack_retransmits;
	enum role role;
	bool entered_exactly, sequenced, older, counted, fin_by_shutdown, fin_by_close;
};

struct table {
	uint64_t *entries; /* high half: hash; low half: slot + 1, 0 when free */
	uint32_t mask, count, used, free_count, free_capacity, chunk_count;
	uint32_t *free;
	struct connection **chunks;
};

static uint32_t mix(uint64_t value)
{
	return ((value ^ value >> 32) * 0x9e3779b97f4a7c15ull) >> 32;
}

static struct connection *at(const struct table *t, uint32_t slot)
{
	return t->chunks[slot / CHUNK] + slot % CHUNK;
}

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void table_init(struct table *t)
{
	t->mask = 1023;
	t->entries = checked(calloc(1024, sizeof(*t->entries)));
}

static struct connection *table_find(const struct table *t, uint64_t key)
{
	uint32_t hash = mix(key);

	for (uint32_t position = hash & t->mask; t->entries[position];
	     position = (position + 1) & t->mask) {
		struct connection *c;

		if (t->entries[position] >> 32 != hash)
			continue;
		c = at(t, (uint32_t)t->entries[position] - 1);
		if (c->key == key)
			return c;
	}
	return NULL;
}

static void place(struct table *t, uint64_t entry)
{
	uint32_t position = (entry >> 32) & t->mask;

	while (t->entries[position])
		position = (position + 1) & t->mask;
	t->entries[position] = entry;
}

static void grow(struct table *t)
{
	uint64_t *old = t->entries;
	uint32_t capacity = t->mask + 1;

	t->entries = checked(calloc(2 * capacity, sizeof(*t->entries)));
	t->mask = 2 * capacity - 1;
	for (uint32_t i = 0; i < capacity; i++)
		if (old[i])
			place(t, old[i]);
	free(old);
}

static struct connection *table_insert(struct table *t, uint64_t key)
{
	struct connection *c;
	uint32_t slot;

	if (t->free_count) {
		slot = t->free[--t->free_count];
	} else {
		if (t->used == t->chunk_count * CHUNK) {
			t->chunks = checked(
				realloc(t->chunks, (t->chunk_count + 1) * sizeof(*t->chunks)));
			t->chunks[t->chunk_count++] = checked(malloc(CHUNK * sizeof(**t->chunks)));
		}
		slot = t->used++;
	}
	c = at(t, slot);
	memset(c, 0, sizeof(*c));
	c->key = key;
	if ((t->count + 1) * 8ull > (t->mask + 1) * 7ull)
		grow(t);
	place(t, (uint64_t)mix(key) << 32 | (slot + 1));
	t->count++;
	return c;
}

static void table_remove(struct table *t, uint64_t key)
{
	uint32_t hash = mix(key), gap = hash & t->mask, slot;

	while (t->entries[gap] >> 32 != hash || at(t, (uint32_t)t->entries[gap] - 1)->key != key) {
		if (!t->entries[gap])
			return;
		gap = (gap + 1) & t->mask;
	}
	slot = (uint32_t)t->entries[gap] - 1;
	/* Move up whatever would no longer be reached across the gap. */
	for (uint32_t next = (gap + 1) & t->mask; t->entries[next]; next = (next + 1) & t->mask) {
		uint32_t home = (t->entries[next] >> 32) & t->mask;

		if (((next - home) & t->mask) >= ((next - gap) & t->mask)) {
			t->entries[gap] = t->entries[next];
			gap = next;
		}
	}
	t->entries[gap] = 0;
	at(t, slot)->key = 0;
	if (t->free_count == t->free_capacity) {
		t->free_capacity = t->free_capacity ? 2 * t->free_capacity : 64;
		t->free = checked(realloc(t->free, t->free_capacity * sizeof(*t->free)));
	}
	t->free[t->free_count++] = slot;
	t->count--;
}

#endif
