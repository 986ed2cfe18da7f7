// attention_split: attention of each row for itself, its keys divided among blocks (Flash-Decoding: Dao et al. 2023).
// attention_plain says plainly what comes out.
//
// Blocks: dimension 0 the split, dimension 1 the KV head, its heads in parts of HEADS_AT_ONCE and its values in parts of VALUE_PART
// columns, dimension 2 the row. How many splits of keys there are depends on the row, but the grid has `most_splits`: those of the
// others end at once. The block that ends last puts the splits' results together, in their order, whichever block it is.
// With IN_TURN a block goes through all splits itself, and through rows a grid's depth apart; the result is the same to the bit, so that
// steps of few rows and of many agree.
// With ROTARY_WIDTH, for a step of one row, queries are turned here, and the row's own key, turned, and its value are stored by the blocks of
// the last split, which see them: rope_cache_write and attention in one. Blocks that share a KV head store the same bytes. All other keys
// and values are from steps before: the first of them are on their way before the last launch is done.
// With TILE_ROWS only rows are computed that attention_tiles leaves out: those of tiles that more than one sequence shares.
// A block's warps take tiles of TILE keys in turns, each for all heads: keys and values are read once.
// Traffic: the cache from the first key that the mask lets through to the last; bound by memory.
// Invariants: a key that the mask hides is not read; a row that sees none yields zeros; `ended` is all zeros between launches.
// Defines: WARPS, IN_TURN (optional), HEADS_AT_ONCE (at most 8), VALUE_PART, PARTIAL_FLOATS (of a split's results), TILE_ROWS
// (optional), HALVES (for caches of 16 bits or of eight-bit floats, on tensor cores), ROTARY_WIDTH (optional, with HALVES) and rotation.h's.

#include "launches.h"
#include "attention_row.h"
#ifdef HALVES
#include "attention_halves.h"
#else
#include "attention_elements.h"
#endif
#ifdef ROTARY_WIDTH
#include "rotation.h"
#endif

#define THREADS (32 * WARPS)
#define HEAD_PARTS ((GROUP + HEADS_AT_ONCE - 1) / HEADS_AT_ONCE)
#define VALUE_PARTS ((VALUE_WIDTH + VALUE_PART - 1) / VALUE_PART)
#define SUMS (HEADS_AT_ONCE * VALUE_PART)

#if VALUE_WIDTH % 4 == 0 && VALUE_PART % 4 == 0
#define RUN 4
typedef float4 run_of_floats;
#else
#define RUN 1
typedef float run_of_floats;
#endif

// Each thread has these runs of RUN sums of a head.
#define RUNS (SUMS / RUN)
#define RUNS_EACH ((RUNS + THREADS - 1) / THREADS)

// What was attended to of one head, for RUN columns.
struct attended {
  float base, total;
  alignas(16) float sums[RUN];

  inline void clear() {
    base = NOTHING;
    total = 0;
    for (int i = 0; i < RUN; i++) {
      sums[i] = 0;
    }
  }

  // `to` is not below either's base.
  inline void add(float of_base, float of_total, const float *of_sums, float to) {
    float own = factor_between(base, to), factor = factor_between(of_base, to);
    base = to;
    total = fma(of_total, factor, total * own);
    run_of_floats run = *(const run_of_floats *)of_sums;
    for (int i = 0; i < RUN; i++) {
      sums[i] = fma(((const float *)&run)[i], factor, sums[i] * own);
    }
  }
};

static inline void fence() { asm volatile("fence.acq_rel.gpu;" ::: "memory"); }

// Whether no tile has the row.
static inline bool is_asked_for(const int *row_sequence, int row, int count) {
#ifdef TILE_ROWS
  int first = row / TILE_ROWS * TILE_ROWS, end = first + TILE_ROWS < count ? first + TILE_ROWS : count;
  return row_sequence[first] != row_sequence[end - 1];
#else
  return true;
#endif
}

// What the kernel is given.
struct attention_arguments {
  const float *q;
  const uchar *keys, *values;
  const int *positions, *row_sequence, *table_starts, *tables, *lengths;
  float *y, *partials;
  uint *ended;
  // Of each row, whatever its context.
  int most_splits;
  const float *sinks, *relative_bias;
#ifdef ROTARY_WIDTH
  const float *k, *v;
  const float2 *angles;
#endif
};

#ifdef ROTARY_WIDTH
// The row's queries, turned, in shared memory; and what is its own in the cache, where the block has that.
static inline const float *bring_own(const attention_arguments &given, const attention_row &a, int row, bool has_own) {
  __shared__ float4 turned_queries[HEADS_AT_ONCE * KEY_WIDTH / 4];
  float *turned = (float *)turned_queries;
  int queries = a.heads * TURNS, keys = has_own ? TURNS : 0;
  int values = !has_own ? 0 : VALUE_WIDTH - a.first_column < VALUE_PART ? VALUE_WIDTH - a.first_column : VALUE_PART;
  int position = (int)a.position, page = has_own ? a.pages[position / PAGE_TOKENS] : 0;
  const float *q = given.q + ((size_t)row * HEADS + a.first_head) * KEY_WIDTH;
  const float *k = given.k + ((size_t)row * KV_HEADS + a.kv_head) * KEY_WIDTH;
  const float *v = given.v + ((size_t)row * KV_HEADS + a.kv_head) * VALUE_WIDTH;
  uchar *key = (uchar *)a.key_row(page, position), *value = (uchar *)a.value_row(page, position);
#pragma unroll 4
  for (int i = threadIdx.x; i < queries + keys + values; i += THREADS) {
    if (i < queries) {
      int head = i / TURNS * KEY_WIDTH;
      turn_head(q + head, given.angles, position, i % TURNS, turned + head);
    } else if (i < queries + keys) {
      int turn = i - queries, head = a.kv_head * KEY_WIDTH;
      if (turn < PAIR_VECTORS) {
        pairs both = turned_pairs(k, given.angles, position, turn);
        key_store(both.first, key, head + FIRST_COLUMN(turn));
        key_store(both.second, key, head + SECOND_COLUMN(turn));
      } else {
        key_store(k[COPIED_COLUMN(turn)], key, head + COPIED_COLUMN(turn));
      }
    } else {
      int column = a.first_column + i - queries - keys;
      value_store(v[column], value, a.kv_head * VALUE_WIDTH + column);
    }
  }
  __syncthreads();
  return turned;
}
#endif

static inline void attend_row(const attention_arguments &given, int row, int sequence, long position) {
  __shared__ float4 sums_of_warps[(WARPS * SUMS + 3) / 4];
  __shared__ float bases[WARPS][HEADS_AT_ONCE], totals[WARPS][HEADS_AT_ONCE];
  int part = blockIdx.y;
  int group = part / VALUE_PARTS;
  attention_row a;
  a.keys = given.keys;
  a.values = given.values;
  a.pages = given.tables + given.table_starts[sequence];
  a.position = position;
  a.range = keys_of(position, given.lengths[sequence]);
#ifdef RELATIVE_BIAS
  a.relative_bias = given.relative_bias;
#endif
  a.kv_head = group / HEAD_PARTS;
  int skipped = group % HEAD_PARTS * HEADS_AT_ONCE;
  a.first_head = a.kv_head * GROUP + skipped;
  a.heads = GROUP - skipped < HEADS_AT_ONCE ? GROUP - skipped : HEADS_AT_ONCE;
  a.first_column = part % VALUE_PARTS * VALUE_PART;

  int first_tile = a.range.x / TILE;
  int tiles = a.range.y < a.range.x ? 0 : a.range.y / TILE + 1 - first_tile;
  int at_once = given.most_splits * WARPS;
  int each = (tiles + at_once - 1) / at_once * WARPS;
  int splits = tiles == 0 ? 1 : (tiles + each - 1) / each;
#ifdef IN_TURN
  int first_split = 0, end_split = splits;
#else
  int first_split = blockIdx.x, end_split = first_split + 1;
  if (first_split >= splits) {
    return;
  }
#endif

  int warp = threadIdx.x / 32;
  warp_attention mine;
  int of_warp = first_tile + each * first_split + warp;
  int end_tile = first_tile + min(each * (first_split + 1), tiles);
#ifdef ROTARY_WIDTH
  mine.start(a, of_warp, end_tile, (int)position);
  await_last_launch();
  const float *queries = bring_own(given, a, row, first_split == splits - 1);
  mine.bring(a, of_warp, end_tile, (int)position);
  mine.prepare(a, queries);
#else
  mine.start(a, of_warp, end_tile, -1);
  mine.prepare(a, given.q + ((size_t)row * HEADS + a.first_head) * KEY_WIDTH);
#endif
  attended results[RUNS_EACH];
  for (int i = 0; i < RUNS_EACH; i++) {
    results[i].clear();
  }
  for (int split = first_split; split < end_split; split++) {
    if (split > first_split) {
      of_warp = first_tile + each * split + warp;
      end_tile = first_tile + min(each * (split + 1), tiles);
      mine.start(a, of_warp, end_tile, -1);
    }
    mine.attend(a, of_warp, end_tile);
    mine.store(a, bases[warp], totals[warp], (float *)sums_of_warps + warp * SUMS);
    __syncthreads();
    for (int i = 0; i < RUNS_EACH; i++) {
      int at = (int)threadIdx.x + i * THREADS, head = at * RUN / VALUE_PART;
      if (at < RUNS && head < a.heads) {
        attended of_split;
        of_split.clear();
        float most = NOTHING;
        for (int w = 0; w < WARPS; w++) {
          most = fmaxf(most, bases[w][head]);
        }
        for (int w = 0; w < WARPS; w++) {
          of_split.add(bases[w][head], totals[w][head], (const float *)sums_of_warps + w * SUMS + at * RUN, most);
        }
        results[i].add(of_split.base, of_split.total, of_split.sums, fmaxf(results[i].base, of_split.base));
      }
    }
    __syncthreads();
  }

#ifndef IN_TURN
  if (splits > 1) {
    size_t block = (size_t)row * gridDim.y + part;
    float *partials = given.partials + block * given.most_splits * PARTIAL_FLOATS;
    float *own = partials + first_split * PARTIAL_FLOATS;
    for (int i = 0; i < RUNS_EACH; i++) {
      int at = (int)threadIdx.x + i * THREADS, head = at * RUN / VALUE_PART;
      if (at < RUNS && head < a.heads) {
        *(run_of_floats *)(own + at * RUN) = *(const run_of_floats *)results[i].sums;
        if (at * RUN % VALUE_PART == 0) {
          own[SUMS + head] = results[i].base;
          own[SUMS + HEADS_AT_ONCE + head] = results[i].total;
        }
      }
    }
    // What all threads wrote is there before the block counts as ended: the barrier hands it to the thread whose fence tells the device.
    __shared__ bool is_last;
    __syncthreads();
    if (threadIdx.x == 0) {
      fence();
      // The last sets it back to zero.
      is_last = atomicInc(given.ended + block, splits - 1) == splits - 1;
      fence();
    }
    __syncthreads();
    if (!is_last) {
      return;
    }
    for (int i = 0; i < RUNS_EACH; i++) {
      int at = (int)threadIdx.x + i * THREADS, head = at * RUN / VALUE_PART;
      if (at < RUNS && head < a.heads) {
        float most = NOTHING;
#pragma unroll 8
        for (int s = 0; s < splits; s++) {
          most = fmaxf(most, __ldcg(partials + s * PARTIAL_FLOATS + SUMS + head));
        }
        results[i].clear();
#pragma unroll 8
        for (int s = 0; s < splits; s++) {
          const float *other = partials + s * PARTIAL_FLOATS;
          run_of_floats sums = __ldcg((const run_of_floats *)(other + at * RUN));
          results[i].add(__ldcg(other + SUMS + head), __ldcg(other + SUMS + HEADS_AT_ONCE + head), (const float *)&sums, most);
        }
      }
    }
  }
#endif

  for (int i = 0; i < RUNS_EACH; i++) {
    int at = (int)threadIdx.x + i * THREADS, head = at * RUN / VALUE_PART;
    int column = a.first_column + at * RUN % VALUE_PART;
    if (at < RUNS && head < a.heads && column < VALUE_WIDTH) {
      run_of_floats run;
      float total = with_sink(results[i].total, results[i].base, given.sinks, a.first_head + head);
      for (int j = 0; j < RUN; j++) {
        ((float *)&run)[j] = results[i].base > NOTHING ? results[i].sums[j] / total : 0;
      }
      *(run_of_floats *)(given.y + ((size_t)row * HEADS + a.first_head + head) * VALUE_WIDTH + column) = run;
    }
  }
}

kernel void __launch_bounds__(THREADS)
    attention_split(const float *q, const uchar *keys, const uchar *values, const int *positions, const int *row_sequence,
                    const int *table_starts, const int *tables, const int *lengths, const int *counts, int which, float *y
                    ATTENTION_WEIGHTS,
                    float *partials, uint *ended, int most_splits
#ifdef ROTARY_WIDTH
                    ,
                    const float *k, const float *v, const float2 *angles
#endif
    ) {
  start_next_launch();
#ifndef ROTARY_WIDTH
  await_last_launch();
#endif
#ifndef SINKS
  const float *sinks = nullptr;
#endif
#ifndef RELATIVE_BIAS
  const float *relative_bias = nullptr;
#endif
  attention_arguments given = {q, keys, values, positions, row_sequence, table_starts, tables, lengths, y, partials, ended, most_splits, sinks,
                               relative_bias
#ifdef ROTARY_WIDTH
                               ,
                               k, v, angles
#endif
  };
#ifdef IN_TURN
  int count = counts[which];
  for (int first = blockIdx.z; first < count; first += 32 * gridDim.z) {
    int of_lane = first + threadIdx.x % 32 * gridDim.z;
    uint left = __ballot_sync(0xffffffff, of_lane < count && is_asked_for(row_sequence, of_lane, count));
    while (left != 0) {
      int row = first + (__ffs(left) - 1) * gridDim.z;
      left &= left - 1;
      attend_row(given, row, row_sequence[row], positions[row]);
    }
  }
#else
  // Read before it is known whether there is such a row, which saves a wait; there is room for the rows of all steps.
  int row = blockIdx.z, sequence = row_sequence[row];
  long position = positions[row];
  if (row < counts[which]) {
    attend_row(given, row, sequence, position);
  }
#endif
}
