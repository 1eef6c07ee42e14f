#include "service/books/following.hpp"

#include <algorithm>

namespace headrace::service::books {

namespace {

std::string place(Step step) {
  return "epoch " + std::to_string(step.epoch) + ", step " + std::to_string(step.step);
}

}  // namespace

void Following::resumed(const Resumed& other, Step position, std::uint64_t taken) {
  if (other.number < loads_) return;
  // What it holds may be consumed, and not released yet.
  const auto ahead = taken > 0 ? slots_ : 0;
  if (at(position) <= at(other.at) && at(other.at) <= at(position) + ahead) return;
  debts_.push_back({other, taken + ahead});
}

void Following::loaded(std::uint64_t number) {
  loads_ = std::max(loads_, number);
  while (!debts_.empty() && debts_.front().to.number < loads_) debts_.pop_front();
}

void Following::seeks(Step to) {
  std::erase_if(debts_, [&](const Debt& debt) { return debt.to.at == to; });
}

std::optional<std::string> Following::strays(const std::string& me, Step position, std::uint64_t taken) const {
  if (debts_.empty() || taken <= debts_.front().until) return std::nullopt;
  const auto& to = debts_.front().to;
  return me + " goes on at " + place(position) + " without a state, but " + to.who + " loaded one and goes on at " +
         place(to.at) + "; load the state of the same moment in every trainer (load_state_dict)";
}

}  // namespace headrace::service::books
