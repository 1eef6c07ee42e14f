// How long order and plans take, for a look while working on them: bench_plan [repeats]
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "plan/batch_plan.hpp"
#include "plan/permutation.hpp"
#include "plan/placement.hpp"
#include "plan/schedule.hpp"

namespace {

using namespace headrace::plan;

/// Of this thread on its processor: what others do at the time counts little.
double now_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return 1e9 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec);
}

/// Median time in ns of one call, over `repeats`.
template <class Job>
double median_ns(int repeats, Job&& job) {
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) {
    const auto start = now_ns();
    job();
    times.push_back(now_ns() - start);
  }
  std::nth_element(times.begin(), times.begin() + repeats / 2, times.end());
  return times[static_cast<std::size_t>(repeats) / 2];
}

void bench_permutation(std::uint64_t n, int repeats) {
  constexpr std::size_t count = 1 << 20;
  std::vector<std::uint64_t> out(std::min<std::uint64_t>(n, count));
  const Permutation order(n, 42);
  const double per = static_cast<double>(out.size());
  std::uint64_t sum = 0;
  const double evaluate = median_ns(repeats, [&] { order.evaluate(0, out); }) / per;
  const double invert = median_ns(repeats, [&] { order.invert(0, out); }) / per;
  const double scalar = median_ns(repeats,
                                  [&] {
                                    for (std::uint64_t p = 0; p < out.size(); ++p) sum += order(p);
                                  }) /
                        per;
  const double make = median_ns(repeats, [&] { sum += Permutation(n, sum).size(); });
  std::printf("n = %-12llu evaluate %6.2f ns   invert %6.2f ns   operator() %6.1f ns   construct %6.0f ns%s\n",
              static_cast<unsigned long long>(n), evaluate, invert, scalar, make, sum == 1 ? " " : "");
}

void bench_batches(std::uint64_t n, std::uint32_t batch, std::uint32_t stagers, int repeats) {
  std::vector<std::uint64_t> first;
  for (std::uint64_t s = 0; s <= stagers; ++s) first.push_back(n / stagers * s + n % stagers * s / stagers);
  const EpochOrder order(n, 7);
  const Schedule schedule(n, batch, 4, Shuffle::global, Last::drop);
  BatchPlanner planner;
  std::size_t pieces = 0;
  const auto steps = std::min<std::uint64_t>(schedule.steps(), 200);
  const double per_epoch = median_ns(repeats, [&] {
    pieces = 0;
    for (std::uint64_t step = 0; step < steps; ++step)
      pieces += planner(schedule.share(step, 1), &order, first).pieces.size();
  });
  std::printf("n = %-9llu batch %5u  stagers %5u   %6.2f ns per row   %.1f pieces per batch\n",
              static_cast<unsigned long long>(n), batch, stagers, per_epoch / static_cast<double>(steps * batch),
              static_cast<double>(pieces) / static_cast<double>(steps));
}

/// Three classes of 1/2, 1/3 and 1/6 of the samples, each drawn alike; which sample is of which the data say.
void bench_mix(std::uint64_t n, std::uint32_t batch, bool sorted, int repeats) {
  const std::vector<Slab> slabs{{0, n}};
  std::vector<std::vector<std::uint64_t>> words(3, std::vector<std::uint64_t>((n + 63) / 64));
  std::mt19937_64 random(1);
  for (std::uint64_t i = 0; i < n; ++i) {
    const auto dice = sorted ? i * 6 / n : random() % 6;
    words[dice < 3 ? 0 : dice < 5 ? 1 : 2][i / 64] |= std::uint64_t{1} << i % 64;
  }
  std::vector<Members> sets;
  std::vector<std::uint64_t> members;
  for (auto& of_class : words) {
    std::vector<SampleSet> here;
    here.emplace_back(slabs[0], std::move(of_class), SampleSet::Ask::members);
    members.push_back(here[0].size());
    sets.emplace_back(std::vector{here[0].size()}, 0, std::move(here));
  }
  const Turns turns({1, 1, 1});
  const auto positions = shortest_epoch(turns, members);
  const auto mix = std::make_shared<const Mix>(Mix{turns, Mix::Within::batch, positions, members});
  const Placement placement(slabs, Selection::all(n));
  for (const bool mixed : {false, true}) {
    const auto order = mixed ? EpochOrder(mix, 7, "train", 1) : EpochOrder(n, 7);
    const Strata strata = mixed ? Strata(sets) : Strata(Members(Selection::all(n), slabs));
    const Schedule schedule(mixed ? positions : n, batch, 1, Shuffle::global, Last::drop);
    const auto steps = std::min<std::uint64_t>(schedule.steps(), 200);
    BatchPlanner planner;
    std::vector<std::int64_t> samples(batch);
    std::vector<std::uint32_t> rows(batch);
    std::vector<std::uint64_t> ordinals(batch);
    const double drawing = median_ns(repeats, [&] {
      for (std::uint64_t step = 0; step < steps; ++step) order.evaluate(schedule.share(step, 0).first, ordinals);
    });
    double planning = 0;
    const double all = median_ns(repeats, [&] {
      for (std::uint64_t step = 0; step < steps; ++step) {
        const auto& plan = planner(schedule.share(step, 0), &order, strata.first_ordinals());
        for (const auto& piece : plan.pieces)
          placement.locate(strata, piece.run, std::span(plan.ordinals).subspan(piece.first_row, piece.rows),
                           std::span(samples).first(piece.rows), std::span(rows).first(piece.rows));
      }
    });
    planning = median_ns(repeats, [&] {
      for (std::uint64_t step = 0; step < steps; ++step)
        planner(schedule.share(step, 0), &order, strata.first_ordinals());
    });
    const auto per_row = 1.0 / static_cast<double>(steps * batch);
    std::printf("n = %-9llu batch %5u  %s %s  order %5.2f, sorting and cutting %5.2f, finding samples %5.2f ns a row\n",
                static_cast<unsigned long long>(n), batch, sorted ? "sorted" : "strewn", mixed ? "mixed" : "plain",
                drawing * per_row, (planning - drawing) * per_row, (all - planning) * per_row);
  }
}

/// Windows of `count` an epoch over blocks of about 240 rows.
void bench_windows(std::uint64_t blocks, std::uint64_t count, std::uint32_t batch, int repeats) {
  std::vector<std::uint64_t> borders{0};
  for (std::uint64_t b = 0; b < blocks; ++b) borders.push_back(borders.back() + 200 + b * 7919 % 80);
  const auto n = borders.back();
  const auto windows = std::make_shared<const Windows>(std::move(borders), (blocks + count - 1) / count);
  std::uint64_t key = 7, sum = 0;
  const double make = median_ns(repeats, [&] { sum += WindowedOrder(windows, ++key).starts()[1]; });
  const std::vector<std::uint64_t> first{0, n / 2, n};
  const EpochOrder windowed(std::make_shared<const WindowedOrder>(windows, 7)), plain(n, 7);
  const Schedule schedule(n, batch, 4, Shuffle::global, Last::drop);
  BatchPlanner planner;
  const auto per_row = [&](const EpochOrder& order) {
    const auto steps = std::min<std::uint64_t>(schedule.steps(), 200);
    return median_ns(repeats,
                     [&] {
                       for (std::uint64_t step = 0; step < steps; ++step)
                         sum += planner(schedule.share(step, 1), &order, first).pieces.size();
                     }) /
           static_cast<double>(steps * batch);
  };
  const auto without = per_row(plain), with = per_row(windowed);
  std::printf("blocks %-8llu windows %-6llu batch %5u   an epoch's order %7.2f ms   %6.2f ns per row, %.2f without%s\n",
              static_cast<unsigned long long>(blocks), static_cast<unsigned long long>(windows->count()), batch,
              make / 1e6, with, without, sum == 1 ? " " : "");
}

}  // namespace

int main(int argc, char** argv) {
  const int repeats = argc > 1 ? std::max(1, std::atoi(argv[1])) : 9;
  for (const std::uint64_t n : {30'000ull, 2'000'000ull, 30'000'000ull, 33'554'433ull, 10'000'000'000ull})
    bench_permutation(n, repeats);
  for (const std::uint32_t stagers : {1u, 2u, 64u, 4000u}) {
    bench_batches(30'000, 256, stagers, repeats);
    bench_batches(2'000'000, 256, stagers, repeats);
    bench_batches(2'000'000, 1024, stagers, repeats);
  }
  for (const std::uint64_t n : {2'000'000ull, 50'000'000ull})
    for (const bool sorted : {true, false}) bench_mix(n, 1024, sorted, repeats);
  for (const std::uint64_t blocks : {1000ull, 100'000ull, 1'000'000ull})
    for (const std::uint64_t count : {8ull, 200ull})
      for (const std::uint32_t batch : {256u, 1024u}) bench_windows(blocks, count, batch, repeats);
  return 0;
}
