// Chooses `used` experts for each row of logits: those of the largest logits, or with BIASED of the largest score + bias.
// Scores are a softmax over the row (SCORING_SOFTMAX) or each a sigmoid (SCORING_SIGMOID); a chosen expert's weight is
// factor * score, divided by the row's sum of chosen scores if renormalised.          Source: MoeRoute.java names the models.
//
// Items: one work-group of LANES items for each row; lane l has experts l, l + LANES, ... so that neighbors read neighboring
// logits. For each choice every lane offers its best, and the lanes' offers meet in local memory.
// Traffic: 4 bytes a logit (and again from the cache for scores), 8 bytes for each that is chosen.
//
// Invariants: LANES is a power of two; all items reach every barrier; used <= EXPERTS, so that there is always an expert that
// is not chosen yet. A logit that is NaN counts as -infinity, and only what is chosen has the rank NaN, so ids are different
// experts whatever the logits are. Of equals the lower id wins. A lane writes the ranks of its own experts only.
//
// Defines: EXPERTS, LANES, SCORING_SOFTMAX or SCORING_SIGMOID, BIASED (optional). Local memory: 4 EXPERTS + 8 LANES bytes.
//
// global size: LANES * rows.

// Keeps a sum of scores that are all zero from being divided by.
#define LEAST_SUM 1e-20f

static inline float number(float logit) {
  return isnan(logit) ? -INFINITY : logit;
}

static inline float reduce_max(float value, int lane, local float *lanes) {
#if LANES > 1
  barrier(CLK_LOCAL_MEM_FENCE);
  lanes[lane] = value;
  for (int half_lanes = LANES / 2; half_lanes > 0; half_lanes /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane < half_lanes) {
      lanes[lane] = fmax(lanes[lane], lanes[lane + half_lanes]);
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  return lanes[0];
#else
  return value;
#endif
}

static inline float reduce_sum(float value, int lane, local float *lanes) {
#if LANES > 1
  barrier(CLK_LOCAL_MEM_FENCE);
  lanes[lane] = value;
  for (int half_lanes = LANES / 2; half_lanes > 0; half_lanes /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane < half_lanes) {
      lanes[lane] += lanes[lane + half_lanes];
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  return lanes[0];
#else
  return value;
#endif
}

// Which of two experts comes first; -1 is none.
static inline int better(int a, int b, local const float *ranks) {
  if (a < 0 || b < 0) {
    return max(a, b);
  }
  return ranks[a] > ranks[b] || (ranks[a] == ranks[b] && a < b) ? a : b;
}

// The best of all lanes' experts, in all lanes.
static inline int reduce_best(int best, int lane, local int *lanes, local const float *ranks) {
#if LANES > 1
  lanes[lane] = best;
  for (int half_lanes = LANES / 2; half_lanes > 0; half_lanes /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane < half_lanes) {
      lanes[lane] = better(lanes[lane], lanes[lane + half_lanes], ranks);
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  best = lanes[0];
  barrier(CLK_LOCAL_MEM_FENCE);
#endif
  return best;
}

kernel __attribute__((reqd_work_group_size(LANES, 1, 1))) void moe_route(
    global const float *logits,
#ifdef BIASED
    global const float *bias,
#endif
    global int *ids,
    global float *weights,
    int used,
    int renormalised,
    float factor,
    global const int *counts,
    int which) {
  local float ranks[EXPERTS];
  local float lane_values[LANES];
  local int lane_ids[LANES];
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
#else
    ranks[e] = number(logits[e]);
#endif
  }

  float sum = LEAST_SUM;
  for (int slot = 0; slot < used; slot++) {
    int best = -1;
    for (int e = lane; e < EXPERTS; e += LANES) {
      if (best < 0 ? !isnan(ranks[e]) : ranks[e] > ranks[best]) {
        best = e;
      }
    }
    best = reduce_best(best, lane, lane_ids, ranks);
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
