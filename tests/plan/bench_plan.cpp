// How long order and plans take, for a look while working on them: bench_plan [repeats]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "plan/batch_plan.hpp"
#include "plan/permutation.hpp"
#include "plan/schedule.hpp"

namespace {

using namespace headrace::plan;

/// Median time in ns of one call, over `repeats`.
template <class Job>
double median_ns(int repeats, Job&& job) {
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    job();
    times.push_back(std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count());
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
  return 0;
}
