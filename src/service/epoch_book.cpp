#include "service/epoch_book.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <span>

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "plan/permutation.hpp"

namespace headrace::service {

namespace {

/// Sum of the hashes of the samples at positions [first, last) of an epoch.
std::uint64_t hash_positions(const plan::Selection& selection, const plan::Permutation* order, std::uint64_t first,
                             std::uint64_t last) {
  constexpr std::uint64_t block = 4096;
  std::array<std::uint64_t, block> ordinals;
  std::uint64_t sum = 0;
  for (; first < last; first += block) {
    const auto some = std::span(ordinals).first(std::min(block, last - first));
    if (order)
      order->evaluate(first, some);
    else
      std::iota(some.begin(), some.end(), first);
    for (const auto ordinal : some) sum += sample_hash(selection.sample({ordinal}).value);
  }
  return sum;
}

}  // namespace

EpochBook::EpochBook(const Blueprint& blueprint, std::uint64_t seed, std::vector<std::uint64_t> stream_hashes)
    : blueprint_(blueprint), seed_(seed), stream_hashes_(std::move(stream_hashes)) {}

std::optional<Verdict> EpochBook::add(const TrainerEpoch& report) {
  const Key key{report.stream, report.session, report.tally.epoch};
  auto& reports = open_[key];
  // An epoch that was left and taken up again counts as it ended.
  reports[report.rank] = report;
  if (reports.size() < report.world_size) return std::nullopt;
  for (const auto& [rank, entry] : reports)
    if (entry.abandoned) return std::nullopt;
  verdicts_.push_back(judge(key, reports));
  open_.erase(key);
  return verdicts_.back();
}

EpochBook::Expected EpochBook::expected(const Key& key, const Reports& reports) const {
  const auto& selection = blueprint_.selections[key.stream];
  const auto& facts = blueprint_.streams[key.stream];
  const auto schedule = facts.schedule(static_cast<std::uint32_t>(reports.size()));
  const auto n = schedule.samples();
  std::optional<plan::Permutation> order;
  if (schedule.shuffle() == plan::Shuffle::global) order.emplace(n, plan::epoch_key(seed_, facts.name, key.epoch));
  // All samples, without those that last = drop leaves out at the end, and without the steps in front of a seek.
  Expected all{schedule.rows_of_epoch(), stream_hashes_[key.stream]};
  const auto leave_out = [&](std::uint64_t first, std::uint64_t last) {
    all.hash -= hash_positions(selection, order ? &*order : nullptr, first, last);
  };
  leave_out(all.rows, n);
  for (const auto& [rank, report] : reports)
    for (std::uint64_t step = 0; step < report.tally.first; ++step) {
      const auto share = schedule.share(step, rank);
      leave_out(share.first, share.first + share.rows);
      all.rows -= share.rows;
    }
  return all;
}

Verdict EpochBook::judge(const Key& key, const Reports& reports) const {
  const auto world = static_cast<std::uint32_t>(reports.size());
  Verdict verdict{.stream = key.stream, .epoch = key.epoch, .complete = true};
  std::uint64_t hash = 0, wrong = 0;
  double least_wait = 1e300;
  for (const auto& [rank, report] : reports) {
    verdict.samples += report.tally.rows;
    hash += report.tally.hash;
    wrong += report.tally.wrong;
    verdict.complete &= report.tally.first == 0;
    verdict.seconds = std::max(verdict.seconds, report.seconds);
    if (report.seconds > 0) {
      verdict.trainer_wait += report.trainer_wait / report.seconds / world;
      verdict.stager_wait += report.stager_wait / report.seconds / world;
    }
    if (report.trainer_wait < least_wait) {
      least_wait = report.trainer_wait;
      verdict.slowest = rank;
    }
  }
  verdict.bytes = verdict.samples * row_bytes(blueprint_.schema);
  const auto should = expected(key, reports);
  verdict.exactly_once = verdict.samples == should.rows && hash == should.hash && wrong == 0;
  verdict.text = fmt::format(
      "{} epoch {}: {} samples, {} ({:.1f} s); trainers waited {:.0f} % of it, stagers {:.0f} % (slowest: trainer {}); {}",
      blueprint_.streams[key.stream].name, key.epoch, verdict.samples,
      format_rate(static_cast<double>(verdict.bytes), verdict.seconds), verdict.seconds, 100 * verdict.trainer_wait,
      100 * verdict.stager_wait, verdict.slowest,
      !verdict.exactly_once ? fmt::format("AUDIT FAILED: {} samples instead of {}, {}", verdict.samples, should.rows,
                                          wrong > 0              ? fmt::format("{} of them wrong", wrong)
                                          : hash == should.hash ? "the right ones"
                                                                : "not the right ones (--audit full counts them)")
      : verdict.complete    ? "every sample exactly once"
                            : "every sample exactly once from where the trainers began");
  return verdict;
}

std::vector<std::string> EpochBook::unfinished() const {
  std::vector<std::string> lines;
  for (const auto& [key, reports] : open_) {
    std::string who;
    for (const auto& [rank, report] : reports)
      who += fmt::format("{}trainer {} {}", who.empty() ? "" : ", ", rank,
                         report.abandoned ? fmt::format("left it at step {}", report.tally.low) : "finished it");
    lines.push_back(fmt::format("{} epoch {}: unfinished ({})", blueprint_.streams[key.stream].name, key.epoch, who));
  }
  return lines;
}

bool EpochBook::all_exactly_once() const {
  return std::all_of(verdicts_.begin(), verdicts_.end(), [](const Verdict& v) { return v.exactly_once; });
}

}  // namespace headrace::service
