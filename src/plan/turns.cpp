#include "plan/turns.hpp"

#include <algorithm>
#include <numeric>
#include <queue>

#include "base/contract.hpp"
#include "plan/wide.hpp"

namespace headrace::plan {

namespace {

/// The turns of all classes in order of time, from where each has had `counts` of them.
class Merge {
 public:
  Merge(std::span<const std::uint64_t> shares, std::vector<std::uint64_t> counts)
      : shares_(shares), counts_(std::move(counts)) {
    for (std::uint32_t c = 0; c < shares_.size(); ++c) push(c);
  }
  Turn next() {
    const auto which = waiting_.top().which;
    waiting_.pop();
    const Turn turn{which, counts_[which]++};
    push(which);
    return turn;
  }

 private:
  struct Waiting {
    std::uint64_t number, share;  // its time is number / (2 * share)
    std::uint32_t which;
    bool operator<(const Waiting& other) const {  // of the queue, which gives the greatest first
      const auto mine = Unsigned128{number} * other.share, theirs = Unsigned128{other.number} * share;
      return mine != theirs ? mine > theirs : which > other.which;
    }
  };
  void push(std::uint32_t which) {
    if (counts_[which] < shares_[which]) waiting_.push({2 * counts_[which] + 1, shares_[which], which});
  }

  std::span<const std::uint64_t> shares_;
  std::vector<std::uint64_t> counts_;
  std::priority_queue<Waiting> waiting_;
};

}  // namespace

Turns::Turns(std::vector<std::uint64_t> shares) : shares_(std::move(shares)) {
  EXPECTS(!shares_.empty() && std::ranges::all_of(shares_, [](auto share) { return share > 0; }));
  const auto common =
      std::accumulate(shares_.begin(), shares_.end(), std::uint64_t{0}, [](auto a, auto b) { return std::gcd(a, b); });
  for (auto& share : shares_) share /= common;
  period_ = std::accumulate(shares_.begin(), shares_.end(), std::uint64_t{0});
  EXPECTS(period_ <= std::uint64_t{1} << 62);
  largest_ = static_cast<std::uint32_t>(std::ranges::max_element(shares_) - shares_.begin());
  if (period_ <= longest_table) make_table();
}

void Turns::make_table() {
  places_.resize(shares_.size());
  std::vector<std::int64_t> wealth(shares_.size());
  for (std::uint64_t place = 0; place < period_; ++place) {
    for (std::size_t c = 0; c < shares_.size(); ++c) wealth[c] += static_cast<std::int64_t>(shares_[c]);
    const auto richest = std::ranges::max_element(wealth) - wealth.begin();  // the first of them
    wealth[static_cast<std::size_t>(richest)] -= static_cast<std::int64_t>(period_);
    auto& places = places_[static_cast<std::size_t>(richest)];
    table_.push_back({static_cast<std::uint32_t>(richest), places.size()});
    places.push_back(place);
  }
  constexpr std::size_t worth_a_copy = 256;
  do
    for (const auto& turn : table_) classes_.push_back(turn.which);
  while (classes_.size() < worth_a_copy);
}

/// Turns of `other` in a period that come before the k-th of `which`.
std::uint64_t Turns::earlier(std::uint32_t other, std::uint32_t which, std::uint64_t k) const {
  if (other == which) return k;
  // Odd numbers n with n / (2 * share of other) below the time, or at it where the smaller class goes first.
  const auto dividend = (2 * Unsigned128{k} + 1) * shares_[other];
  const auto quotient = dividend / shares_[which], rest = dividend % shares_[which];
  const auto most = rest == 0 && other > which ? quotient - 1 : quotient;  // the quotient is at least 1 if rest is 0
  return static_cast<std::uint64_t>((most + 1) / 2);
}

/// Within a period; k < share.
std::uint64_t Turns::place(std::uint32_t which, std::uint64_t k) const {
  if (!places_.empty()) return places_[which][k];
  std::uint64_t place = 0;
  for (std::uint32_t other = 0; other < shares_.size(); ++other) place += earlier(other, which, k);
  return place;
}

/// How many turns each class has had in front of this place of a period.
std::vector<std::uint64_t> Turns::counts_at(std::uint64_t place_of) const {
  std::vector<std::uint64_t> counts(shares_.size());
  if (!places_.empty()) {
    for (std::size_t c = 0; c < shares_.size(); ++c)
      counts[c] = static_cast<std::uint64_t>(std::ranges::lower_bound(places_[c], place_of) - places_[c].begin());
    return counts;
  }
  // The turns of the largest class lie dense: from its last one before the place it is a few steps.
  std::uint64_t low = 0, high = shares_[largest_];  // its first turn that is not before the place lies in [low, high]
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    if (place(largest_, middle) < place_of)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0) {
    Merge merge(shares_, counts);
    for (std::uint64_t i = 0; i < place_of; ++i) ++counts[merge.next().which];
    return counts;
  }
  for (std::uint32_t c = 0; c < shares_.size(); ++c) counts[c] = earlier(c, largest_, low - 1);
  Merge merge(shares_, counts);
  for (auto at = place(largest_, low - 1); at < place_of; ++at) ++counts[merge.next().which];
  return counts;
}

/// From a place within a period on, not beyond its end.
void Turns::walk(std::uint64_t place, std::span<Turn> out) const {
  Merge merge(shares_, place == 0 ? std::vector<std::uint64_t>(shares_.size()) : counts_at(place));
  for (auto& turn : out) turn = merge.next();
}

Turn Turns::at(std::uint64_t position) const {
  Turn turn;
  follow(position, {&turn, 1});
  return turn;
}

void Turns::follow(std::uint64_t first, std::span<Turn> out) const {
  while (!out.empty()) {
    const auto round = first / period_, place = first % period_;
    const auto run = out.first(std::min<std::uint64_t>(out.size(), period_ - place));
    if (table_.empty())
      walk(place, run);
    else
      std::copy_n(table_.begin() + static_cast<std::ptrdiff_t>(place), run.size(), run.begin());
    if (round > 0)
      for (auto& turn : run) turn.k += round * shares_[turn.which];
    out = out.subspan(run.size());
    first += run.size();
  }
}

void Turns::classes(std::uint64_t first, std::span<std::uint32_t> out) const {
  if (classes_.empty()) {
    thread_local std::vector<Turn> turns;
    turns.resize(out.size());
    follow(first, turns);
    std::ranges::transform(turns, out.begin(), &Turn::which);
    return;
  }
  for (auto place = first % period_; !out.empty(); place = 0) {  // whole periods long
    const auto run = out.first(std::min<std::size_t>(out.size(), classes_.size() - place));
    std::copy_n(classes_.begin() + static_cast<std::ptrdiff_t>(place), run.size(), run.begin());
    out = out.subspan(run.size());
  }
}

std::uint64_t Turns::position(std::uint32_t which, std::uint64_t k) const {
  return k / shares_[which] * period_ + place(which, k % shares_[which]);
}

std::uint64_t Turns::count(std::uint32_t which, std::uint64_t position) const {
  const auto round = position / period_, place = position % period_;
  if (places_.empty()) return round * shares_[which] + counts_at(place)[which];
  const auto& places = places_[which];
  return round * shares_[which] + static_cast<std::uint64_t>(std::ranges::lower_bound(places, place) - places.begin());
}

}  // namespace headrace::plan
