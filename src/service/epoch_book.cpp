#include "service/epoch_book.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.hpp"

namespace headrace::service {

EpochBook::EpochBook(const Blueprint& blueprint, std::uint64_t seed, std::vector<std::uint64_t> stream_hashes,
                     std::uint32_t nodes)
    : blueprint_(blueprint), seed_(seed), stream_hashes_(std::move(stream_hashes)), nodes_(nodes) {}

std::optional<Verdict> EpochBook::add(const TrainerEpoch& report) {
  const Key key{report.stream, report.session, report.tally.epoch};
  auto& reports = open_[key];
  // An epoch that was left and taken up again counts as it ended.
  reports[report.rank] = report;
  if (reports.size() < report.world_size) return std::nullopt;
  for (const auto& [rank, entry] : reports)
    if (entry.abandoned) return std::nullopt;
  LeftOut what{key.stream, key.session, key.epoch, {}};
  for (const auto& [rank, entry] : reports) what.first_steps.push_back(entry.tally.first);
  const auto all = std::move(reports);
  open_.erase(key);
  const auto& members = blueprint_.members[key.stream];
  if (members.selection() != nullptr || left_out_rows(blueprint_, what) == 0) {
    const auto stagers = static_cast<std::uint32_t>(members.first_ordinals().size() - 1);
    const auto hash = members.selection() ? left_out_hash(blueprint_, seed_, what, 0, stagers) : 0;
    return judge(what, all, hash);
  }
  question_ = what;
  asked_[what] = {all};
  return std::nullopt;
}

std::optional<Verdict> EpochBook::answer(const LeftOut& question, std::uint64_t hash) {
  const auto found = asked_.find(question);
  if (found == asked_.end()) return std::nullopt;
  auto& asked = found->second;
  asked.hash += hash;
  if (++asked.answers < nodes_) return std::nullopt;
  const auto verdict = judge(question, asked.reports, asked.hash);
  asked_.erase(found);
  return verdict;
}

Verdict EpochBook::judge(const LeftOut& what, const Reports& reports, std::uint64_t left_out) {
  const auto world = static_cast<std::uint32_t>(reports.size());
  Verdict verdict{.stream = what.stream, .epoch = what.epoch, .complete = true};
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
  const auto rows = blueprint_.streams[what.stream].samples - left_out_rows(blueprint_, what);
  const bool right_ones = hash == stream_hashes_[what.stream] - left_out;
  verdict.exactly_once = verdict.samples == rows && right_ones && wrong == 0;
  verdict.text = sentence(verdict, rows, right_ones, wrong);
  verdicts_.push_back(verdict);
  return verdict;
}

std::string EpochBook::sentence(const Verdict& verdict, std::uint64_t rows, bool right_ones,
                                std::uint64_t wrong) const {
  std::string audit =
      verdict.complete ? "every sample exactly once" : "every sample exactly once from where the trainers began";
  if (!verdict.exactly_once)
    audit = fmt::format("AUDIT FAILED: {} samples instead of {}, {}", verdict.samples, rows,
                        wrong > 0    ? fmt::format("{} of them wrong", wrong)
                        : right_ones ? "the right ones"
                                     : "not the right ones (--audit full counts them)");
  return fmt::format(
      "{} epoch {}: {} samples, {} ({:.1f} s); trainers waited {:.0f} % of it, stagers {:.0f} % (slowest: trainer {}); "
      "{}",
      blueprint_.streams[verdict.stream].name, verdict.epoch, verdict.samples,
      format_rate(static_cast<double>(verdict.bytes), verdict.seconds), verdict.seconds, 100 * verdict.trainer_wait,
      100 * verdict.stager_wait, verdict.slowest, audit);
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
