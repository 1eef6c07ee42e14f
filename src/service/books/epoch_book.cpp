#include "service/books/epoch_book.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "data/selection/mixing.hpp"

namespace headrace::service::books {

EpochBook::EpochBook(const blueprint::Blueprint& blueprint, std::uint64_t seed,
                     std::vector<std::vector<std::uint64_t>> stream_hashes, std::uint32_t nodes, BookLimits limits)
    : blueprint_(blueprint),
      seed_(seed),
      stream_hashes_(std::move(stream_hashes)),
      nodes_(nodes),
      limits_(limits),
      totals_(blueprint.streams.size()) {}

std::optional<Verdict> EpochBook::add(const TrainerEpoch& report) {
  const Key key{report.stream, report.session, report.tally.epoch};
  auto& open = open_[key];
  auto& reports = open.reports;
  // An epoch that was left and taken up again counts as it ended.
  reports_ += reports.insert_or_assign(report.rank, report).second;
  by_touch_.erase(open.touched);
  open.touched = ++touches_;
  by_touch_[open.touched] = key;
  const auto left = [](const auto& entry) { return entry.second.abandoned; };
  if (reports.size() < report.world_size || std::ranges::any_of(reports, left)) {
    forget_oldest(report.world_size);
    return std::nullopt;
  }
  LeftOut what{key.stream, key.session, key.epoch, {}};
  for (const auto& [rank, entry] : reports) what.first_steps.push_back(entry.tally.first);
  const auto all = std::move(reports);
  reports_ -= all.size();
  by_touch_.erase(open.touched);
  open_.erase(key);
  if (nothing_left_out(blueprint_, seed_, what)) return judge(what, all, 0);
  // What a mix leaves out may be half of all samples: the nodes' workers add that up.
  const auto& strata = blueprint_.strata[key.stream];
  if (strata.known_to_all() && !blueprint_.streams[key.stream].mix)
    return judge(what, all, left_out_hash(blueprint_, seed_, what, 0, strata.stagers()));
  // Whoever seeks to the ends of epochs faster than all nodes can answer for it gets no verdict on each.
  if (asked_.size() >= limits_.questions || asked_.contains(what)) {
    ++forgotten_;
    return std::nullopt;
  }
  question_ = what;
  asked_[what] = {all};
  return std::nullopt;
}

void EpochBook::forget_oldest(std::uint32_t world_size) {
  const auto most_reports = std::max<std::size_t>(limits_.reports, 4 * std::size_t{world_size});
  while (open_.size() > limits_.epochs || reports_ > most_reports) {
    const auto oldest = by_touch_.begin();
    const auto found = open_.find(oldest->second);
    reports_ -= found->second.reports.size();
    open_.erase(found);
    by_touch_.erase(oldest);
    ++forgotten_;
  }
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
  const bool right_ones = hash == whole_hash(blueprint_, seed_, what, stream_hashes_[what.stream]) - left_out;
  verdict.exactly_once = verdict.samples == rows && right_ones && wrong == 0;
  verdict.text = sentence(verdict, rows, right_ones, wrong);
  auto& totals = totals_[what.stream];
  ++totals.epochs;
  totals.failed += !verdict.exactly_once;
  totals.samples += verdict.samples;
  totals.bytes += verdict.bytes;
  return verdict;
}

std::string EpochBook::sentence(const Verdict& verdict, std::uint64_t rows, bool right_ones,
                                std::uint64_t wrong) const {
  std::string audit =
      verdict.complete ? "every sample exactly once" : "every sample exactly once from where the trainers began";
  const auto& facts = blueprint_.streams[verdict.stream];
  if (facts.mix || facts.draw) {
    const auto lines =
        facts.draw ? facts.draw_lines
                   : data::selection::lines_of(*facts.epoch_order(seed_, verdict.epoch), *facts.mix, facts.classes);
    audit = fmt::format("every sample as often as planned{} ({})",
                        verdict.complete ? "" : " from where the trainers began", fmt::join(lines, "; "));
  }
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

std::string EpochBook::line(const Key& key, const Reports& reports) const {
  std::vector<std::string> who;
  for (const auto& [rank, report] : reports)
    who.push_back(fmt::format("trainer {} {}", rank,
                              report.abandoned ? fmt::format("left it at step {}", report.tally.low) : "finished it"));
  return fmt::format("{} epoch {}: unfinished ({})", blueprint_.streams[key.stream].name, key.epoch, some_of(who));
}

std::vector<std::string> EpochBook::unfinished() const {
  std::vector<Key> last;
  for (auto at = by_touch_.rbegin(); at != by_touch_.rend() && last.size() < limits_.lines; ++at)
    last.push_back(at->second);
  std::ranges::sort(last);
  std::vector<std::string> lines;
  for (const auto& key : last) lines.push_back(line(key, open_.at(key).reports));
  if (const auto more = open_.size() - last.size() + forgotten_; more > 0)
    lines.push_back(
        fmt::format("{} more epoch{} that trainers began and not all of them finished", more, more == 1 ? "" : "s"));
  return lines;
}

std::uint64_t EpochBook::epochs_audited() const {
  std::uint64_t epochs = 0;
  for (const auto& totals : totals_) epochs += totals.epochs;
  return epochs;
}

bool EpochBook::all_exactly_once() const {
  return std::ranges::all_of(totals_, [](const Totals& totals) { return totals.failed == 0; });
}

}  // namespace headrace::service::books
