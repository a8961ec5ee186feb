/* SPDX-License-Identifier: Apache-2.0 */
/* Values as CSV cells, each with its comma, as TCPStateReport writes them. */
#ifndef TWIN_TEXT_H
#define TWIN_TEXT_H

static const char header[] = "timestamp,timestamp_unix_nano,sequence,connection_id,role,process_"
			     "pid,process_name,user_id,cgroup_id,netns,"
			     "network_type,local_address,local_port,peer_address,peer_port,state_"
			     "old,state_new,state_duration_ns,"
			     "duration_kind,source,actor_pid,actor_name,reason,bytes_sent,bytes_"
			     "received,rtt_us,retransmits\n";

/* A text kept inline, written with one copy of constant size. */
struct word {
	char bytes[16];
	uint8_t count;
};

#define WORD(text)                     \
	{                              \
		text, sizeof(text) - 1 \
	}

struct name {
	uint64_t words[2];
};

#define ONES 0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

/* Bytes before the first NUL. */
static int word_length(uint64_t word)
{
	uint64_t zero = (word - ONES) & ~word & HIGHS;

	return zero ? __builtin_ctzll(zero) >> 3 : 8;
}

static uint64_t word_keep(uint64_t word, int length)
{
	return length == 8 ? word : word & ((1ull << length * 8) - 1);
}

/* 16 bytes, without everything from the first NUL on. */
static struct name name_from(const uint8_t *bytes)
{
	struct name name;
	int length;

	memcpy(&name, bytes, 16);
	length = word_length(name.words[0]);
	name.words[0] = word_keep(name.words[0], length);
	name.words[1] = length < 8 ? 0 : word_keep(name.words[1], word_length(name.words[1]));
	return name;
}

static uint64_t zeros(uint64_t word)
{
	return (word - ONES) & ~word;
}

/* How many bytes come before the first that has to be quoted, or the end. */
static int plain_prefix(uint64_t word)
{
	uint64_t hits = ((word - ONES * 0x20) & ~word) | word | zeros(word ^ (ONES * '"')) |
			zeros(word ^ (ONES * ',')) | zeros(word ^ (ONES * '\\')) |
			zeros(word ^ (ONES * 0x7f));

	return hits & HIGHS ? __builtin_ctzll(hits & HIGHS) >> 3 : 8;
}

static char *put_null(char *out)
{
	*out++ = ',';
	return out;
}

static char *put_word(char *out, const struct word *word)
{
	memcpy(out, word->bytes, 16);
	out += word->count;
	*out++ = ',';
	return out;
}

/* The digits of a number below 10^8, one byte each, the first in the lowest. */
static uint64_t eight_digits(uint64_t number)
{
	uint64_t high = number / 10000, fours = high | (number - high * 10000) << 32;
	uint64_t tops = fours * 10486 >> 20 & 0x0000007f0000007f, twos = tops | (fours - tops * 100)
											<< 16;
	uint64_t tens = twos * 103 >> 10 & 0x000f000f000f000f;

	return tens | (twos - tens * 10) << 8;
}

static char *put_eight(char *out, uint64_t number)
{
	uint64_t digits = eight_digits(number) | 0x3030303030303030;

	memcpy(out, &digits, 8);
	return out + 8;
}

static char *put_up_to_eight(char *out, uint64_t number)
{
	uint64_t digits = eight_digits(number);
	int zeros = __builtin_ctzll(digits) & ~7;

	digits = (digits | 0x3030303030303030) >> zeros;
	memcpy(out, &digits, 8);
	return out + 8 - zeros / 8;
}

static char *put_decimal(char *out, uint64_t number)
{
	if (number < 10) {
		*out++ = '0' + number;
	} else if (number < 100000000) {
		out = put_up_to_eight(out, number);
	} else {
		uint64_t high = number / 100000000;

		if (high < 100000000) {
			out = put_up_to_eight(out, high);
		} else {
			out = put_up_to_eight(out, high / 100000000);
			out = put_eight(out, high % 100000000);
		}
		out = put_eight(out, number % 100000000);
	}
	*out++ = ',';
	return out;
}

static char *put_nine_digits(char *out, uint32_t number)
{
	*out = '0' + number / 100000000;
	return put_eight(out + 1, number % 100000000);
}

/* Everything above the fraction of a second is kept from one time to the next. */
struct time_text {
	uint64_t second;
	char calendar[32];
	char epoch[16];
	int epoch_length;
};

static void enter_second(struct time_text *t, uint64_t second)
{
	time_t time = second;
	struct tm tm;

	gmtime_r(&time, &tm);
	strftime(t->calendar, sizeof(t->calendar), "%Y-%m-%dT%H:%M:%S.", &tm);
	t->epoch_length = snprintf(t->epoch, sizeof(t->epoch), "%llu", (unsigned long long)second);
	t->second = second;
}

static char *put_time(char *out, struct time_text *t, uint64_t ns)
{
	uint64_t second = ns / 1000000000;

	if (second != t->second)
		enter_second(t, second);
	memcpy(out, t->calendar, 20);
	out = put_nine_digits(out + 20, ns - second * 1000000000);
	*out++ = 'Z';
	*out++ = ',';
	return out;
}

static char *put_nano(char *out, struct time_text *t, uint64_t ns)
{
	uint64_t second = ns / 1000000000;

	if (second != t->second)
		enter_second(t, second);
	memcpy(out, t->epoch, sizeof(t->epoch));
	out = put_nine_digits(out + t->epoch_length, ns - second * 1000000000);
	*out++ = ',';
	return out;
}

/* Eight digits, with each nibble in a byte of its own. */
static uint64_t hex8(uint32_t number)
{
	uint64_t nibbles = number, letters;

	nibbles = (nibbles << 16 | nibbles) & 0x0000ffff0000ffff;
	nibbles = (nibbles << 8 | nibbles) & 0x00ff00ff00ff00ff;
	nibbles = (nibbles << 4 | nibbles) & 0x0f0f0f0f0f0f0f0f;
	letters = (nibbles + 0x0606060606060606) >> 4 & 0x0101010101010101;
	return nibbles + 0x3030303030303030 + letters * 39;
}

static char *put_hex16(char *out, uint64_t number)
{
	uint64_t halves[2] = { __builtin_bswap64(hex8(number >> 32)),
			       __builtin_bswap64(hex8(number)) };

	memcpy(out, halves, 16);
	out[16] = ',';
	return out + 17;
}

/* Quoted as RFC 4180 asks for; what isn't ASCII is left to Swift, which checks its UTF-8. */
static char *put_name(char *out, struct name name)
{
	const char *bytes = (const char *)&name;
	int first = word_length(name.words[0]), second = first < 8 ? 0 : word_length(name.words[1]);
	size_t count = first + second;

	if (plain_prefix(name.words[0]) == first &&
	    (!second || plain_prefix(name.words[1]) == second)) {
		memcpy(out, bytes, 16);
		out += count;
	} else {
		*out++ = '"';
		for (size_t i = 0; i < count; i++) {
			if (bytes[i] == '"')
				*out++ = '"';
			*out++ = bytes[i];
		}
		*out++ = '"';
	}
	*out++ = ',';
	return out;
}

static bool is_v4(const uint8_t *address)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(address, prefix, 12) == 0;
}

static bool is_unspecified(const uint8_t *address)
{
	static const uint8_t zeros[16];

	return memcmp(address, zeros, 16) == 0 ||
	       (is_v4(address) && memcmp(address + 12, zeros, 4) == 0);
}

static char *put_octet(char *out, unsigned int octet)
{
	if (octet >= 100) {
		*out++ = '0' + octet / 100;
		*out++ = '0' + octet / 10 % 10;
	} else if (octet >= 10)
		*out++ = '0' + octet / 10;
	*out++ = '0' + octet % 10;
	return out;
}

/* RFC 5952, and IPv4 with dots. */
static char *put_address(char *out, const uint8_t *address)
{
	int start = -1, longest = 1;

	if (is_v4(address)) {
		for (int i = 12; i < 16; i++) {
			out = put_octet(out, address[i]);
			*out++ = '.';
		}
		out[-1] = ',';
		return out;
	}
	for (int i = 0, run = 0; i < 8; i++) {
		run = address[2 * i] || address[2 * i + 1] ? 0 : run + 1;
		if (run > longest) {
			longest = run;
			start = i + 1 - run;
		}
	}
	for (int i = 0; i < 8; i++) {
		if (i == start) {
			*out++ = ':';
			*out++ = ':';
			i += longest - 1;
			continue;
		}
		if (i > 0 && i != start + longest)
			*out++ = ':';
		out += sprintf(out, "%x", address[2 * i] << 8 | address[2 * i + 1]);
	}
	*out++ = ',';
	return out;
}

#endif
