/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the cells of a CSV row end, 64 bytes at a time.
 *
 * In C because clang's vector comparisons become the bits of one number, which
 * Swift does not expose.
 */
#ifndef CELLS_H
#define CELLS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Zero bytes that must follow the text, because loads go beyond a row's end. */
#define CELLS_SLACK 64
/* Entries of `ends` that are written beyond the last one. */
#define CELLS_ROOM 32

typedef uint8_t cells_bytes __attribute__((ext_vector_type(64)));
typedef _Bool cells_bits __attribute__((ext_vector_type(64)));

/*
 * Marks the commas among the 64 bytes at `text`, and the bytes that plain cells
 * don't have: quotes and control characters.
 */
static inline void cells_marks(const uint8_t *text, uint64_t *commas, uint64_t *others)
{
	cells_bytes block;

	memcpy(&block, text, sizeof(block));
	cells_bits are_commas = __builtin_convertvector(block == ',', cells_bits);
	cells_bits are_others = __builtin_convertvector((block < ' ') | (block == '"'), cells_bits);

	memcpy(commas, &are_commas, sizeof(*commas));
	memcpy(others, &are_others, sizeof(*others));
}

/*
 * Finds the cells of the row at `text` if it is plain: no quotes, no control
 * characters except its line end (LF or CRLF), and at most `limit` cells.
 *
 * ends[i] is the offset of the byte behind cell i, and ends[count] that of the
 * next row; there must be room for limit + CELLS_ROOM. Returns the number of
 * cells, 0 if the row isn't plain or has no end yet.
 */
static inline size_t cells_of_row(const uint8_t *text, uint32_t *ends, size_t limit)
{
	size_t count = 0;

	for (uint32_t offset = 0;; offset += 64) {
		uint64_t commas, others;

		cells_marks(text + offset, &commas, &others);
		/* Only commas before the first of the others count. */
		commas &= (others - 1) & ~others;
		size_t found = (size_t)__builtin_popcountll(commas);

		if (count + found > limit)
			return 0;
		for (size_t done = 0; done < found; done += 4) {
			for (int i = 0; i < 4; i++) {
				/* Beyond the last comma the value is ignored. */
				ends[count + done + i] =
					offset + (uint32_t)__builtin_ctzll(commas | 1ull << 63);
				commas &= commas - 1;
			}
		}
		count += found;
		if (others == 0)
			continue;
		uint32_t end = offset + (uint32_t)__builtin_ctzll(others);

		if (text[end] != '\n' && (text[end] != '\r' || text[end + 1] != '\n'))
			return 0;
		if (count + 1 > limit)
			return 0;
		ends[count] = end;
		ends[count + 1] = end + 1 + (text[end] == '\r');
		return count + 1;
	}
}

#endif
