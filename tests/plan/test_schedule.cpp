// Who gets which positions, by properties over random sizes.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>
#include <vector>

#include "plan/schedule.hpp"

namespace {

using namespace headrace::plan;

constexpr Shuffle shuffles[] = {Shuffle::global, Shuffle::none};
constexpr Last lasts[] = {Last::drop, Last::partial, Last::pad};

/// What each position of the global batch is used for: real rows, and padding (mod n).
struct GlobalBatch {
  std::vector<std::uint64_t> real, padding;
  bool operator==(const GlobalBatch&) const = default;
};

GlobalBatch gather(const Schedule& schedule, std::uint64_t step) {
  GlobalBatch batch;
  for (std::uint32_t t = 0; t < schedule.trainers(); ++t) {
    const auto share = schedule.share(step, t);
    for (std::uint32_t i = 0; i < share.rows; ++i) batch.real.push_back(share.first + i);
    for (std::uint32_t i = 0; i < share.padding; ++i)
      batch.padding.push_back((share.padding_first + i) % schedule.samples());
  }
  std::sort(batch.real.begin(), batch.real.end());
  std::sort(batch.padding.begin(), batch.padding.end());
  return batch;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(schedule)

BOOST_AUTO_TEST_CASE(every_position_exactly_once) {
  std::mt19937_64 random(31);
  for (int i = 0; i < 4000; ++i) {
    const std::uint64_t n = random() % 3000;
    const auto batch = static_cast<std::uint32_t>(1 + random() % 100),
               trainers = static_cast<std::uint32_t>(1 + random() % 20);
    const auto shuffle = shuffles[random() % 2];
    const auto last = lasts[random() % 3];
    const Schedule schedule(n, batch, trainers, shuffle, last);
    BOOST_TEST_CONTEXT("n=" << n << " batch=" << batch << " trainers=" << trainers
                            << " none=" << (shuffle == Shuffle::none) << " last=" << static_cast<int>(last)) {
      std::vector<int> used(n);
      std::uint64_t rows = 0;
      std::uint32_t most = 0;
      bool fits = true, full = true, in_order = true;
      for (std::uint32_t t = 0; t < trainers; ++t) {
        std::uint64_t mine = 0, end = 0;
        for (std::uint64_t step = 0; step < schedule.steps(); ++step) {
          const auto share = schedule.share(step, t);
          fits = fits && share.rows + std::uint64_t{share.padding} <= batch && share.first + share.rows <= n;
          full = full && share.rows + share.padding == batch;
          most = std::max(most, share.rows + share.padding);
          in_order = in_order && (share.rows == 0 || step == 0 || share.first >= end);
          end = share.first + share.rows;
          for (std::uint32_t k = 0; k < share.rows; ++k) ++used[share.first + k];
          mine += share.rows;
          BOOST_TEST((share.padding == 0 || last == Last::pad));
        }
        BOOST_TEST(mine == schedule.rows_of_trainer(t));
        rows += mine;
      }
      BOOST_TEST(fits);
      BOOST_TEST((schedule.steps() == 0 || schedule.most_rows() == most));
      BOOST_TEST((last == Last::partial || full));
      BOOST_TEST(in_order);
      BOOST_TEST(rows == schedule.rows_of_epoch());
      const std::uint64_t global = std::uint64_t{batch} * trainers;
      const std::uint64_t delivered = last == Last::drop ? n / global * global : n;
      BOOST_TEST(rows == delivered);
      for (std::uint64_t p = 0; p < n; ++p) fits = fits && used[p] == (p < delivered ? 1 : 0);
      BOOST_TEST(fits);
      // No step too many: the one before the last leaves somebody something to do.
      if (schedule.steps() > 0 && last != Last::drop) BOOST_TEST(!gather(schedule, schedule.steps() - 1).real.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(global_batches_do_not_depend_on_trainers) {
  std::mt19937_64 random(32);
  for (int i = 0; i < 400; ++i) {
    const std::uint64_t n = 1 + random() % 2000;
    const std::uint32_t global = 60;
    const auto last = lasts[random() % 3];
    const Schedule alone(n, global, 1, Shuffle::global, last);
    for (const std::uint32_t trainers : {2, 3, 4, 5, 6, 10, 60}) {
      const Schedule shared(n, global / trainers, trainers, Shuffle::global, last);
      BOOST_TEST(shared.steps() == alone.steps());
      for (std::uint64_t step = 0; step < alone.steps(); ++step)
        BOOST_TEST((gather(alone, step) == gather(shared, step)), "n=" << n << " T=" << trainers << " step=" << step);
    }
  }
}

BOOST_AUTO_TEST_CASE(short_batches_are_dealt_evenly) {
  const Schedule schedule(100 + 7, 25, 4, Shuffle::global, Last::partial);
  BOOST_TEST(schedule.steps() == 2u);
  const std::vector<Share> wanted{{100, 2}, {102, 2}, {104, 2}, {106, 1}};
  for (std::uint32_t t = 0; t < 4; ++t) BOOST_TEST((schedule.share(1, t) == wanted[t]));
  const Schedule padded(3, 2, 4, Shuffle::global, Last::pad);
  const std::vector<Share> filled{{0, 1, 1, 0}, {1, 1, 1, 1}, {2, 1, 1, 2}, {3, 0, 2, 0}};
  for (std::uint32_t t = 0; t < 4; ++t) BOOST_TEST((padded.share(0, t) == filled[t]));
}

BOOST_AUTO_TEST_CASE(without_shuffle_each_walks_its_own_run) {
  const Schedule schedule(10, 2, 3, Shuffle::none, Last::pad);  // runs 0-3, 4-6, 7-9
  BOOST_TEST(schedule.steps() == 2u);
  BOOST_TEST((schedule.share(0, 0) == Share{0, 2, 0, 0}));
  BOOST_TEST((schedule.share(1, 0) == Share{2, 2, 0, 0}));
  BOOST_TEST((schedule.share(1, 1) == Share{6, 1, 1, 0}));
  BOOST_TEST((schedule.share(1, 2) == Share{9, 1, 1, 1}));
  const Schedule dropped(11, 2, 2, Shuffle::none, Last::drop);  // 8 delivered: 0-3 and 4-7
  BOOST_TEST((dropped.share(1, 1) == Share{6, 2, 0, 0}));
}

BOOST_AUTO_TEST_CASE(extremes) {
  for (const auto shuffle : shuffles)
    for (const auto last : lasts) {
      const Schedule none(0, 8, 3, shuffle, last);
      BOOST_TEST(none.steps() == 0u);
      BOOST_TEST(none.rows_of_epoch() == 0u);
      BOOST_TEST(none.rows_of_trainer(2) == 0u);
      const Schedule huge(1ull << 62, 0xffffffffu, 0xffffffffu, shuffle, last);
      BOOST_TEST(huge.steps() == (last == Last::drop ? 0u : 1u));
      if (last != Last::drop)
        BOOST_TEST(huge.share(0, 0xfffffffeu).first + huge.share(0, 0xfffffffeu).rows == 1ull << 62);
      const Schedule long_one(1ull << 62, 1, 3, shuffle, last);
      BOOST_TEST(long_one.steps() == (1ull << 62) / 3 + (last == Last::drop ? 0 : 1));
    }
}

BOOST_AUTO_TEST_SUITE_END()
