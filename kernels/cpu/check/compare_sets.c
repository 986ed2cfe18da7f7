// Holds each instruction set that a library of kernels has, and the processor, to plain C: each kernel is called on the same numbers, and what it writes
// and returns is the same bits, or no number in both. Products with BF16 rows of x, which two sets have and add up otherwise, are held to float64.
//
//   compare_sets LIBRARY [SET ...] < NAMES
//
// Each SET must be there, and each of the NAMES, kernels without kancil_ and their set, must have been called.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "record.h"
#include "memory.h"
#include "products.h"
#include "attention.h"
#include "rows.h"

// As sets.c has a bit for each.
static const char *const SETS[] = {"plain", "avx2", "avx512", "avx512vnni", "avx512bf16", "dotprod", "i8mm", "amx"};
#define SET_COUNT (int)(sizeof SETS / sizeof SETS[0])

static record all_of(const char *set) {
  record results = {0};
  filled = &results;
  set_called = set;
  seed = 1;
  all_products();
  all_attention();
  all_rows();
  return results;
}

static int has(int sets, const char *name) {
  for (int i = 0; i < SET_COUNT; i++) {
    if (strcmp(SETS[i], name) == 0) {
      return sets >> i & 1;
    }
  }
  return 0;
}

int main(int count, char **arguments) {
  library = count < 2 ? NULL : dlopen(arguments[1], RTLD_NOW);
  if (library == NULL) {
    fprintf(stderr, "compare_sets: %s\n", count < 2 ? "which library?" : dlerror());
    return 2;
  }
  int (*instruction_sets)(void) = dlsym(library, "kancil_instruction_sets");
  int sets = instruction_sets(), wrong = sets >> SET_COUNT;
  if (wrong) {
    fprintf(stderr, "compare_sets: sets.c has a set without a name here\n");
  }
  for (int i = 2; i < count; i++) {
    if (!has(sets, arguments[i])) {
      fprintf(stderr, "compare_sets: this processor has no %s, or sets.c does not see it\n", arguments[i]);
      wrong = 1;
    }
  }
  record plain = all_of(SETS[0]);
  printf("plain: %zu results, %zu bytes\n", plain.count, plain.size);
  for (int i = 1; i < SET_COUNT; i++) {
    if (sets >> i & 1) {
      record other = all_of(SETS[i]);
      size_t different = differences(&plain, &other, SETS[i]);
      printf("%s: %s\n", SETS[i], different == 0 ? "the same bits" : "DIFFERENT");
      wrong |= different != 0;
      if (strcmp(SETS[i], "avx512bf16") == 0 || strcmp(SETS[i], "amx") == 0) {
        int right = are_brain_floats_right();
        printf("%s: products of BF16 are %s\n", SETS[i], right ? "right" : "WRONG");
        wrong |= !right;
      }
      free(other.entries);
      free(other.data);
    }
  }
  char name[64];
  while (scanf("%63s", name) == 1) {
    if (!is_called(name)) {
      fprintf(stderr, "compare_sets: nothing here calls %s\n", name);
      wrong = 1;
    }
  }
  return wrong != 0;
}
