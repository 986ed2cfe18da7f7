// Weights whose quants are entries of a codebook (IQ1, IQ2, IQ3; Java's CodebookBlocks defines what they mean): a lane looks up its row's entry,
// which is what a register of quants has of it: four columns, or eight with the next register. Quants are bytes, less than 64 apart from 64.
//
// A tile's superblock is its rows' d, as halves (then of IQ3_S their scales, four bits for each block), and blocks: registers whose byte i is the low byte
// of a row's entry i (4 + i in the second one), and behind these, of
//   IQ2, IQ3     signs: bit j of a lane's byte c belongs to column 4j + c
//   IQ2_S        a byte for each row with two high bits of each entry, and one with two scales
//   IQ2_XS       a byte for each row with two scales
//   IQ3_S        a byte for each row with a high bit of each entry
//   IQ1_S        a word for each row as the file has it: high bits, a scale, a shift
//   IQ1_M        a word for each row with three high bits of each entry and its shift, and a byte with two scales
// Of eight signs the last one makes an even number of them negative, but for IQ2_S and IQ3_S: in its place four groups of columns have a bit each of
// something else, of their block's scale (IQ2_XXS, IQ3_XXS) or the high bit of their entry (IQ2_XS).

#define CENTER 64

// CENTER plus the levels of each entry, as bytes, four or eight; IQ1's are eighths, shifted up by one.
static struct {
  uint64_t iq2_xxs[256], iq2_xs[512], iq2_s[1024], iq1[2048];
  uint32_t iq3_xxs[256], iq3_s[512];
} books;

static uint64_t levels_of(unsigned packed, int count, const int8_t *levels) {
  uint64_t eight = 0;
  int bits = count == 8 ? 2 : 3;
  for (int i = 0; i < count; i++) {
    eight |= (uint64_t)(uint8_t)(CENTER + levels[packed >> bits * i & ((1u << bits) - 1)]) << 8 * i;
  }
  return eight;
}

#ifdef TILES
void BELOW(codebooks)(const uint16_t *packed);
#endif

// Takes all codebooks, packed as Java's Codebook has them, before the first product. Taking them again changes nothing meanwhile.
void EXPORT(codebooks)(const uint16_t *packed) {
  static const int8_t IQ1[4] = {-7, 1, 9, 1}, IQ2[4] = {8, 25, 43};
  static const int8_t IQ3_XXS[8] = {2, 6, 10, 14, 18, 22, 26, 31}, IQ3_S[8] = {1, 3, 5, 7, 9, 11, 13, 15};
  for (int i = 0; i < 256; i++) {
    books.iq2_xxs[i] = levels_of(packed[i], 8, IQ2);
    books.iq3_xxs[i] = (uint32_t)levels_of(packed[1792 + i], 4, IQ3_XXS);
  }
  for (int i = 0; i < 512; i++) {
    books.iq2_xs[i] = levels_of(packed[256 + i], 8, IQ2);
    books.iq3_s[i] = (uint32_t)levels_of(packed[2048 + i], 4, IQ3_S);
  }
  for (int i = 0; i < 1024; i++) {
    books.iq2_s[i] = levels_of(packed[768 + i], 8, IQ2);
  }
  for (int i = 0; i < 2048; i++) {
    books.iq1[i] = levels_of(packed[2560 + i], 8, IQ1);
  }
#ifdef TILES
  BELOW(codebooks)(packed);
#endif
}

static INLINE ints bits_of_ints(ints x, int from, int bits) { return and_all(shift_right(x, from), (1u << bits) - 1); }
// A scale, of which all bits but the lowest are stored.
static INLINE ints odd(ints x) { return add_to_all(shift_left(x, 1), 1); }

// The bit that group i has in place of its last sign.
#define SPARE(i) (25 + 2 * (i))
#define ALL_SPARE 0xaa000000u

// The number that four such bits make.
static INLINE ints spare_number(ints signs) {
  ints x = and_all(shift_right(signs, SPARE(0)), 0x55);
  x = and_all(or_ints(x, shift_right(x, 1)), 0x33);
  return and_all(or_ints(x, shift_right(x, 2)), 0x0f);
}

// Signs with each group's last one.
static INLINE ints even_signs(ints signs) {
  ints seven = and_all(signs, ~ALL_SPARE);
  // Bit 2 i of the lowest byte becomes the parity of group i.
  ints x = xor_ints(seven, shift_right(seven, 1));
  x = xor_ints(x, shift_right(x, 16));
  x = xor_ints(x, shift_right(x, 8));
  return or_ints(seven, and_all(shift_left(x, SPARE(0)), ALL_SPARE));
}

// Entry i of a register's four, with some bits of `high` from `from` on.
static INLINE ints entry(ints low, int i, ints high, int from, int bits) {
  ints byte = bits_of_ints(low, 8 * i, 8);
  ints moved = from > 8 ? shift_right(high, from - 8) : shift_left(high, 8 - from);
  return bits == 0 ? byte : or_ints(byte, and_all(moved, ((1u << bits) - 1) << 8));
}

// Eight entries of four columns, with some of `high_bits` for each.
static INLINE quants fours(const uint32_t *book, const uint8_t *at, ints high, const int high_bits, ints signs) {
  quants q;
  UNROLL for (int j = 0; j < 8; j++) {
    ints low = load_ints(at + 64 * (j / 4));
    q.of[j] = subtracted_where(signs, j, 2 * CENTER, gather_fours(book, entry(low, j % 4, high, high_bits * j, high_bits)));
  }
  return q;
}

// Four entries of eight columns, with high bits that begin at `from` and lie `step` apart.
static INLINE quants eights_of(const uint64_t *book, const uint8_t *at, ints high, const int from, const int step, const int high_bits) {
  quants q;
  ints low = load_ints(at);
  UNROLL for (int i = 0; i < 4; i++) {
    gather_eights(book, entry(low, i, high, from + step * i, high_bits), q.of + 2 * i);
  }
  return q;
}
static INLINE quants with_signs(quants q, ints signs) {
  UNROLL for (int j = 0; j < 8; j++) {
    q.of[j] = subtracted_where(signs, j, 2 * CENTER, q.of[j]);
  }
  return q;
}
// Shifted down by one eighth instead of up, where bit `from` + `step` · i of a lane is set, in group i.
static INLINE quants shifted(quants q, ints lanes, const int from, const int step) {
  UNROLL for (int j = 0; j < 8; j++) {
    q.of[j] = subtract_in_lanes(lanes, from + step * (j / 2), 2, q.of[j]);
  }
  return q;
}

// A block's quants, and its scale number `half`.

static INLINE quants quants_iq2_xxs(const uint8_t *at, const int lane) {
  ints signs = load_ints(at + 64 + 4 * lane);
  return with_signs(eights_of(books.iq2_xxs, at + 4 * lane, signs, 0, 0, 0), even_signs(signs));
}
static INLINE quants quants_iq2_xs(const uint8_t *at, const int lane) {
  ints signs = load_ints(at + 64 + 4 * lane);
  return with_signs(eights_of(books.iq2_xs, at + 4 * lane, signs, SPARE(0), 2, 1), even_signs(signs));
}
static INLINE quants quants_iq2_s(const uint8_t *at, const int lane) {
  return with_signs(eights_of(books.iq2_s, at + 4 * lane, unsigned_ints(at + 128 + lane), 0, 2, 2), load_ints(at + 64 + 4 * lane));
}
static INLINE quants quants_iq3_xxs(const uint8_t *at, const int lane) {
  ints signs = load_ints(at + 128 + 4 * lane);
  return fours(books.iq3_xxs, at + 4 * lane, signs, 0, even_signs(signs));
}
static INLINE quants quants_iq3_s(const uint8_t *at, const int lane) {
  return fours(books.iq3_s, at + 4 * lane, unsigned_ints(at + 192 + lane), 1, load_ints(at + 128 + 4 * lane));
}
static INLINE quants quants_iq1_s(const uint8_t *at, const int lane) {
  ints high = ints_of_words(at + 64 + 2 * lane);
  return shifted(eights_of(books.iq1, at + 4 * lane, high, 0, 3, 3), high, 15, 0);
}
static INLINE quants quants_iq1_m(const uint8_t *at, const int lane) {
  ints high = ints_of_words(at + 64 + 2 * lane);
  return shifted(eights_of(books.iq1, at + 4 * lane, high, 0, 4, 3), high, 3, 4);
}

static INLINE ints spare_scale(const uint8_t *signs, const int lane) { return odd(spare_number(load_ints(signs + 4 * lane))); }
static INLINE ints scale_of_two(const uint8_t *at, int half, const int lane) { return odd(bits_of_ints(unsigned_ints(at + lane), 4 * half, 4)); }
static INLINE ints scale_iq3_s(const uint8_t *scales, long b, const int lane) {
  return odd(bits_of_ints(load_ints(scales + 4 * lane), 4 * (int)(b % 8), 4));
}
static INLINE ints scale_iq1_s(const uint8_t *high, const int lane) { return odd(bits_of_ints(ints_of_words(high + 2 * lane), 12, 3)); }
