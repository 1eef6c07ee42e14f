#include "service/books/window_book.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"

namespace headrace::service::books {

void WindowBook::hold(std::vector<WindowHolder> holders, std::optional<plan::EpochWindow> otherwise) {
  holders_.clear();
  for (auto& holder : holders) holders_.emplace(holder.rank, std::move(holder));
  otherwise_ = otherwise;
  consider();
}

void WindowBook::moved(std::uint32_t rank, std::optional<plan::EpochWindow> at) {
  const auto found = holders_.find(rank);
  if (found == holders_.end()) return;
  found->second.at = at;
  consider();
}

void WindowBook::consider() {
  std::optional<plan::EpochWindow> lowest;
  bool any = false;
  for (const auto& [rank, holder] : holders_) {
    any = true;
    if (holder.at && (!lowest || *holder.at < *lowest)) lowest = holder.at;
  }
  if (!any) lowest = otherwise_;
  // Where nobody needs any, what is there may stay.
  if (!lowest || lowest == at_) return;
  // What of the two is wanted again stays where it is: the next one that is first now, or the first that is next.
  const auto after = next_(*lowest);
  if (at_ && (after_ == lowest || after == at_)) pane_ = 1 - pane_;
  at_ = lowest;
  after_ = after;
  ++turn_;
  left_.assign(left_.size(), false);
  std::ranges::fill(loaded_, 0);
  reading_ = false;
  opened_ = 0;
  send_(order(WindowOrder::What::leave));
}

void WindowBook::left(std::uint32_t stager, std::uint64_t turn) {
  require(stager < left_.size(), "a stager that there is not answers about windows");
  if (turn != turn_ || reading_) return;
  left_[stager] = true;
  if (!std::ranges::all_of(left_, [](bool one) { return one; })) return;
  reading_ = true;
  send_(order(WindowOrder::What::read));
}

void WindowBook::loaded(std::uint32_t stager, std::uint64_t turn, bool both) {
  require(stager < loaded_.size(), "a stager that there is not answers about windows");
  if (turn != turn_ || !reading_) return;
  loaded_[stager] = std::max<std::uint8_t>(loaded_[stager], both ? 2 : 1);
  const unsigned all = std::ranges::min(loaded_);
  if (all <= opened_) return;
  opened_ = all;
  auto open = order(WindowOrder::What::open);
  open.both = all == 2;
  send_(open);
}

std::vector<WindowHolder> WindowBook::holding(std::size_t most) const {
  std::vector<WindowHolder> found;
  for (const auto& [rank, holder] : holders_)
    if (found.size() < most && holder.at && holder.at == at_) found.push_back(holder);
  return found;
}

}  // namespace headrace::service::books
