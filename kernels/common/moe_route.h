// Chooses `used` experts for each row of logits: those of the largest logits, or with BIASED of the largest score + bias.
// Scores are a softmax over the row (SCORING_SOFTMAX) or each a sigmoid (SCORING_SIGMOID); a chosen expert's weight is
// factor * score, divided by the row's sum of chosen scores if renormalised.          Source: MoeRoute.java names the models.
//
// Where GROUPS is defined, only experts of the USED_GROUPS best groups of neighbors are chosen: groups are compared by their best expert
// (RANKING_BEST) or by the sum of their two best scores (RANKING_SUM_OF_TWO).
//
// Items: one work-group of LANES items for each row; lane l has experts l, l + LANES, ... so that neighbors read neighboring
// logits. For each choice every lane offers its best, and the lanes' offers meet in local memory; or, where the dialect has shuffles and
// they are lanes of one warp, in registers: all of them add up and compare the same pairs, so that all get the same, and no lane reads what
// another writes but for groups.
// Traffic: 4 bytes a logit (and again from the cache for scores), 8 bytes for each that is chosen.
//
// Invariants: LANES is a power of two; all items reach every barrier; used <= EXPERTS, so that there is always an expert that
// is not chosen yet. A logit that is NaN counts as -infinity, and only what is chosen has the rank NaN, so ids are different
// experts whatever the logits are. Of equals the lower id wins. A lane writes the ranks of its own experts only.
//
// Defines: EXPERTS, LANES, SCORING_SOFTMAX or SCORING_SIGMOID, BIASED (optional); GROUPS (optional), which divides EXPERTS, USED_GROUPS,
// RANKING_BEST or RANKING_SUM_OF_TWO. Local memory: 4 EXPERTS + 4 GROUPS bytes, and 8 LANES without shuffles.
//
// global size: LANES * rows.

#include "dialect.h"

// Keeps a sum of scores that are all zero from being divided by.
#define LEAST_SUM 1e-20f

#include "lanes.h"
#include "shuffles.h"

#if defined(HAS_SHUFFLES) && LANES <= 32
#define IN_REGISTERS
#endif

static inline float number(float logit) {
  return isnan(logit) ? -INFINITY : logit;
}

static inline float reduce_max(float value, int lane, local float *lanes) {
#ifdef IN_REGISTERS
  for (int bit = LANES / 2; bit > 0; bit /= 2) {
    value = fmax(value, shuffle_xor(value, bit, LANES));
  }
#elif LANES > 1
  lanes[lane] = value;
  for (int half_lanes = LANES / 2; half_lanes > 0; half_lanes /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane < half_lanes) {
      lanes[lane] = fmax(lanes[lane], lanes[lane + half_lanes]);
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  value = lanes[0];
  barrier(CLK_LOCAL_MEM_FENCE);
#endif
  return value;
}

// In the same order either way.
static inline float reduce_sum(float value, int lane, local float *lanes) {
#ifdef IN_REGISTERS
  for (int bit = LANES / 2; bit > 0; bit /= 2) {
    value += shuffle_xor(value, bit, LANES);
  }
  return value;
#else
  return sum_lanes(value, lane, lanes);
#endif
}

// Whether the first of two experts comes before the other; one whose rank is NaN comes before none.
static inline bool is_before(float rank, int expert, float other_rank, int other) {
  return rank > other_rank || (rank == other_rank && expert < other);
}

// The first of all lanes' experts, in all lanes.
static inline int reduce_first(float rank, int expert, int lane, local float *ranks, local int *experts) {
#ifdef IN_REGISTERS
  for (int bit = LANES / 2; bit > 0; bit /= 2) {
    float other_rank = shuffle_xor(rank, bit, LANES);
    int other = shuffle_xor(expert, bit, LANES);
    bool is_other = is_before(other_rank, other, rank, expert);
    rank = is_other ? other_rank : rank;
    expert = is_other ? other : expert;
  }
#elif LANES > 1
  ranks[lane] = rank;
  experts[lane] = expert;
  for (int half_lanes = LANES / 2; half_lanes > 0; half_lanes /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    int other = lane + half_lanes;
    if (lane < half_lanes && is_before(ranks[other], experts[other], ranks[lane], experts[lane])) {
      ranks[lane] = ranks[other];
      experts[lane] = experts[other];
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  expert = experts[0];
  barrier(CLK_LOCAL_MEM_FENCE);
#endif
  return expert;
}

#ifdef GROUPS
#define GROUP_SIZE (EXPERTS / GROUPS)

// What a group of experts is worth.
static inline float group_rank(local const float *ranks) {
  float best = -INFINITY, second = -INFINITY;
  for (int i = 0; i < GROUP_SIZE; i++) {
    float rank = ranks[i];
    second = rank > best ? best : fmax(second, rank);
    best = fmax(best, rank);
  }
#ifdef RANKING_SUM_OF_TWO
  return number(best + second);
#else
  return best;
#endif
}

// Whether fewer than USED_GROUPS groups come before one.
static inline bool is_used(local const float *group_ranks, int group) {
  int before = 0;
  for (int other = 0; other < GROUPS; other++) {
    before += is_before(group_ranks[other], other, group_ranks[group], group) ? 1 : 0;
  }
  return before < USED_GROUPS;
}
#endif

kernel GROUP_OF(LANES) void moe_route(
    GLOBAL const float *logits,
#ifdef BIASED
    GLOBAL const float *bias,
#endif
    GLOBAL int *ids,
    GLOBAL float *weights,
    int used,
    int renormalised,
    float factor,
    GLOBAL const int *counts,
    int which) {
  BEGIN_LAUNCH();
  SHARED float ranks[EXPERTS];
  SHARED float lane_values[LANES];
  SHARED int lane_ids[LANES];
  int lane = (int)get_local_id(0);
  int row = (int)get_group_id(0);
  if (row >= counts[which]) {
    return;
  }
  logits += (ulong)row * EXPERTS;
  ids += (ulong)row * used;
  weights += (ulong)row * used;

#ifdef SCORING_SOFTMAX
  float largest = -INFINITY;
  for (int e = lane; e < EXPERTS; e += LANES) {
    largest = fmax(largest, number(logits[e]));
  }
  largest = reduce_max(largest, lane, lane_values);
  float total = 0;
  for (int e = lane; e < EXPERTS; e += LANES) {
    total += exp(number(logits[e]) - largest);
  }
  total = reduce_sum(total, lane, lane_values);
#define SCORE(e) (exp(number(logits[e]) - largest) / total)
#else
#define SCORE(e) (1.0f / (1.0f + exp(-number(logits[e]))))
#endif

  for (int e = lane; e < EXPERTS; e += LANES) {
#ifdef BIASED
    float rank = SCORE(e) + bias[e];
    ranks[e] = isnan(rank) || isnan(logits[e]) ? -INFINITY : rank;
#elif defined(RANKING_SUM_OF_TWO)
    ranks[e] = isnan(logits[e]) ? -INFINITY : number(SCORE(e));
#else
    ranks[e] = number(logits[e]);
#endif
  }

#ifdef GROUPS
  SHARED float group_ranks[GROUPS];
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int g = lane; g < GROUPS; g += LANES) {
    group_ranks[g] = group_rank(ranks + g * GROUP_SIZE);
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int e = lane; e < EXPERTS; e += LANES) {
    if (!is_used(group_ranks, e / GROUP_SIZE)) {
      ranks[e] = NAN;
    }
  }
#endif

  float sum = LEAST_SUM;
  for (int slot = 0; slot < used; slot++) {
    float rank = -INFINITY;
    int best = EXPERTS;
    for (int e = lane; e < EXPERTS; e += LANES) {
      if (is_before(ranks[e], e, rank, best)) {
        rank = ranks[e];
        best = e;
      }
    }
    best = reduce_first(rank, best, lane, lane_values, lane_ids);
    float score = SCORE(best);
    sum += score;
    if (best % LANES == lane) {
      ranks[best] = NAN;
      ids[slot] = best;
      weights[slot] = factor * score;
    }
  }
  // What other lanes wrote is seen behind this.
  barrier(CLK_GLOBAL_MEM_FENCE);
  if (renormalised) {
    for (int slot = lane; slot < used; slot += LANES) {
      weights[slot] /= sum;
    }
  }
  // Nothing waits for this one; see mat_mul.cl.
  barrier(CLK_LOCAL_MEM_FENCE);
}
