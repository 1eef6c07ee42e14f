/* Headrace: the trainer's side, in C. Neither MPI nor HDF5 is needed to compile, link or run against it.
 *
 * Conventions
 *  1. A stream is one connection: one trainer rank on one stream of one service of this node (and of this user).
 *  2. Calls return HR_OK (0) or one of the codes below; hr_error() then tells what is wrong and what to do, for the
 *     calling thread, until its next call.
 *  3. A batch is leased: its memory is the caller's alone, readable and writable, from hr_acquire to hr_release. Several
 *     leases may be held, and released in any order, by any thread.
 *  4. All calls are thread-safe; one hr_acquire at a time per stream (a second one waits for the first).
 *  5. Timeouts are in seconds; negative means no limit. Waiting sleeps. HR_INTERRUPTED means that a signal arrived: handle
 *     it and call again.
 *  6. After fork() the child's streams are dead: every call on them returns HR_FORKED and touches nothing.
 *  7. Strings, schema and files belong to the stream and live until hr_close.
 */
#ifndef HEADRACE_H
#define HEADRACE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define HR_API __attribute__((visibility("default")))
#else
#define HR_API
#endif

#define HR_VERSION "0.1.0"

enum {
  HR_OK = 0,
  HR_END = 1,          /* all epochs of the stream are consumed (only where epochs are counted) */
  HR_TIMEOUT = 2,      /* nothing within the timeout; hr_error() names what was waited for */
  HR_INTERRUPTED = 3,  /* a signal arrived while waiting */
  HR_EXHAUSTED = 4,    /* every slot is leased by this trainer; hr_error() names the held steps */
  HR_REFUSED = 5,      /* the service said no: unknown stream, rank taken, other world size or place, wrong version or user;
                          or, later, that this trainer goes on elsewhere than the others of its stream */
  HR_LOST = 6,         /* the service is gone, died or was stopped */
  HR_FORKED = 7,       /* used in a forked child */
  HR_INVALID = 8       /* a wrong argument, or a ring that cannot be what the service wrote */
};

typedef struct hr_stream hr_stream;

/* How to connect. Zero the struct, then set what differs; `size` must be sizeof(hr_options). */
typedef struct hr_options {
  size_t size;
  const char* service;     /* name of the service, or the path of its socket (contains '/'); NULL: "headrace" */
  const char* stream;      /* name of the stream; NULL: the only one, else an error that lists them */
  int32_t rank;            /* global rank of this trainer, 0 .. world_size-1 */
  int32_t world_size;      /* number of trainers of the stream; 0 means 1 */
  int32_t local_rank;      /* rank on this node, to pick the ring; -1: any */
  /* For a service not yet started, or still loading. 0: do not wait (but for up to 3 s for an answer of a service that
   * is there). */
  double timeout;
  /* Told about every half second while waiting: what for, and how far (0..1, or -1). A non-zero return gives up with
   * HR_INTERRUPTED. May be NULL. */
  int (*progress)(void* context, const char* what, double fraction);
  void* progress_context;
} hr_options;

typedef struct hr_field {
  const char* name;
  const char* dtype;           /* NumPy's name: "float32", "int64", "bool", "bfloat16", ... */
  size_t itemsize;             /* bytes of one element */
  int32_t ndim;                /* of a row */
  const uint64_t* shape;       /* ndim extents of a row */
  size_t row_bytes;
  int32_t ncolumns;            /* names along the last axis, or 0 */
  const char* const* columns;
  int32_t nclasses;            /* names of label classes, or 0 */
  const char* const* classes;
} hr_field;

typedef struct hr_info {
  const char* service;
  const char* stream;
  int32_t rank, world_size;
  uint64_t batches;            /* per epoch and trainer */
  uint64_t samples;            /* selected, over all trainers */
  uint64_t epochs;             /* 0: endless */
  uint32_t batch;              /* rows of a full batch of this trainer */
  uint32_t slots;              /* batches that can be leased at once */
  uint64_t epoch, step;        /* where the stream goes on: the position of the next hr_acquire */
  int32_t nfields;
  const hr_field* fields;
  const char* schema_json;     /* the whole welcome message, {"welcome": {...}}, for bindings */
  void* ring;                  /* the one writable mapping that holds all slots, page-aligned (cudaHostRegister) */
  size_t ring_bytes;
} hr_info;

typedef struct hr_batch {
  uint32_t lease;              /* names the lease in hr_release */
  uint32_t rows;               /* how many rows are real; with last = pad the arrays are filled up to info.batch */
  uint32_t filled;             /* rows that hold data: rows, or info.batch with last = pad */
  uint64_t epoch, step;
  const int64_t* index;        /* sample numbers, `filled` of them */
  void* const* data;           /* per field the first row, 256-byte aligned; valid until hr_release */
} hr_batch;

/* Where samples come from. Sample number s is row s - first_sample of the file with
 * first_sample <= s < first_sample + samples. */
typedef struct hr_file {
  const char* path;            /* absolute, on the stagers' nodes */
  uint64_t first_sample;       /* number of the sample of its first row */
  uint64_t samples;            /* rows, selected or not; 0 in an empty file */
} hr_file;

typedef struct hr_stats {
  uint64_t batches, rows, bytes;   /* acquired so far */
  double wait_seconds;             /* spent waiting in hr_acquire */
  uint32_t held;                   /* leases now */
} hr_stats;

HR_API int hr_connect(const hr_options* options, hr_stream** stream);
HR_API int hr_get_info(hr_stream* stream, hr_info* info);

/* The next batch, in order. Fills *batch. */
HR_API int hr_acquire(hr_stream* stream, double timeout, hr_batch* batch);
/* Gives a lease back. consumed = 0 returns it as not used: it does not count in the audit. */
HR_API int hr_release(hr_stream* stream, uint32_t lease, int consumed);
/* The next hr_acquire gives (epoch, step). Leases held stay valid. */
HR_API int hr_seek(hr_stream* stream, uint64_t epoch, uint64_t step);
/* hr_seek for a state saved earlier, by each trainer of the stream: the service compares where they want to go on, and
 * answers HR_REFUSED, with ranks and positions, to whoever differs (which stays where it is). The service answers at
 * once; timeout is for one that hangs. */
HR_API int hr_resume(hr_stream* stream, uint64_t epoch, uint64_t step, double timeout);
/* All files of the service, in the order of their samples, *count of them; they live until hr_close. The service is
 * asked at the first call, which waits up to a minute (HR_TIMEOUT, HR_INTERRUPTED: call again); later ones return at
 * once. A trainer that does not call it pays nothing. */
HR_API int hr_files(hr_stream* stream, const hr_file** files, size_t* count);
HR_API int hr_get_stats(hr_stream* stream, hr_stats* stats);
/* Ends the connection; leases held become invalid unless keep_mapping (then the memory stays mapped for ever, for views
 * that outlive the stream). goodbye = 1: this trainer is done for now, and what it holds counts as consumed; 0: as if
 * it had died (its leased batches come again to whoever takes its rank). */
HR_API void hr_close(hr_stream* stream, int goodbye, int keep_mapping);

/* What went wrong in this thread's last failing call. Never NULL. */
HR_API const char* hr_error(void);
HR_API const char* hr_version(void);

#ifdef __cplusplus
}
#endif
#endif
