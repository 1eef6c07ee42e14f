// Structs of programs that were compiled with an older or a newer header than the library.
#include <cstddef>
#include <cstring>

#include "client/sized.hpp"
#include "trainer.hpp"

using headrace::client::taken_in;

namespace {

/// As an older and a newer header have it, and something of the program's own behind it.
struct Older {
  hr_info info;
  Older() {
    std::memset(static_cast<void*>(&info), 0x55, sizeof info);
    info.size = headrace::client::first_hr_info;
  }
  bool untouched_behind() const {
    const auto* bytes = reinterpret_cast<const unsigned char*>(&info);
    for (auto at = info.size; at < sizeof info; ++at)
      if (bytes[at] != 0x55) return false;
    return true;
  }
};
template <class Struct>
struct Newer {
  Struct ours;
  std::uint64_t more[3] = {7, 7, 7}, behind = 7;
  explicit Newer(const Struct& init) : ours(init) { ours.size = offsetof(Newer, behind); }
  bool more_is(std::uint64_t value) const {
    return more[0] == value && more[1] == value && more[2] == value && behind == 7;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(sized)

BOOST_AUTO_TEST_CASE(an_older_program_gets_what_it_knows) {
  const FakeStager stager({});
  const Trainer trainer(stager.name);
  Older older;
  BOOST_TEST(hr_get_info(trainer.stream, &older.info) == HR_OK);
  BOOST_TEST(older.untouched_behind());
  BOOST_TEST(older.info.size == headrace::client::first_hr_info);
  BOOST_TEST((older.info.batches == 100 && older.info.ring_bytes > 0));
  hr_info now = HR_INFO_INIT;
  BOOST_TEST(hr_get_info(trainer.stream, &now) == HR_OK);
  BOOST_TEST(now.stager == "stager 0 (pid " + std::to_string(stager.pid) + " on fakehost)");
}

BOOST_AUTO_TEST_CASE(a_newer_program_finds_zero_in_what_the_library_does_not_know) {
  const FakeStager stager({});
  const Trainer trainer(stager.name);
  Newer<hr_info> info(HR_INFO_INIT);
  Newer<hr_stats> stats(HR_STATS_INIT);
  Newer<hr_batch> batch(HR_BATCH_INIT);
  BOOST_TEST(hr_get_info(trainer.stream, &info.ours) == HR_OK);
  BOOST_TEST((info.more_is(0) && info.ours.batches == 100 && info.ours.size == offsetof(Newer<hr_info>, behind)));
  BOOST_TEST(trainer.acquire(batch.ours) == HR_OK);
  BOOST_TEST((batch.more_is(0) && batch.ours.rows == 10));
  BOOST_TEST(hr_get_stats(trainer.stream, &stats.ours) == HR_OK);
  BOOST_TEST((stats.more_is(0) && stats.ours.held == 1));
}

BOOST_AUTO_TEST_CASE(what_a_newer_program_asks_for_in_vain_is_refused) {
  const FakeStager stager({});
  hr_stream* stream = nullptr;
  Newer<hr_options> options(HR_OPTIONS_INIT);
  options.ours.service = stager.name.c_str();
  options.ours.timeout = 20;
  BOOST_TEST(hr_connect(&options.ours, &stream) == HR_INVALID);
  BOOST_TEST(error_says("use a newer libheadrace"));
  std::memset(options.more, 0, sizeof options.more);
  BOOST_TEST(hr_connect(&options.ours, &stream) == HR_OK);
  hr_close(stream, 1, 0);
}

BOOST_AUTO_TEST_CASE(a_size_that_was_never_set_is_told_before_anything_happens) {
  const FakeStager stager({});
  const Trainer trainer(stager.name);
  for (const std::size_t size : {std::size_t{0}, std::size_t{9}, ~std::size_t{0} / 2}) {
    hr_info info = HR_INFO_INIT;
    hr_stats stats = HR_STATS_INIT;
    hr_batch batch = HR_BATCH_INIT;
    info.size = stats.size = batch.size = size;
    BOOST_TEST(hr_get_info(trainer.stream, &info) == HR_INVALID);
    BOOST_TEST(error_says("set it to sizeof(hr_info)"));
    BOOST_TEST(hr_get_stats(trainer.stream, &stats) == HR_INVALID);
    BOOST_TEST(error_says("set it to sizeof(hr_stats)"));
    BOOST_TEST(trainer.acquire(batch) == HR_INVALID);
    BOOST_TEST(error_says("hr_batch.size is " + std::to_string(size)));
  }
  hr_batch batch = HR_BATCH_INIT;
  BOOST_TEST(trainer.acquire(batch) == HR_OK);
  BOOST_TEST(batch.step == 0u);  // none was lost
}

BOOST_AUTO_TEST_CASE(structs_that_the_library_makes_say_how_far_they_go) {
  const FakeStager stager({});
  const Trainer trainer(stager.name);
  hr_info info = HR_INFO_INIT;
  BOOST_TEST(hr_get_info(trainer.stream, &info) == HR_OK);
  for (int i = 0; i < info.nfields; ++i) BOOST_TEST(info.fields[i]->size == sizeof(hr_field));
  const hr_file* const* files = nullptr;
  std::size_t count = 0;
  BOOST_TEST(hr_files(trainer.stream, &files, &count) == HR_OK);
  for (std::size_t i = 0; i < count; ++i) BOOST_TEST(files[i]->size == sizeof(hr_file));
}

BOOST_AUTO_TEST_CASE(an_older_programs_options_are_zero_where_it_has_none) {
  hr_options older = HR_OPTIONS_INIT;
  older.progress_context = &older;
  older.size = offsetof(hr_options, progress);
  const auto ours = taken_in(older, offsetof(hr_options, progress), "hr_options");
  BOOST_TEST((ours.progress_context == nullptr && ours.world_size == 1 && ours.size == sizeof ours));
}

BOOST_AUTO_TEST_SUITE_END()
