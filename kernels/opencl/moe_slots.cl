// Sorts the slots of a step by expert and divides them into tiles for moe_mat_mul: `sorted` becomes the slots of expert 0, of
// expert 1, ... each in rising order, and `tiles` (expert, first of its slots in `sorted`, how many, 0) for runs of at most
// TILE_SLOTS slots of one expert. There are slots / TILE_SLOTS + min(EXPERTS, slots) tiles, the most that can be needed; those
// that are not needed have no slots.
//
// Items: one work-group of ITEMS items, each with the experts item, item + ITEMS, ... An expert's item goes over all ids, which
// pass through local memory in pieces, and counts or places its own: nothing is atomic, so the order is always the same.
// A single item counts and places all experts' slots in two passes.
// Traffic: the ids twice, 4 bytes a slot and 16 a tile written.
//
// Invariants: an id that is no expert's stands for the nearest that is, so every slot is in one tile. All items reach every
// barrier.
//
// Defines: EXPERTS, TILE_SLOTS, ITEMS. Local memory: 12 EXPERTS + 4 PIECE bytes.
//
// global size: ITEMS.

#define PIECE 256

static inline int expert_of(global const int *ids, int slot) {
  return clamp(ids[slot], 0, EXPERTS - 1);
}

// Reads the experts of PIECE slots; -1 behind the last.
static inline void read_piece(global const int *ids, int from, int slots, int item, local int *piece) {
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int i = item; i < PIECE; i += ITEMS) {
    piece[i] = from + i < slots ? expert_of(ids, from + i) : -1;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
}

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void moe_slots(
    global const int *ids,
    global int4 *tiles,
    global int *sorted,
    int used,
    global const int *counts,
    int which) {
  local int count[EXPERTS];
  local int start[EXPERTS];
  local int first_tile[EXPERTS];
  local int needed;
  int item = (int)get_local_id(0);
  int slots = counts[which] * used;
  for (int e = item; e < EXPERTS; e += ITEMS) {
    count[e] = 0;
  }
#if ITEMS > 1
  local int piece[PIECE];
  for (int from = 0; from < slots; from += PIECE) {
    read_piece(ids, from, slots, item, piece);
    for (int e = item; e < EXPERTS; e += ITEMS) {
      int found = count[e];
      for (int i = 0; i < PIECE; i++) {
        found += piece[i] == e;
      }
      count[e] = found;
    }
  }
#else
  for (int slot = 0; slot < slots; slot++) {
    count[expert_of(ids, slot)]++;
  }
#endif
  barrier(CLK_LOCAL_MEM_FENCE);
  if (item == 0) {
    int slot = 0;
    int tile = 0;
    for (int e = 0; e < EXPERTS; e++) {
      start[e] = slot;
      first_tile[e] = tile;
      slot += count[e];
      tile += (count[e] + TILE_SLOTS - 1) / TILE_SLOTS;
    }
    needed = tile;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  int most = slots / TILE_SLOTS + min(EXPERTS, slots);
  for (int tile = needed + item; tile < most; tile += ITEMS) {
    tiles[tile] = (int4)(0);
  }
  for (int e = item; e < EXPERTS; e += ITEMS) {
    for (int done = 0; done < count[e]; done += TILE_SLOTS) {
      tiles[first_tile[e] + done / TILE_SLOTS] = (int4)(e, start[e] + done, min(count[e] - done, TILE_SLOTS), 0);
    }
  }
#if ITEMS > 1
  // From here on where an expert's next slot goes.
  for (int from = 0; from < slots; from += PIECE) {
    read_piece(ids, from, slots, item, piece);
    for (int e = item; e < EXPERTS; e += ITEMS) {
      int next = start[e];
      for (int i = 0; i < PIECE; i++) {
        if (piece[i] == e) {
          sorted[next++] = from + i;
        }
      }
      start[e] = next;
    }
  }
#else
  for (int slot = 0; slot < slots; slot++) {
    sorted[start[expert_of(ids, slot)]++] = slot;
  }
#endif
  // Nothing waits for this one; see mat_mul.cl.
  barrier(CLK_LOCAL_MEM_FENCE);
}
