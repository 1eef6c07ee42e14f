/* Headrace: the trainer's side, in C. Neither MPI nor HDF5 is needed to compile, link or run against it (-lheadrace).
 * Compiles as C99 and as C++11, and later.
 *
 *  1. A STREAM is one connection: one trainer rank on one stream of one service of this node (and of this user).
 *  2. CODES. Calls return HR_OK (0) or one of the codes below, always for the reason that stands beside it; hr_error()
 *     then says in words what is wrong and what to do. Words may change: go by the codes. Where a call fails it changes
 *     nothing, and leaves what its arguments point to as it was, unless it says otherwise.
 *  3. LEASES. A batch is leased: its memory is the caller's alone, readable and writable, from hr_acquire to
 *     hr_release. Several may be held, and released in any order, by any thread.
 *  4. ARRAYS are row-major (C order), without gaps, in the byte order of the machine: element (row, i, j) of a field
 *     whose rows have the shape (I, J) is data[field][(row * I + i) * J + j]. Each begins at a multiple of 256 bytes.
 *  5. THREADS. Every call may be made by any thread at any time, on the same stream, too, but for hr_close (there).
 *     hr_acquire, hr_resume and hr_files go one at a time: the others wait for their turn, as long as their timeout.
 *  6. WAITING sleeps. Timeouts are in seconds; 0 does not wait, negative has no limit. HR_INTERRUPTED means that a
 *     signal arrived (SA_RESTART or not): handle it and call again. Calls said not to wait return within microseconds,
 *     whatever the service does.
 *  7. FORK. After fork() the child's streams are dead: every call on them returns HR_FORKED and touches nothing, also
 *     where another thread of the parent was inside a call. hr_close on them does nothing. What was leased is not
 *     mapped in the child. The parent goes on as if nothing had been; the child may hr_connect for itself.
 *  8. STRUCTS GROW at their end only. `size`, the first member of each, is the size that its writer knows: set it to
 *     sizeof the struct (HR_..._INIT does) before a call that reads or fills it. A program built with an older header
 *     gets what it knows; one built with a newer header finds zero in what an older library does not know. In hr_field
 *     and hr_file, which the library makes, it tells how far the library's go.
 *  9. Strings, schema and files that a call gives belong to the stream and live until hr_close.
 * 10. REPLICAS. Where a stream is served with replicas = N, N processes of a node are one trainer: same rank, each with
 *     its hr_options.replica. They get the same batches, in place, to read only: to write into one ends the process.
 *     The first batch comes when all have connected. A slot goes back when the last of them has released it; what a
 *     dead one holds lapses. Replica 0 alone seeks; the others get no batch that it had not got before its seek, and
 *     where they leave off as it does, of themselves, they say so by hr_follow.
 *
 * Example: one epoch, from the command line "example SERVICE". (The tests compile and run it.)
 *
 *     #include <headrace/headrace.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char** argv) {
 *       hr_options options = HR_OPTIONS_INIT;
 *       hr_info info = HR_INFO_INIT;
 *       hr_stream* stream = NULL;
 *       uint64_t step;
 *       int code;
 *       if (argc > 1) options.service = argv[1];
 *       options.timeout = 600;                              // it may still be loading
 *       code = hr_connect(&options, &stream);
 *       if (code == HR_OK) code = hr_get_info(stream, &info);
 *       for (step = 0; code == HR_OK && step < info.batches; ++step) {
 *         hr_batch batch = HR_BATCH_INIT;
 *         code = hr_acquire(stream, -1, &batch);
 *         if (code != HR_OK) break;
 *         printf("step %d: %d rows, the first is sample %d; %s at %p\n", (int)batch.step, (int)batch.rows,
 *                (int)batch.index[0], info.fields[0]->name, batch.data[0]);
 *         code = hr_release(stream, batch.lease, 1);
 *       }
 *       if (code != HR_OK) fprintf(stderr, "example: %s\n", hr_error());
 *       hr_close(stream, code == HR_OK, 0);
 *       return code;
 *     }
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

/* Of this header; hr_version() tells that of the library. libheadrace.so.1 is the interface, whatever version of it. */
#define HR_VERSION "0.1.0"

enum {
  HR_OK = 0,
  HR_END = 1,          /* all epochs of the stream are consumed (only where epochs are counted) */
  HR_TIMEOUT = 2,      /* nothing within the timeout; hr_error() names what was waited for */
  HR_INTERRUPTED = 3,  /* a signal arrived while waiting, or the progress function said to give up */
  HR_EXHAUSTED = 4,    /* every slot is leased by this trainer; hr_error() names the held steps */
  HR_REFUSED = 5,      /* the service said no: unknown stream, rank taken, other world size or place, wrong version or
                          user; or, later, that this trainer goes on elsewhere than the others of its stream */
  HR_LOST = 6,         /* the service is gone, died, hangs or was stopped */
  HR_FORKED = 7,       /* used in a forked child */
  HR_INVALID = 8,      /* a wrong argument, or a ring that cannot be what the service wrote */
  HR_CLOSED = 9        /* another thread closes the stream */
};

typedef struct hr_stream hr_stream;

/* How to connect: HR_OPTIONS_INIT, then what differs. */
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
  /* Told about every half second while waiting, by the thread that called hr_connect: what for, and how far (0..1, or
   * -1). A non-zero return gives up with HR_INTERRUPTED. May be NULL. */
  int (*progress)(void* context, const char* what, double fraction);
  void* progress_context;
  /* Of a stream that is served with `replicas`: which of the processes that are this rank together (10), and how many
   * there must be; 0: as many as there are. */
  int32_t replica, replicas;
} hr_options;
#define HR_OPTIONS_INIT {sizeof(hr_options), NULL, NULL, 0, 1, -1, 0.0, NULL, NULL, 0, 0}

/* One array of each batch. Made by the library. */
typedef struct hr_field {
  size_t size;
  const char* name;
  const char* dtype;           /* NumPy's name: "float32", "int64", "bool", "bfloat16", ... */
  size_t itemsize;             /* bytes of one element */
  int32_t ndim;                /* of a row; 0: one element */
  const uint64_t* shape;       /* ndim extents of a row, the last one varies fastest */
  size_t row_bytes;
  int32_t ncolumns;            /* names along the last axis, or 0 */
  const char* const* columns;
  int32_t nclasses;            /* names of label classes, or 0 */
  const char* const* classes;
} hr_field;

/* What a stream is, and where it goes on. */
typedef struct hr_info {
  size_t size;
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
  const hr_field* const* fields;  /* nfields of them, in the order of hr_batch.data */
  const char* schema_json;     /* the whole welcome message, {"welcome": {...}}, for bindings */
  /* The one writable mapping that holds all slots, page-aligned. Whoever registers it with a device (cudaHostRegister)
   * must hold each lease until the device's copies out of it are done, which nothing else knows, and unregister it
   * before hr_close. */
  void* ring;
  size_t ring_bytes;
  const char* stager;          /* who fills the slots, and is waited for: "stager 0 (pid 4711 on node1)" */
  int32_t replica, replicas;   /* 0 and 1; where several processes are one trainer: which of how many (10) */
} hr_info;
#define HR_INFO_INIT \
  {sizeof(hr_info), NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, 0, NULL, 0, 0}

/* What a trainer gets in one step. */
typedef struct hr_batch {
  size_t size;
  uint32_t lease;              /* names the lease in hr_release */
  uint32_t rows;               /* how many rows are real; with last = pad the arrays are filled up to info.batch */
  uint32_t filled;             /* rows that hold data: rows, or info.batch with last = pad */
  uint64_t epoch, step;
  const int64_t* index;        /* sample numbers, `filled` of them */
  void* const* data;           /* per field its first row; valid until hr_release */
} hr_batch;
#define HR_BATCH_INIT {sizeof(hr_batch), 0, 0, 0, 0, 0, NULL, NULL}

/* Where samples come from. Sample number s is row s - first_sample of the file with
 * first_sample <= s < first_sample + samples. Made by the library. */
typedef struct hr_file {
  size_t size;
  const char* path;            /* absolute, on the stagers' nodes */
  uint64_t first_sample;       /* number of the sample of its first row */
  uint64_t samples;            /* rows, selected or not; 0 in an empty file */
} hr_file;

/* What this connection has done. */
typedef struct hr_stats {
  size_t size;
  uint64_t batches, rows, bytes;   /* acquired so far */
  double wait_seconds;             /* spent waiting in hr_acquire */
  uint64_t held;                   /* leases now */
} hr_stats;
#define HR_STATS_INIT {sizeof(hr_stats), 0, 0, 0, 0.0, 0}

/* Connects to a service of this node, and waits until it has loaded.
 *   options   read during the call only; its strings may go afterwards
 *   stream    receives the stream; NULL where the call fails
 * Waits up to options->timeout. HR_TIMEOUT: no service, or it still loads. HR_INTERRUPTED: a signal, or the progress
 * function. HR_REFUSED: the service does not let this trainer in. HR_LOST: it ended while it loaded. HR_INVALID. */
HR_API int hr_connect(const hr_options* options, hr_stream** stream);

/* Fills *info. Does not wait. HR_INVALID, HR_FORKED, HR_CLOSED. */
HR_API int hr_get_info(hr_stream* stream, hr_info* info);

/* The next batch, in order; fills *batch, and leases its memory to the caller.
 *   timeout   how long to wait for the service to have it ready
 * HR_END, HR_TIMEOUT, HR_INTERRUPTED, HR_EXHAUSTED (at once: waiting could not end), HR_LOST or HR_REFUSED (also while
 * batches are ready: noticed within a fifth of a second), HR_INVALID, HR_FORKED, HR_CLOSED. */
HR_API int hr_acquire(hr_stream* stream, double timeout, hr_batch* batch);

/* Gives a lease back; its memory is not to be touched afterwards. Does not wait.
 *   lease     hr_batch.lease
 *   consumed  0 returns the batch as not used: it does not count in the audit
 * HR_INVALID where the lease is not held, HR_FORKED, HR_CLOSED. */
HR_API int hr_release(hr_stream* stream, uint32_t lease, int consumed);

/* Gives a lease back as if it had not been acquired: the next hr_acquire gives the same batch again. Only for the one
 * that was acquired last. Does not wait. HR_INVALID where it is another, HR_FORKED, HR_CLOSED. */
HR_API int hr_put_back(hr_stream* stream, uint32_t lease);

/* The next hr_acquire gives (epoch, step); after the last of counted epochs, (epochs, 0) is the end. Leases held stay
 * valid. An hr_acquire that another thread is in may still give a batch from before.
 * Returns once the service was told. Waits, up to 5 s, only where the service reads nothing (it is stopped, or told
 * much faster than it reads); then HR_LOST, and hr_acquire says so, too, until a seek succeeds. HR_INVALID where there
 * is no such place, HR_FORKED, HR_CLOSED.
 * With replicas: HR_REFUSED but for replica 0, where it returns once the service has heard it (up to a minute), so that
 * whoever learns of its return gets no batch that it cut off. HR_INTERRUPTED: a signal arrived meanwhile; the same call
 * again goes on waiting. HR_LOST, HR_REFUSED: it ended, or this connection, before that. */
HR_API int hr_seek(hr_stream* stream, uint64_t epoch, uint64_t step);

/* hr_seek for a state saved earlier, by each trainer of the stream: the service compares where they want to go on, and
 * answers HR_REFUSED, with ranks and positions, to whoever differs (which stays where it is).
 *   timeout   for the answer
 * Waits for its answer, which the service gives at once unless it hangs, and as hr_seek does.
 * HR_REFUSED, HR_TIMEOUT, HR_INTERRUPTED, and as hr_seek. */
HR_API int hr_resume(hr_stream* stream, uint64_t epoch, uint64_t step, double timeout);

/* For replicas other than 0, where their program goes elsewhere as replica 0's does: the next hr_acquire gives the first
 * batch after the next seek of replica 0. Waits for that, up to the timeout. (A seek of which they need not know by
 * themselves, because it comes before a barrier, or any message from replica 0, needs no hr_follow.)
 * HR_TIMEOUT, HR_INTERRUPTED, HR_REFUSED: replica 0 is gone; HR_LOST, HR_INVALID: this is replica 0; HR_FORKED,
 * HR_CLOSED. */
HR_API int hr_follow(hr_stream* stream, double timeout);

/* All files of the service, in the order of their samples: (*files)[0] .. (*files)[*count - 1]. NULL and 0 where the
 * call fails. The service is asked at the first call, which waits up to a minute (HR_TIMEOUT, HR_INTERRUPTED: call
 * again); later ones return the same at once. A trainer that does not call it pays nothing.
 * HR_LOST, HR_REFUSED, HR_INVALID, HR_FORKED, HR_CLOSED. */
HR_API int hr_files(hr_stream* stream, const hr_file* const** files, size_t* count);

/* Fills *stats. Does not wait. HR_INVALID, HR_FORKED, HR_CLOSED. */
HR_API int hr_get_stats(hr_stream* stream, hr_stats* stats);

/* Ends the connection and frees the stream; NULL is allowed.
 *   goodbye       1: this trainer is done for now, and what it holds counts as consumed; 0: as if it had died (its
 *                 leased batches come again to whoever takes its rank)
 *   keep_mapping  0: leases held become invalid, their memory is unmapped. 1: the memory of leases held stays readable
 *                 at its addresses for ever, with the values that it has now, for views that outlive the stream
 * Calls of other threads that are under way on the stream return HR_CLOSED, within a fifth of a second, and hr_close
 * returns after them. No call may begin once hr_close has returned, and only one thread may close: the stream is freed.
 * Waits, beside that, up to 1 s for a service that does not read the goodbye. Fails never. */
HR_API void hr_close(hr_stream* stream, int goodbye, int keep_mapping);

/* What went wrong in this thread's last failing call, in words. Never NULL; "" before the first. The text lives until
 * this thread's next failing call. Does not wait. */
HR_API const char* hr_error(void);

/* The library's version, as HR_VERSION. */
HR_API const char* hr_version(void);

#ifdef __cplusplus
}
#endif
#endif
