// moe_slots: sorts a step's slots by expert and divides them into tiles for mat_mul.h and mat_mul_warpgroups.h: `sorted` becomes the slots of
// expert 0, of expert 1, ... each in rising order; tiles[0].x how many tiles there are, and from tiles[1] on they are (expert, first of its
// slots in `sorted`, how many, 0), at most `most` of one expert each. So grids can be the most tiles that so many rows may need, whatever
// the ids are: blocks behind the last return.
// Items: one block of WARPS warps, each with a run of neighbouring slots, 32 at a time. Lanes of one expert find each other by a match; the
// first of them counts, and later tells where all go. Nothing is atomic, so the order is always the same.
// Traffic: the ids twice; 4 bytes a slot and 16 a tile written.
// Invariants: an id that is no expert's stands for the nearest that is, so every slot is in one tile.
// Defines: EXPERTS, WARPS. Shared memory: 4 WARPS EXPERTS bytes.

#include "dialect.h"

#define THREADS (32 * WARPS)
#define ALL_LANES 0xffffffff
// Of 32 slots each, whose ids come at once.
#define GROUPS 4

// What goes on for each of a warp's slots, in their order: `take(expert, slot, same)`, where `same` are the lanes of that expert.
template <class Take>
static inline void for_slots(const int *ids, int from, int to, Take take) {
  int lane = threadIdx.x % 32;
  for (int at = from; at < to; at += 32 * GROUPS) {
    int experts[GROUPS];
#pragma unroll
    for (int i = 0; i < GROUPS; i++) {
      int slot = at + 32 * i + lane;
      experts[i] = slot < to ? clamp(ids[slot], 0, EXPERTS - 1) : -1;
    }
#pragma unroll
    for (int i = 0; i < GROUPS; i++) {
      uint same = __match_any_sync(ALL_LANES, experts[i]);
      take(experts[i], at + 32 * i + lane, same);
      __syncwarp();
    }
  }
}

// The sum of the lanes up to this one.
static inline int sum_up_to(int value, int lane) {
#pragma unroll
  for (int distance = 1; distance < 32; distance *= 2) {
    int before = __shfl_up_sync(ALL_LANES, value, distance);
    value += lane >= distance ? before : 0;
  }
  return value;
}

kernel void __launch_bounds__(THREADS) moe_slots(
    const int *ids, int4 *tiles, int *sorted, int used, int most, const int *counts, int which) {
  BEGIN_LAUNCH();
  // Slots of each expert in each warp's run; then where the next of them goes.
  __shared__ int places[WARPS][EXPERTS];
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  int slots = counts[which] * used;
  int run = (slots + THREADS - 1) / THREADS * 32;
  int from = min(warp * run, slots), to = min(from + run, slots);
  for (int e = lane; e < EXPERTS; e += 32) {
    places[warp][e] = 0;
  }
  __syncwarp();
  for_slots(ids, from, to, [&](int expert, int, uint same) {
    if (expert >= 0 && lane == __ffs(same) - 1) {
      places[warp][expert] += __popc(same);
    }
  });
  __syncthreads();
  if (warp == 0) {
    int start = 0, tile = 0;
    for (int first = 0; first < EXPERTS; first += 32) {
      int e = first + lane, count = 0;
      if (e < EXPERTS) {
#pragma unroll 4
        for (int w = 0; w < WARPS; w++) {
          count += places[w][e];
        }
      }
      int needed = (count + most - 1) / most;
      int next = start + sum_up_to(count, lane), next_tile = tile + sum_up_to(needed, lane);
      int place = next - count;
      for (int i = 0; i < needed; i++) {
        tiles[1 + next_tile - needed + i] = make_int4(e, place + i * most, min(count - i * most, most), 0);
      }
      if (e < EXPERTS) {
#pragma unroll 4
        for (int w = 0; w < WARPS; w++) {
          int of_warp = places[w][e];
          places[w][e] = place;
          place += of_warp;
        }
      }
      start = __shfl_sync(ALL_LANES, next, 31);
      tile = __shfl_sync(ALL_LANES, next_tile, 31);
    }
    if (lane == 0) {
      tiles[0] = make_int4(tile, 0, 0, 0);
    }
  }
  __syncthreads();
  for_slots(ids, from, to, [&](int expert, int slot, uint same) {
    int place = expert >= 0 ? places[warp][expert] : 0;
    __syncwarp();
    if (expert >= 0) {
      uint before = same & (1u << lane) - 1;
      sorted[place + __popc(before)] = slot;
      if (before == 0) {
        places[warp][expert] = place + __popc(same);
      }
    }
  });
}
