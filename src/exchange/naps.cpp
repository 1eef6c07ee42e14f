#include "exchange/naps.hpp"

#include <algorithm>

namespace headrace::exchange {

namespace {

constexpr double shortest_nap = 20e-6;  // measured: shorter naps take the core from whoever packs
// First the core is only offered, while the next arrival is near by what the last ones took: measured, 512 B samples
// come 2 - 3 times as fast. Over a slow link naps begin soon.
constexpr double shortest_yield = 200e-6, longest_yield = 1e-3;
constexpr double near_means = 4;      // times the mean time between arrivals
constexpr double short_nap = 100e-6;  // while anything is outstanding
constexpr unsigned yield_looks = 50;  // at least: on a busy core a look may come only once in milliseconds
constexpr double long_nap = 10e-3;
constexpr double quiet_after = 0.1;    // seconds without anything outstanding
constexpr double longest_nap = 25e-3;  // each nap costs 50 - 130 us on a virtual machine: 0.2 - 0.5 % of a core
constexpr double very_quiet_after = 0.5;

}  // namespace

void Naps::begin(double now) {
  last_busy_ = now;
  nap_ = shortest_nap;
}

std::optional<double> Naps::next(double now, bool moved, bool outstanding) {
  if (outstanding || moved) last_busy_ = now;
  if (moved) {
    mean_gap_ += (std::min(now - last_moved_, longest_yield) - mean_gap_) / 8;
    last_moved_ = now;
  }
  // Right after something moved more is likely to follow: naps start small and double.
  nap_ = moved ? shortest_nap : std::min(short_nap, nap_ * 2);
  looks_ = moved ? 0 : looks_ + 1;
  if (outstanding && is_near(now)) return std::nullopt;
  const double quiet = now - last_busy_;
  return quiet > very_quiet_after ? longest_nap : quiet > quiet_after ? long_nap : nap_;
}

bool Naps::is_near(double now) const {
  const double gap = near_means * mean_gap_;
  const double yield_for = gap > longest_yield ? shortest_yield : std::max(gap, shortest_yield);
  return now - last_moved_ < yield_for || looks_ < yield_looks;
}

}  // namespace headrace::exchange
