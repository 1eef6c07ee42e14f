#include "service/ledger.hpp"

#include <nlohmann/json.hpp>

#include "base/contract.hpp"
#include "base/error.hpp"

namespace headrace::service {

Ledger::Ledger(std::uint64_t steps, std::uint64_t epochs, Step start) : steps_(steps), epochs_(epochs), cursor_(start) {
  EXPECTS(steps > 0 && start.step < steps);
  open_[start.epoch] = Tally{start.epoch, start.step, start.step};
}

bool Ledger::is_released(Step step) const {
  const auto tally = open_.find(step.epoch);
  if (tally == open_.end()) return step.epoch < open_.begin()->first;
  return step.step < tally->second.low || tally->second.above.contains(step.step);
}

std::optional<Step> Ledger::next_unreleased() const {
  for (Step step = cursor_; epochs_ == 0 || step.epoch < epochs_;) {
    if (!is_released(step)) return step;
    step = step.step + 1 < steps_ ? Step{step.epoch, step.step + 1} : Step{step.epoch + 1, 0};
  }
  return std::nullopt;
}

bool Ledger::at_end() const {
  return !next_unreleased();
}

std::optional<Step> Ledger::next() {
  const auto step = next_unreleased();
  if (step) cursor_ = step->step + 1 < steps_ ? Step{step->epoch, step->step + 1} : Step{step->epoch + 1, 0};
  return step;
}

std::optional<Tally> Ledger::released(Step step, std::uint64_t rows, std::uint64_t hash, std::uint64_t wrong) {
  if (is_released(step)) return std::nullopt;
  auto& tally = open_.try_emplace(step.epoch, Tally{step.epoch}).first->second;
  tally.rows += rows;
  tally.hash += hash;
  tally.wrong += wrong;
  tally.above.insert(step.step);
  while (!tally.above.empty() && *tally.above.begin() == tally.low) {
    tally.above.erase(tally.above.begin());
    ++tally.low;
  }
  if (tally.low < steps_) return std::nullopt;
  auto complete = tally;
  // A complete epoch behind one that is still open stays, so that its steps are known to be released.
  while (open_.begin()->second.low == steps_) {
    const auto next_epoch = open_.begin()->first + 1;
    open_.erase(open_.begin());
    open_.try_emplace(next_epoch, Tally{next_epoch});  // also where one behind it is begun, and this one all leased
  }
  return complete;
}

std::vector<Tally> Ledger::seek(Step to) {
  std::vector<Tally> unfinished;
  for (auto& [epoch, tally] : open_)
    if (tally.touched() && tally.low < steps_) unfinished.push_back(std::move(tally));
  open_.clear();
  open_[to.epoch] = Tally{to.epoch, to.step, to.step};
  cursor_ = to;
  return unfinished;
}

void Ledger::rewind() {
  cursor_ = position();
}

std::vector<Tally> Ledger::leave() {
  const auto last = open_.rbegin()->second;
  const Step next = last.touched() || last.first > 0 ? Step{last.epoch + 1, 0} : Step{last.epoch, 0};
  return seek(next);
}

Step Ledger::position() const {
  return {open_.begin()->first, open_.begin()->second.low};
}

namespace {

/// [[first, behind the last], ...]: a batch that is held for long leaves one run above it, however long.
nlohmann::json runs_of(const std::set<std::uint64_t>& steps) {
  auto runs = nlohmann::json::array();
  std::uint64_t behind = 0;
  for (const auto step : steps) {
    if (runs.empty() || step != behind) runs.push_back({step, step});
    runs.back()[1] = behind = step + 1;
  }
  return runs;
}

std::set<std::uint64_t> steps_of(const nlohmann::json& runs) {
  std::set<std::uint64_t> steps;
  for (const auto& run : runs)
    for (std::uint64_t step = run.at(0); step < run.at(1); ++step) steps.insert(steps.end(), step);
  return steps;
}

}  // namespace

nlohmann::json Ledger::to_json() const {
  auto open = nlohmann::json::array();
  for (const auto& [epoch, tally] : open_)
    open.push_back({epoch, tally.first, tally.low, runs_of(tally.above), tally.rows, tally.hash, tally.wrong});
  return {{"steps", steps_}, {"epochs", epochs_}, {"open", std::move(open)}};
}

Ledger Ledger::from_json(const nlohmann::json& json) {
  Ledger ledger(json.at("steps"), json.at("epochs"));
  ledger.open_.clear();
  for (const auto& entry : json.at("open"))
    ledger.open_[entry.at(0)] =
        Tally{entry.at(0), entry.at(1), entry.at(2), steps_of(entry.at(3)), entry.at(4), entry.at(5), entry.at(6)};
  require(!ledger.open_.empty(), "a ledger without an open epoch");
  ledger.rewind();
  return ledger;
}

}  // namespace headrace::service
