// What kernels of one instruction set return and write, in the order of calls, to be compared with another set's.

typedef struct {
  char label[112];
  size_t at, count;
  int are_floats;
} entry;

typedef struct {
  entry *entries;
  uint8_t *data;
  size_t count, size, entry_room, room;
} record;

// That is being filled, and the instruction set that is called.
static record *filled;
static const char *set_called;
static void *library;

static void *grown(void *from, size_t bytes) {
  void *to = realloc(from, bytes);
  if (to == NULL) {
    fprintf(stderr, "compare_sets: no memory\n");
    exit(2);
  }
  return to;
}

static void keep(int are_floats, const void *from, size_t count, const char *label, va_list arguments) {
  size_t bytes = are_floats ? 4 * count : count;
  if (filled->count == filled->entry_room) {
    filled->entry_room = 2 * filled->entry_room + 1024;
    filled->entries = grown(filled->entries, filled->entry_room * sizeof(entry));
  }
  if (filled->size + bytes > filled->room) {
    filled->room = 2 * (filled->size + bytes);
    filled->data = grown(filled->data, filled->room);
  }
  entry *added = filled->entries + filled->count++;
  *added = (entry){.at = filled->size, .count = count, .are_floats = are_floats};
  vsnprintf(added->label, sizeof added->label, label, arguments);
  memcpy(filled->data + filled->size, from, bytes);
  filled->size += bytes;
}

__attribute__((format(printf, 3, 4))) static void keep_floats(const float *from, size_t count, const char *label, ...) {
  va_list arguments;
  va_start(arguments, label);
  keep(1, from, count, label, arguments);
  va_end(arguments);
}

__attribute__((format(printf, 3, 4))) static void keep_bytes(const void *from, size_t count, const char *label, ...) {
  va_list arguments;
  va_start(arguments, label);
  keep(0, from, count, label, arguments);
  va_end(arguments);
}

// Whether an element is alike in both: the same bits, or no number. Says what is not.
static int is_same(const record *a, const record *b, const entry *of, size_t i, const char *set) {
  if (!of->are_floats) {
    uint8_t x = a->data[of->at + i], y = b->data[of->at + i];
    if (x != y) {
      fprintf(stderr, "%s of %s: byte %zu is %d, not %d\n", of->label, set, i, y, x);
    }
    return x == y;
  }
  float x, y;
  memcpy(&x, a->data + of->at + 4 * i, 4);
  memcpy(&y, b->data + of->at + 4 * i, 4);
  int same = memcmp(&x, &y, 4) == 0 || (isnan(x) && isnan(y));
  if (!same) {
    fprintf(stderr, "%s of %s: number %zu is %a, not %a\n", of->label, set, i, (double)y, (double)x);
  }
  return same;
}

// How many entries of a set differ from those of plain C, the first element of each of which is said.
static size_t differences(const record *plain, const record *other, const char *set) {
  size_t different = 0;
  if (plain->count != other->count || plain->size != other->size) {
    fprintf(stderr, "compare_sets: %s was called otherwise\n", set);
    return 1;
  }
  for (size_t e = 0; e < plain->count; e++) {
    const entry *of = plain->entries + e;
    size_t i = 0;
    while (i < of->count && is_same(plain, other, of, i, set)) {
      i++;
    }
    different += i < of->count;
    if (different == 20) {
      fprintf(stderr, "and maybe more\n");
      return different;
    }
  }
  return different;
}

// Names of kernels that have been called, one after the other, each within spaces.
static char called[1 << 14] = " ";

static int is_called(const char *name) {
  char word[64];
  snprintf(word, sizeof word, " %s ", name);
  return strstr(called, word) != NULL;
}

// A kernel of the set that is called, or of the one below it.
static void *kernel(const char *name) {
  char symbol[96];
  snprintf(symbol, sizeof symbol, "kancil_%s_%s", name, set_called);
  void *function = dlsym(library, symbol);
  if (function == NULL && strcmp(set_called, "amx") == 0) {
    snprintf(symbol, sizeof symbol, "kancil_%s_avx512bf16", name);
    function = dlsym(library, symbol);
  }
  if (function == NULL || strlen(called) + strlen(name) + 2 > sizeof called) {
    fprintf(stderr, "compare_sets: there is no %s, or too many kernels\n", symbol);
    exit(2);
  }
  if (!is_called(name)) {
    strcat(strcat(called, name), " ");
  }
  return function;
}
