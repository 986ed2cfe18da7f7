// sample: the token after each row, as the op Sample says, to the bit.
// Items: one work-group of LANES items a row. Items stride through the row together (coalesced), but for the sums from
// which is drawn, where each has whole SEGMENTS of neighbouring ids, since the draw goes by id.
// On a processor LANES is 1.
// Traffic: passes of 4 bytes a logit, from the second-level cache if a row fits: one for the largest logit, four for
// top-k, four for top-p (8 bits of a threshold each), one for the sums, and one segment for the draw. Rows with changed
// logits are copied first. With PARTS, at most LANES, largest_logits has looked for the largest one before, with many
// work-groups, in rows without changed logits.
// Numbers: floats only make weights, by operations that every device rounds correctly; the rest is integers, in any order.
// Logits are compared as keys, so that denormals count even on devices that take them for zero.
// Invariants: LANES is a power of two and divides SEGMENTS; changed ids of a row differ; weights are at most 2^40 and ids
// at most 2^22, so that no sum overflows. No barrier stands in a branch, not even one that all items take: PoCL 3.1 loses
// stores there.

#include "dialect.h"

#pragma OPENCL FP_CONTRACT OFF

#ifndef LANES
#define LANES 1
#define SEGMENTS 64
#endif

// Of a key that a pass decides.
#define BITS 8
#define BINS (1 << BITS)
#define PASSES (32 / BITS)

// Above this are the keys of all logits that can be chosen: it is that of minus infinity.
#define NONE 0x007fffffu

#if LANES > 1
#define SYNC() barrier(CLK_LOCAL_MEM_FENCE)
#define GLOBAL_SYNC() barrier(CLK_GLOBAL_MEM_FENCE)
#else
#define SYNC()
#define GLOBAL_SYNC()
#endif

// The columns of SampleParameters.
typedef struct {
  ulong min_weight;
  ulong random;
  float scale;
  int top_k;
  uint top_p;
  float repetition;
  float inverse;
  int changes_end;
} settings;

// Those of changed logits.
typedef struct {
  int id;
  int is_seen;
  float bias;
  float penalty;
} change;

// Sums of 64 bits in two halves, since atomics of 64 bits are not everybody's.
typedef struct {
  uint low[BINS];
  uint high[BINS];
} bins;

// Rises with the logit; both zeros have the same, no number has one above NONE.
uint key_of(float logit) {
  uint bits = as_uint(logit);
  bits = bits == 0x80000000u ? 0 : bits;
  uint key = bits >> 31 ? ~bits : bits | 0x80000000u;
  return (bits & 0x7fffffffu) > 0x7f800000u ? 0 : key;
}

float logit_of(uint key) {
  return as_float(key >> 31 ? key & 0x7fffffffu : ~key);
}

ulong weight_of(uint key, uint most, float scale) {
  float y = key == most ? 0 : (logit_of(key) - logit_of(most)) * scale;
  if (!(y >= -42)) {
    return 0;
  }
  float n = rint(y);
  float f = y - n;
  float p = C6;
  p = p * f + C5;
  p = p * f + C4;
  p = p * f + C3;
  p = p * f + C2;
  p = p * f + C1;
  p = p * f + C0;
  return (ulong)(uint)(p * 0x1p30f) << 10 >> (uint)-n;
}

void clear(local bins *sums) {
  SYNC();
  for (int i = get_local_id(0); i < BINS; i += LANES) {
    sums->low[i] = 0;
    sums->high[i] = 0;
  }
  SYNC();
}

void add(local bins *sums, uint bin, ulong value) {
  uint low = (uint)value;
  uint high = (uint)(value >> 32);
#if LANES > 1
  uint before = atomic_add(&sums->low[bin], low);
  high += before + low < before;
  if (high != 0) {
    atomic_add(&sums->high[bin], high);
  }
#else
  sums->low[bin] += low;
  sums->high[bin] += high + (sums->low[bin] < low);
#endif
}

ulong sum_of(local const bins *sums, int bin) {
  return (ulong)sums->high[bin] << 32 | sums->low[bin];
}

#define AT_ONCE 16

// The largest key that the item finds among the columns up to end; *id is the first that has it.
uint largest_of_item(GLOBAL const float *x, int from, int columns, int *id) {
  uint most = NONE;
  int first = -1;
  int i = from + get_local_id(0);
  // Several at once, so that they are on their way together.
  for (; i + (AT_ONCE - 1) * LANES < columns; i += AT_ONCE * LANES) {
    uint some[AT_ONCE];
    for (int j = 0; j < AT_ONCE; j++) {
      some[j] = key_of(x[i + j * LANES]);
    }
    for (int j = 0; j < AT_ONCE; j++) {
      first = some[j] > most ? i + j * LANES : first;
      most = max(most, some[j]);
    }
  }
  for (; i < columns; i += LANES) {
    uint key = key_of(x[i]);
    first = key > most ? i : first;
    most = max(most, key);
  }
  *id = first;
  return most;
}

// The largest key of all items, in all of them; *id becomes the least of those that have it.
uint largest_of_all(uint most, local uint *keys, local int *ids, int *id) {
#if LANES > 1
  int lane = get_local_id(0);
  keys[lane] = most;
  ids[lane] = *id;
  for (int half_lanes = LANES / 2; half_lanes > 0; half_lanes /= 2) {
    SYNC();
    if (lane < half_lanes) {
      uint key = keys[lane + half_lanes];
      int other = ids[lane + half_lanes];
      if (key > keys[lane] || (key == keys[lane] && other < ids[lane])) {
        keys[lane] = key;
        ids[lane] = other;
      }
    }
  }
  SYNC();
  most = keys[0];
  *id = ids[0];
  SYNC();
#endif
  return most;
}

#ifdef PARTS
// largest_logits: of each of PARTS parts of a row the largest key and the first id that has it. Items: a work-group for each.
kernel void largest_logits(GLOBAL const float *logits, GLOBAL uint *largest, GLOBAL int *first, int columns, GLOBAL const int *counts,
                           int which) {
  BEGIN_LAUNCH();
  SHARED uint keys[LANES];
  SHARED int ids[LANES];
  size_t row = get_group_id(1);
  int part = (int)get_group_id(0);
  if (row >= counts[which]) {
    return;
  }
  int each = (columns - 1) / PARTS + 1, id;
  uint most = largest_of_item(logits + row * columns, part * each, min(columns, (part + 1) * each), &id);
  most = largest_of_all(most, keys, ids, &id);
  if (get_local_id(0) == 0) {
    largest[row * PARTS + part] = most;
    first[row * PARTS + part] = id;
  }
}
#endif

// Adds the item's share of the row to the bins of a part of their keys: those above the threshold, and equal to it, whose
// keys begin with prefix.
void count(GLOBAL const float *x, int columns, uint threshold, ulong ties, uint prefix, int shift, int by_weight,
           uint most, float scale, local bins *sums) {
  int is_first = shift == 32 - BITS;
  for (int i = get_local_id(0); i < columns; i += LANES) {
    uint key = key_of(x[i]);
    if (key > threshold && (is_first || key >> (shift + BITS) == prefix)) {
      add(sums, key >> shift & (BINS - 1), by_weight ? weight_of(key, most, scale) : 1);
    }
  }
  // Those equal to the threshold all weigh the same: no need to find them.
  if (get_local_id(0) == 0 && ties > 0 && (is_first || threshold >> (shift + BITS) == prefix)) {
    add(sums, threshold >> shift & (BINS - 1), ties * weight_of(threshold, most, scale));
  }
}

ulong total_of(local const bins *sums) {
  ulong total = 0;
  for (int bin = 0; bin < BINS; bin++) {
    total += sum_of(sums, bin);
  }
  return total;
}

// Adds up what is kept of the item's segments: the weights of what is above the threshold, and how many are equal to it.
void add_segments(GLOBAL const float *x, int columns, int segment_columns, uint threshold, ulong min_weight, uint most,
                  float scale, local ulong *sums, local int *ties) {
  for (int segment = get_local_id(0); segment < SEGMENTS; segment += LANES) {
    int end = min(columns, (segment + 1) * segment_columns);
    ulong sum = 0;
    int count = 0;
    for (int i = segment * segment_columns; i < end; i++) {
      uint key = key_of(x[i]);
      ulong weight = key > threshold ? weight_of(key, most, scale) : 0;
      sum += weight >= min_weight ? weight : 0;
      count += key == threshold;
    }
    sums[segment] = sum;
    ties[segment] = count;
  }
}

// Draws from what is kept; the one item that has the token's segment writes the token.
void draw(GLOBAL const float *x, int columns, int segment_columns, uint threshold, ulong ties, ulong min_weight,
          ulong random, uint most, float scale, local const ulong *segment_sums, local const int *segment_ties,
          GLOBAL int *token) {
  ulong tie_weight = weight_of(threshold, most, scale);
  tie_weight = tie_weight >= min_weight ? tie_weight : 0;
  ulong total = 0;
  int left = (int)ties;
  for (int segment = 0; segment < SEGMENTS; segment++) {
    int count = min(left, segment_ties[segment]);
    total += segment_sums[segment] + count * tie_weight;
    left -= count;
  }
  ulong target = mul_hi(total, random);
  left = (int)ties;
  int segment = 0;
  for (; segment < SEGMENTS - 1; segment++) {
    int count = min(left, segment_ties[segment]);
    ulong sum = segment_sums[segment] + count * tie_weight;
    if (target < sum) {
      break;
    }
    target -= sum;
    left -= count;
  }
  if (get_local_id(0) == segment % LANES) {
    int end = min(columns, (segment + 1) * segment_columns);
    int id = -1;
    for (int i = segment * segment_columns; i < end && id < 0; i++) {
      uint key = key_of(x[i]);
      if (key > threshold || (key == threshold && left-- > 0)) {
        ulong weight = weight_of(key, most, scale);
        weight = weight >= min_weight ? weight : 0;
        id = target < weight ? i : -1;
        target -= weight;
      }
    }
    *token = id;
  }
}

kernel void sample(GLOBAL const float *logits, GLOBAL const settings *parameters, GLOBAL const change *changes,
                   GLOBAL int *tokens, GLOBAL float *room,
#ifdef PARTS
                   GLOBAL const uint *part_largest, GLOBAL const int *part_first,
#endif
                   int columns, GLOBAL const int *counts, int which) {
  BEGIN_LAUNCH();
  SHARED bins sums;
  SHARED ulong segment_sums[SEGMENTS];
  SHARED int segment_ties[SEGMENTS];
  SHARED uint keys[LANES];
  SHARED int ids[LANES];
  int lane = get_local_id(0);
  size_t row = get_group_id(0);
  if (row >= counts[which]) {
    return;
  }
  settings own = parameters[row];
  GLOBAL const float *x = logits + row * columns;
  GLOBAL float *copy = room + row * columns;
  int first_change = row == 0 ? 0 : parameters[row - 1].changes_end;
  int copied = first_change < own.changes_end ? columns : 0;
  for (int i = lane; i < copied; i += LANES) {
    copy[i] = x[i];
  }
  GLOBAL_SYNC();
  for (int i = first_change + lane; i < own.changes_end; i += LANES) {
    change one = changes[i];
    float logit = copy[one.id] + one.bias;
    if (one.is_seen) {
      logit = logit * (logit > 0 ? own.inverse : own.repetition) - one.penalty;
    }
    copy[one.id] = logit;
  }
  GLOBAL_SYNC();
  x = copied > 0 ? copy : x;
  int first;
#ifdef PARTS
  uint most = NONE;
  first = -1;
  if (copied > 0) {
    most = largest_of_item(x, 0, columns, &first);
  } else if (lane < PARTS) {
    most = part_largest[row * PARTS + lane];
    first = part_first[row * PARTS + lane];
  }
#else
  uint most = largest_of_item(x, 0, columns, &first);
#endif
  most = largest_of_all(most, keys, ids, &first);
  int is_drawn = own.scale != 0 && most > NONE;

  // The passes for top-k, then those for top-p; none where neither is wanted.
  int pass = is_drawn && own.top_k != 0 ? 0 : PASSES;
  int end = is_drawn && own.top_p != 0 ? 2 * PASSES : PASSES;
  uint threshold = NONE;
  ulong ties = 0;
  uint prefix = 0;
  ulong target = 0;
  for (; pass < end; pass++) {
    int by_weight = pass >= PASSES;
    int shift = 32 - BITS - pass % PASSES * BITS;
    clear(&sums);
    count(x, columns, threshold, ties, prefix, shift, by_weight, most, own.scale, &sums);
    SYNC();
    if (pass == 0) {
      target = own.top_k;
    } else if (pass == PASSES) {
      target = max((ulong)1, mul_hi(total_of(&sums), (ulong)own.top_p << 32));
    }
    // Every item walks for itself, as none could do anything better meanwhile. Where there are not so many, the walk ends
    // at 0, below the keys of all that weigh anything.
    int bin = BINS - 1;
    while (bin > 0 && sum_of(&sums, bin) < target) {
      target -= sum_of(&sums, bin--);
    }
    prefix = prefix << BITS | bin;
    if (shift == 0) {
      threshold = prefix;
      ulong weight = max((ulong)1, weight_of(prefix, most, own.scale));
      ties = by_weight ? (target - 1) / weight + 1 : target;
      prefix = 0;
    }
  }

  int segment_columns = (columns - 1) / SEGMENTS + 1;
  if (is_drawn) {
    add_segments(x, columns, segment_columns, threshold, own.min_weight, most, own.scale, segment_sums, segment_ties);
  }
  SYNC();
  if (is_drawn) {
    draw(x, columns, segment_columns, threshold, ties, own.min_weight, own.random, most, own.scale, segment_sums,
         segment_ties, tokens + row);
  } else if (lane == 0) {
    tokens[row] = first;
  }
  // PoCL 3.1 drops the condition of a last store behind barriers.
  SYNC();
}
