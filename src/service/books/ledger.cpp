#include "service/books/ledger.hpp"

#include <nlohmann/json.hpp>

#include "base/contract.hpp"
#include "base/error.hpp"

namespace headrace::service::books {

Ledger::Ledger(std::uint64_t steps, std::uint64_t epochs, Step start) : steps_(steps), epochs_(epochs), cursor_(start) {
  EXPECTS(steps > 0 && start.step < steps);
  open_[start.epoch] = Tally{start.epoch, start.step, start.step};
}

std::optional<Step> Ledger::behind_released(Step step) const {
  if (step.epoch < open_.begin()->first) return position();
  if (const auto epoch = complete_.behind(step.epoch)) return Step{*epoch, 0};
  const auto tally = open_.find(step.epoch);
  if (tally == open_.end()) return std::nullopt;
  if (step.step < tally->second.low) return Step{step.epoch, tally->second.low};
  if (const auto behind = tally->second.above.behind(step.step))
    return *behind < steps_ ? Step{step.epoch, *behind} : Step{step.epoch + 1, 0};
  return std::nullopt;
}

std::optional<Step> Ledger::next_unreleased() const {
  auto step = cursor_;
  while (epochs_ == 0 || step.epoch < epochs_) {
    const auto behind = behind_released(step);
    if (!behind) return step;
    step = *behind;
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
  if (behind_released(step)) return std::nullopt;
  auto& tally = open_.try_emplace(step.epoch, Tally{step.epoch}).first->second;
  tally.rows += rows;
  tally.hash += hash;
  tally.wrong += wrong;
  tally.above.insert(step.step);
  tally.low = tally.above.take_from(tally.low);
  if (tally.low < steps_) return std::nullopt;
  auto complete = std::move(tally);
  const bool first = open_.begin()->first == step.epoch;
  open_.erase(step.epoch);
  // Behind one that is still open it is remembered, so that its steps are known to be released.
  if (!first) {
    complete_.insert(step.epoch);
  } else {
    const auto next_epoch = complete_.take_from(step.epoch + 1);
    open_.try_emplace(next_epoch, Tally{next_epoch});  // also where one behind it is begun, and this one all leased
  }
  return complete;
}

std::vector<Tally> Ledger::seek(Step to) {
  std::vector<Tally> unfinished;
  for (auto& [epoch, tally] : open_)
    if (tally.touched() && tally.low < steps_) unfinished.push_back(std::move(tally));
  open_.clear();
  complete_ = {};
  open_[to.epoch] = Tally{to.epoch, to.step, to.step};
  cursor_ = to;
  return unfinished;
}

void Ledger::rewind() {
  cursor_ = position();
}

std::vector<Tally> Ledger::leave() {
  const auto& last = open_.rbegin()->second;
  if (complete_.last() > last.epoch) return seek({*complete_.last() + 1, 0});
  const Step next = last.touched() || last.first > 0 ? Step{last.epoch + 1, 0} : Step{last.epoch, 0};
  return seek(next);
}

Step Ledger::position() const {
  return {open_.begin()->first, open_.begin()->second.low};
}

namespace {

nlohmann::json to_json_runs(const Runs& numbers) {
  auto runs = nlohmann::json::array();
  for (const auto& [first, behind] : numbers.all()) runs.push_back({first, behind});
  return runs;
}

Runs runs_from(const nlohmann::json& json) {
  Runs runs;
  for (const auto& run : json) runs.insert(run.at(0), run.at(1));
  return runs;
}

}  // namespace

nlohmann::json Ledger::to_json() const {
  auto open = nlohmann::json::array();
  for (const auto& [epoch, tally] : open_)
    open.push_back({epoch, tally.first, tally.low, to_json_runs(tally.above), tally.rows, tally.hash, tally.wrong});
  return {{"steps", steps_}, {"epochs", epochs_}, {"open", std::move(open)}, {"complete", to_json_runs(complete_)}};
}

Ledger Ledger::from_json(const nlohmann::json& json) {
  Ledger ledger(json.at("steps"), json.at("epochs"));
  ledger.open_.clear();
  for (const auto& entry : json.at("open"))
    ledger.open_[entry.at(0)] =
        Tally{entry.at(0), entry.at(1), entry.at(2), runs_from(entry.at(3)), entry.at(4), entry.at(5), entry.at(6)};
  ledger.complete_ = runs_from(json.at("complete"));
  require(!ledger.open_.empty(), "a ledger without an open epoch");
  ledger.rewind();
  return ledger;
}

}  // namespace headrace::service::books
