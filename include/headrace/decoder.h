/* Headrace: a decoder of the user's own, in C, for the files of an inventory (`decoder = "plugin:lib.so"`).
 *
 * Conventions
 *  1. A decoder is a shared library that defines the five functions below; they return 0 for success.
 *  2. hr_decoder_form says what the first sample's file holds; all others hold the same, and hr_decoder_decode writes
 *     their values, row-major and in this machine's order of bytes.
 *  3. THREADS: hr_decoder_decode is called by several threads at once, with the same state. What it changes there, it
 *     must guard; best it changes nothing. The others are called when no call is under way.
 *  4. No call may throw, exit, or keep a pointer that it was given.
 *  5. Structs grow at their end only; `size` tells how large the caller's is.
 *
 *     int hr_decoder_abi(void) { return HR_DECODER_ABI; }
 *     int hr_decoder_open(const hr_decoder_setup* setup, void** state) { return 0; }
 *     int hr_decoder_form(void* state, hr_decoder_file* file, hr_decoder_array* form) {
 *       form->type = "uint8";
 *       form->axes = 1;
 *       form->shape[0] = file->bytes;
 *       return 0;
 *     }
 *     int hr_decoder_decode(void* state, hr_decoder_file* file, void* values, uint64_t bytes) {
 *       if (file->bytes != bytes) return hr_decoder_fail(file, "another length");
 *       memcpy(values, file->content, bytes);
 *       return 0;
 *     }
 *     void hr_decoder_close(void* state) {}
 *
 *     cc -shared -fPIC -O2 -o lib.so decoder.c
 */
#ifndef HEADRACE_DECODER_H
#define HEADRACE_DECODER_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HR_DECODER_ABI 1
#define HR_DECODER_AXES 16

#if defined(__GNUC__)
#define HR_DECODER_API __attribute__((visibility("default")))
#else
#define HR_DECODER_API
#endif

/* What the decoder is opened for. */
typedef struct hr_decoder_setup {
  size_t size;
  const char* args;   /* what stands behind the library: plugin:lib.so:args; "" where nothing does */
  char* error;        /* write here why opening failed, ended by NUL */
  size_t error_bytes; /* space there */
} hr_decoder_setup;

/* A sample's file. */
typedef struct hr_decoder_file {
  size_t size;
  const void* content;
  uint64_t bytes;
  char* error;        /* for errors: why, ended by NUL */
  size_t error_bytes; /* space there */
} hr_decoder_file;

/* What it holds. */
typedef struct hr_decoder_array {
  size_t size;
  const char* type; /* "float32", "uint8", ...: as `dtype` names them; a text that lives as long as the state */
  uint32_t axes;    /* at most HR_DECODER_AXES */
  uint64_t shape[HR_DECODER_AXES];
} hr_decoder_array;

/* To be defined by the decoder. */
HR_DECODER_API int hr_decoder_abi(void); /* HR_DECODER_ABI */
HR_DECODER_API int hr_decoder_open(const hr_decoder_setup* setup, void** state);
HR_DECODER_API int hr_decoder_form(void* state, hr_decoder_file* file, hr_decoder_array* form);
HR_DECODER_API int hr_decoder_decode(void* state, hr_decoder_file* file, void* values, uint64_t bytes);
HR_DECODER_API void hr_decoder_close(void* state);

/* For decoders: says why, to be returned from hr_decoder_form and hr_decoder_decode. */
static inline int hr_decoder_fail(hr_decoder_file* file, const char* why) {
  snprintf(file->error, file->error_bytes, "%s", why);
  return 1;
}

#ifdef __cplusplus
}
#endif

#endif
