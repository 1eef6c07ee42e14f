#include "service/epoch_book.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "plan/permutation.hpp"

namespace headrace::service {

namespace {

/// Sum of the hashes of the samples at positions [first, last) of an epoch.
std::uint64_t hash_positions(const plan::Selection& selection, const plan::Permutation* order, std::uint64_t first,
                             std::uint64_t last) {
  std::uint64_t sum = 0;
  for (auto position = first; position < last; ++position)
    sum += sample_hash(selection.sample({order ? (*order)(position) : position}).value);
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

std::uint64_t EpochBook::expected_hash(const Key& key, const plan::Schedule& schedule) const {
  const auto& selection = blueprint_.selections[key.stream];
  const auto n = schedule.samples();
  auto expected = stream_hashes_[key.stream];
  if (schedule.rows_of_epoch() == n) return expected;
  // last = drop leaves out the end of the epoch, or of each trainer's part of it.
  if (schedule.shuffle() == plan::Shuffle::global) {
    const plan::Permutation order(n, plan::epoch_key(seed_, blueprint_.streams[key.stream].name, key.epoch));
    return expected - hash_positions(selection, &order, schedule.rows_of_epoch(), n);
  }
  for (std::uint32_t t = 0; t < schedule.trainers(); ++t) {
    const auto first = schedule.share(0, t).first + schedule.rows_of_trainer(t);
    const auto last = t + 1 < schedule.trainers() ? schedule.share(0, t + 1).first : n;
    expected -= hash_positions(selection, nullptr, first, last);
  }
  return expected;
}

Verdict EpochBook::judge(const Key& key, const Reports& reports) const {
  const auto world = static_cast<std::uint32_t>(reports.size());
  const auto schedule = blueprint_.streams[key.stream].schedule(world);
  Verdict verdict{.stream = key.stream, .epoch = key.epoch, .complete = true};
  std::uint64_t hash = 0, wrong = 0, expected_rows = 0;
  double least_wait = 1e300;
  for (const auto& [rank, report] : reports) {
    verdict.samples += report.tally.rows;
    hash += report.tally.hash;
    wrong += report.tally.wrong;
    verdict.complete &= report.tally.first == 0;
    for (auto step = report.tally.first; step < schedule.steps() && report.tally.first > 0; ++step)
      expected_rows += schedule.share(step, rank).rows;
    if (report.tally.first == 0) expected_rows += schedule.rows_of_trainer(rank);
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
  verdict.exactly_once = verdict.samples == expected_rows && wrong == 0 &&
                         (!verdict.complete || hash == expected_hash(key, schedule));
  verdict.text = fmt::format(
      "{} epoch {}: {} samples, {} ({:.1f} s); trainers waited {:.0f} % of it, stagers {:.0f} % (slowest: trainer {}); {}",
      blueprint_.streams[key.stream].name, key.epoch, verdict.samples,
      format_rate(static_cast<double>(verdict.bytes), verdict.seconds), verdict.seconds, 100 * verdict.trainer_wait,
      100 * verdict.stager_wait, verdict.slowest,
      !verdict.exactly_once ? fmt::format("AUDIT FAILED: {} samples instead of {}, {} of them wrong", verdict.samples,
                                          expected_rows, wrong)
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
