// Columns of rounded activations' rows, and of a row that a block holds: whole chunks of every type of weights, zeros behind the last.

#ifndef PADDED_COLUMNS
#define PADDED_COLUMNS ((COLUMNS + 255) / 256 * 256)
#endif
