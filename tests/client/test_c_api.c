/* The trainers' library as a C program sees it, against fake_stager (argv[1]). Compiled as C11 with nothing but the
 * public header. */
#include "c_stager.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "c_checks.h"
#include "headrace/headrace.h"

static void learns_everything_from_the_service(void) {
  const stager s = start("--rows", "1000", "--batch", "10", "--epochs", "3", NULL);
  hr_stream* stream = join();
  hr_info info = HR_INFO_INIT;
  CHECK_CODE(hr_get_info(stream, &info), HR_OK);
  CHECK(strcmp(info.service, name) == 0 && strcmp(info.stream, "train") == 0);
  CHECK(info.rank == 0 && info.world_size == 1 && info.batches == 100 && info.samples == 1000 && info.epochs == 3);
  CHECK(info.batch == 10 && info.slots == 4 && info.epoch == 0 && info.step == 0 && info.nfields == 3);
  CHECK(strcmp(info.fields[0]->name, "x") == 0 && strcmp(info.fields[0]->dtype, "float32") == 0);
  CHECK(info.fields[0]->ndim == 2 && info.fields[0]->shape[0] == 3 && info.fields[0]->shape[1] == 4);
  CHECK(info.fields[0]->itemsize == 4 && info.fields[0]->row_bytes == 48 && info.fields[0]->ncolumns == 4);
  CHECK(strcmp(info.fields[0]->columns[3], "d") == 0 && info.fields[0]->nclasses == 0);
  CHECK(strcmp(info.fields[1]->dtype, "int64") == 0 && info.fields[1]->ndim == 0 && info.fields[1]->nclasses == 2);
  CHECK(strcmp(info.fields[1]->classes[1], "dog") == 0);
  CHECK(strcmp(info.fields[2]->dtype, "bool") == 0 && info.fields[2]->row_bytes == 2);
  CHECK(strstr(info.schema_json, "\"welcome\"") != NULL);
  CHECK((uintptr_t)info.ring % 4096 == 0 && info.ring_bytes % 4096 == 0 && info.ring_bytes > 0);
  hr_close(stream, 1, 0);
  stop(s, SIGTERM);
}

static void delivers_each_sample_once_an_epoch(void) {
  const stager s = start("--rows", "1000", "--batch", "10", "--epochs", "3", NULL);
  hr_stream* stream = join();
  hr_stats stats = HR_STATS_INIT;
  hr_info info = HR_INFO_INIT;
  hr_batch b = HR_BATCH_INIT;
  for (uint64_t epoch = 0; epoch < 3; ++epoch) {
    unsigned char seen[1000] = {0};
    for (uint64_t step = 0; step < 100; ++step) {
      CHECK_CODE(hr_acquire(stream, 20, &b), HR_OK);
      CHECK(b.epoch == epoch && b.step == step && b.rows == 10 && b.filled == 10 && right(&b));
      for (int field = 0; field < 3; ++field) CHECK((uintptr_t)b.data[field] % 256 == 0);
      for (uint32_t row = 0; row < b.rows; ++row) ++seen[b.index[row]];
      memset(b.data[0], 0xee, 480); /* a lease is writable */
      CHECK_CODE(hr_release(stream, b.lease, 1), HR_OK);
    }
    for (int i = 0; i < 1000; ++i) CHECK(seen[i] == 1);
  }
  CHECK_CODE(hr_acquire(stream, 20, &b), HR_END);
  CHECK_CODE(hr_acquire(stream, 0, &b), HR_END);
  CHECK_SAYS("ended");
  CHECK_CODE(hr_get_stats(stream, &stats), HR_OK);
  CHECK(stats.batches == 300 && stats.rows == 3000 && stats.bytes == 3000 * 58 && stats.held == 0);
  CHECK_CODE(hr_get_info(stream, &info), HR_OK);
  CHECK(info.epoch == 3 && info.step == 0);
  hr_close(stream, 1, 0);
  stop(s, SIGTERM);
}

static void leases_end_in_any_order_and_run_out_by_name(void) {
  const stager s = start("--slots", "3", NULL);
  hr_stream* stream = join();
  hr_batch b[4] = {HR_BATCH_INIT, HR_BATCH_INIT, HR_BATCH_INIT, HR_BATCH_INIT};
  hr_stats stats = HR_STATS_INIT;
  for (int i = 0; i < 3; ++i) CHECK_CODE(hr_acquire(stream, 20, &b[i]), HR_OK);
  CHECK_CODE(hr_acquire(stream, -1, &b[3]), HR_EXHAUSTED);
  CHECK_SAYS(
      "all 3 slots of stream 'train' are leased by this trainer: epoch 0, step 0; epoch 0, step 1; epoch 0, step 2");
  CHECK_CODE(hr_release(stream, b[1].lease, 1), HR_OK);
  CHECK_CODE(hr_release(stream, b[1].lease, 1), HR_INVALID);
  CHECK_SAYS("is not held");
  CHECK_CODE(hr_release(stream, 12345, 1), HR_INVALID);
  CHECK_CODE(hr_acquire(stream, 20, &b[1]), HR_OK);
  CHECK(b[1].step == 3 && right(&b[0]) && right(&b[1]) && right(&b[2]));
  CHECK_CODE(hr_get_stats(stream, &stats), HR_OK);
  CHECK(stats.held == 3);
  hr_close(stream, 1, 0);
  stop(s, SIGTERM);
}

static void seeks_anywhere_and_keeps_leases(void) {
  const stager s = start("--rows", "100", "--batch", "10", "--epochs", "4", NULL);
  hr_stream* stream = join();
  hr_batch held = HR_BATCH_INIT, b = HR_BATCH_INIT;
  hr_info info = HR_INFO_INIT;
  CHECK_CODE(hr_acquire(stream, 20, &held), HR_OK);
  CHECK_CODE(hr_seek(stream, 2, 7), HR_OK);
  CHECK_CODE(hr_get_info(stream, &info), HR_OK);
  CHECK(info.epoch == 2 && info.step == 7);
  for (uint64_t step = 7; step < 10; ++step) {
    CHECK_CODE(hr_acquire(stream, 20, &b), HR_OK);
    CHECK(b.epoch == 2 && b.step == step && right(&b));
    CHECK_CODE(hr_release(stream, b.lease, 1), HR_OK);
  }
  CHECK(held.step == 0 && right(&held));
  CHECK_CODE(hr_release(stream, held.lease, 1), HR_OK);
  CHECK_CODE(hr_seek(stream, 0, 10), HR_INVALID);
  CHECK_SAYS("epoch 0, step 10 does not exist in stream 'train' (10 batches per epoch, 4 epochs");
  CHECK_CODE(hr_seek(stream, 4, 1), HR_INVALID);
  CHECK_CODE(hr_seek(stream, 4, 0), HR_OK);
  CHECK_CODE(hr_acquire(stream, 20, &b), HR_END);
  CHECK_CODE(hr_seek(stream, 3, 9), HR_OK);
  CHECK_CODE(hr_acquire(stream, 20, &b), HR_OK);
  CHECK(b.epoch == 3 && b.step == 9 && right(&b));
  CHECK_CODE(hr_acquire(stream, 20, &b), HR_END);
  hr_close(stream, 1, 0);
  stop(s, SIGTERM);
}

static void goes_on_where_the_others_do(void) {
  const stager s = start("--rows", "100", "--batch", "5", "--epochs", "4", NULL);
  hr_options o = options();
  hr_stream *first = NULL, *second = NULL;
  hr_batch b = HR_BATCH_INIT;
  hr_info info = HR_INFO_INIT;
  o.world_size = 2;
  CHECK_CODE(hr_connect(&o, &first), HR_OK);
  o.rank = 1;
  CHECK_CODE(hr_connect(&o, &second), HR_OK);
  CHECK_CODE(hr_resume(first, 0, 10, 20), HR_INVALID);  /* no such step: nobody is asked */
  CHECK_CODE(hr_resume(first, 2, 3, 20), HR_OK);
  CHECK_CODE(hr_resume(second, 2, 4, 20), HR_REFUSED);
  CHECK_SAYS("rank 1 wants to go on elsewhere");
  CHECK_CODE(hr_get_info(second, &info), HR_OK);
  CHECK(info.epoch == 0 && info.step == 0);  /* refused, it stays where it is */
  CHECK_CODE(hr_acquire(second, 20, &b), HR_OK);
  CHECK(b.epoch == 0 && b.step == 0);
  CHECK_CODE(hr_resume(second, 2, 3, 20), HR_OK);
  CHECK_CODE(hr_acquire(second, 20, &b), HR_OK);
  CHECK(b.epoch == 2 && b.step == 3);
  stop(s, SIGKILL);
  CHECK_CODE(hr_resume(first, 2, 3, 20), HR_LOST);
  hr_close(first, 0, 0);
  hr_close(second, 0, 0);
}

static void knows_the_files(void) {
  const stager s = start("--rows", "100", "--log", NULL);
  hr_stream* stream = join();
  const hr_file* const* files = NULL;
  const hr_file* const* again = NULL;
  size_t count = 0;
  hr_batch b = HR_BATCH_INIT;
  CHECK_CODE(hr_acquire(stream, 20, &b), HR_OK);
  CHECK_CODE(hr_files(stream, &files, &count), HR_OK);
  CHECK(count == 3);
  CHECK(strcmp(files[0]->path, "/data/first\n.h5") == 0 && files[0]->first_sample == 0 && files[0]->samples == 7);
  CHECK(strcmp(files[1]->path, "/data/none.h5") == 0 && files[1]->first_sample == 7 && files[1]->samples == 0);
  CHECK(strcmp(files[2]->path, "/data/last.h5") == 0 && files[2]->first_sample == 7 && files[2]->samples == 93);
  CHECK_CODE(hr_acquire(stream, 20, &b), HR_OK);
  CHECK(b.step == 1);
  stop(s, SIGKILL);
  CHECK_CODE(hr_files(stream, &again, &count), HR_OK);  /* kept: nobody is asked */
  CHECK(again == files && count == 3);
  CHECK_CODE(hr_files(stream, NULL, &count), HR_INVALID);
  CHECK_CODE(hr_files(stream, &files, NULL), HR_INVALID);
  CHECK_CODE(hr_files(NULL, &files, &count), HR_INVALID);
  hr_close(stream, 0, 0);
}

static void pads_and_cuts(void) {
  hr_batch b = HR_BATCH_INIT;
  stager s = start("--rows", "25", "--batch", "10", "--last", "pad", NULL);
  hr_stream* stream = join();
  CHECK_CODE(hr_seek(stream, 0, 2), HR_OK);
  CHECK_CODE(hr_acquire(stream, 20, &b), HR_OK);
  CHECK(b.rows == 5 && b.filled == 10 && right(&b));
  hr_close(stream, 1, 0);
  stop(s, SIGTERM);
  s = start("--rows", "25", "--batch", "10", "--last", "partial", NULL);
  stream = join();
  CHECK_CODE(hr_seek(stream, 0, 2), HR_OK);
  CHECK_CODE(hr_acquire(stream, 20, &b), HR_OK);
  CHECK(b.rows == 5 && b.filled == 5 && right(&b));
  hr_close(stream, 1, 0);
  stop(s, SIGTERM);
}

static void a_wait_without_end_in_sight_is_named(void) {
  const stager s = start("--delay-ms", "100000000", NULL);
  hr_stream* stream = join();
  hr_batch b = HR_BATCH_INIT;
  char expected[128];
  CHECK_CODE(hr_acquire(stream, 20, &b), HR_OK);
  CHECK_CODE(hr_acquire(stream, 0, &b), HR_TIMEOUT);
  CHECK_SAYS("no batch (stream train, epoch 0, step 1) without a wait from stager 0");
  CHECK_CODE(hr_acquire(stream, 0.01, &b), HR_TIMEOUT);
  snprintf(expected, sizeof expected, "within 0.01 s from stager 0 (pid %d on fakehost)", (int)s.pid);
  CHECK_SAYS(expected);
  hr_close(stream, 1, 0);
  stop(s, SIGTERM);
}

static void refusals_say_why(void) {
  const stager s = start("--streams", "train,val", "--trainers", "2", NULL);
  hr_stream *first = NULL, *second = NULL;
  char expected[64];
  hr_options o = options();
  CHECK_CODE(hr_connect(&o, &second), HR_REFUSED);
  CHECK_SAYS("train, val");
  o.stream = "tran";
  CHECK_CODE(hr_connect(&o, &second), HR_REFUSED);
  CHECK_SAYS("did you mean 'train'?");
  o.stream = "val";
  o.world_size = 3;
  CHECK_CODE(hr_connect(&o, &second), HR_REFUSED);
  o.world_size = 2;
  CHECK_CODE(hr_connect(&o, &first), HR_OK);
  CHECK_CODE(hr_connect(&o, &second), HR_REFUSED);
  snprintf(expected, sizeof expected, "rank 0 is taken by process %d", (int)getpid());
  CHECK_SAYS(expected);
  CHECK(second == NULL);
  o.rank = 1;
  CHECK_CODE(hr_connect(&o, &second), HR_OK);
  hr_close(first, 1, 0);
  hr_close(second, 1, 0);
  stop(s, SIGTERM);
}

static void wrong_arguments_are_told(void) {
  hr_stream* stream = NULL;
  hr_options o = options();
  hr_batch b = HR_BATCH_INIT;
  CHECK_CODE(hr_connect(NULL, &stream), HR_INVALID);
  CHECK_CODE(hr_connect(&o, NULL), HR_INVALID);
  CHECK_CODE(hr_acquire(NULL, 0, &b), HR_INVALID);
  hr_close(NULL, 1, 0);
  o.size = 3;
  CHECK_CODE(hr_connect(&o, &stream), HR_INVALID);
  CHECK_SAYS("sizeof(hr_options)");
  o = options();
  o.rank = 4;
  o.world_size = 4;
  CHECK_CODE(hr_connect(&o, &stream), HR_INVALID);
  CHECK_SAYS("rank 4 of 4 trainers; ranks go from 0 to 3");
  o.world_size = -2;
  CHECK_CODE(hr_connect(&o, &stream), HR_INVALID);
  o = options();
  o.service = "no such name";
  CHECK_CODE(hr_connect(&o, &stream), HR_INVALID);
  CHECK_SAYS("cannot name a service");
  CHECK(strcmp(hr_version(), HR_VERSION) == 0);
}

static int reports = 0;
static char last_report[256];
static int give_up_after;
static int report(void* context, const char* what, double fraction) {
  CHECK(context == &reports && fraction >= -1 && fraction <= 1);
  snprintf(last_report, sizeof last_report, "%s", what);
  return ++reports == give_up_after;
}

static void a_service_that_is_not_there_is_named(void) {
  hr_stream* stream = NULL;
  hr_options o = options();
  o.service = "nobody-here";
  o.timeout = 0;
  CHECK_CODE(hr_connect(&o, &stream), HR_TIMEOUT);
  CHECK_SAYS("no service 'nobody-here' on node");
  o.timeout = 0.06;
  CHECK_CODE(hr_connect(&o, &stream), HR_TIMEOUT);
  CHECK_SAYS("within 0.06 s");
  o.service = "/tmp/nobody/here.sock";
  CHECK_CODE(hr_connect(&o, &stream), HR_TIMEOUT);
  o.timeout = -1;
  o.progress = report;
  o.progress_context = &reports;
  reports = 0;
  give_up_after = 1;
  CHECK_CODE(hr_connect(&o, &stream), HR_INTERRUPTED);
  CHECK(strstr(last_report, "to start") != NULL);
}

static void loading_shows_progress(void) {
  const stager s = start("--load-ms", "1500", NULL);
  hr_stream* stream = NULL;
  hr_batch b = HR_BATCH_INIT;
  hr_options o = options();
  o.timeout = 0;
  CHECK_CODE(hr_connect(&o, &stream), HR_TIMEOUT);
  CHECK_SAYS("still loading (reading formulas)");
  o.timeout = -1;
  o.progress = report;
  o.progress_context = &reports;
  reports = 0;
  give_up_after = 0;
  CHECK_CODE(hr_connect(&o, &stream), HR_OK);
  if (stream) {
    CHECK_CODE(hr_acquire(stream, 20, &b), HR_OK);
    hr_close(stream, 1, 0);
  }
  stop(s, SIGTERM);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  stager_path = argv[1];
  learns_everything_from_the_service();
  delivers_each_sample_once_an_epoch();
  leases_end_in_any_order_and_run_out_by_name();
  seeks_anywhere_and_keeps_leases();
  goes_on_where_the_others_do();
  knows_the_files();
  pads_and_cuts();
  a_wait_without_end_in_sight_is_named();
  refusals_say_why();
  wrong_arguments_are_told();
  a_service_that_is_not_there_is_named();
  loading_shows_progress();
  printf(failures ? "%d checks failed\n" : "all checks passed\n", failures);
  return failures != 0;
}
