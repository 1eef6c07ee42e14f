/* Headrace: a function of the user's own, in C, over blocks of samples while they are loaded (`plugin = "lib.so"`).
 *
 * Conventions
 *  1. A plugin is a shared library that defines the four functions below; they return 0 for success.
 *  2. It is called after nonfinite values were treated and logarithms taken, and before (x - shift) / scale and the
 *     cast.
 *  3. THREADS: hr_plugin_apply is called by several threads at once, with the same state. What it changes there, it
 *     must guard; best it changes nothing. hr_plugin_open and hr_plugin_close are called once, when no other call is
 *     under way.
 *  4. Blocks are cut anywhere between samples, and samples come in any order: a result may depend on its own sample
 *     only.
 *  5. No call may throw, exit, or keep a pointer that it was given.
 *  6. Structs grow at their end only; `size` tells how large the caller's is.
 *
 *     int hr_plugin_abi(void) { return HR_PLUGIN_ABI; }
 *     int hr_plugin_open(const hr_plugin_setup* setup, void** state) { return 0; }
 *     int hr_plugin_apply(void* state, hr_plugin_block* block) {
 *       float* x = block->values;
 *       if (block->type != HR_PLUGIN_FLOAT32) return hr_plugin_fail(block, 0, "expected float32");
 *       for (uint64_t i = 0; i < block->rows * block->records * block->columns; ++i) x[i] = sqrtf(x[i]);
 *       return 0;
 *     }
 *     void hr_plugin_close(void* state) {}
 *
 *     cc -shared -fPIC -O2 -o lib.so plugin.c -lm
 */
#ifndef HEADRACE_PLUGIN_H
#define HEADRACE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HR_PLUGIN_ABI 1

#if defined(__GNUC__)
#define HR_PLUGIN_API __attribute__((visibility("default")))
#else
#define HR_PLUGIN_API
#endif

enum { HR_PLUGIN_FLOAT32 = 0, HR_PLUGIN_FLOAT64 = 1 };

/* What the plugin is opened for. */
typedef struct hr_plugin_setup {
  size_t size;
  const char* args;                /* `plugin-args` as written; "" where there are none */
  const char* dataset;             /* whose values come */
  uint32_t columns;                /* per record */
  const char* const* column_names; /* as many; "" where a column has no name */
  uint64_t records;                /* per row; shorter rows come padded. Joined tables come record by record: a block
                                      tells */
  char* error;                     /* write here why opening failed, ended by NUL */
  size_t error_bytes;              /* space there */
} hr_plugin_setup;

/* Values to be changed in place. */
typedef struct hr_plugin_block {
  size_t size;
  int32_t type;          /* HR_PLUGIN_FLOAT32, or HR_PLUGIN_FLOAT64 for sources of 64 bits (rounded: float32 holds 24
                            bits of an integer, float64 53) */
  uint32_t columns;
  uint64_t rows, records;
  void* values;          /* [rows][records][columns], row-major */
  const uint8_t* valid;  /* [rows][records]: 0 where there is no record: its values are 0, and what they become is
                            ignored */
  uint64_t failing_row;  /* for errors: which row of this block */
  char* error;           /* for errors: why, ended by NUL */
  size_t error_bytes;    /* space there */
} hr_plugin_block;

/* To be defined by the plugin. */
HR_PLUGIN_API int hr_plugin_abi(void); /* HR_PLUGIN_ABI */
HR_PLUGIN_API int hr_plugin_open(const hr_plugin_setup* setup, void** state);
HR_PLUGIN_API int hr_plugin_apply(void* state, hr_plugin_block* block);
HR_PLUGIN_API void hr_plugin_close(void* state);

/* For plugins: notes the failure of a row, to be returned from hr_plugin_apply. */
static inline int hr_plugin_fail(hr_plugin_block* block, uint64_t row, const char* why) {
  block->failing_row = row;
  snprintf(block->error, block->error_bytes, "%s", why);
  return 1;
}

#ifdef __cplusplus
}
#endif

#endif
