#include "service/books/arrival_book.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace headrace::service::books {

ArrivalBook::ArrivalBook(std::uint64_t windows, std::uint32_t stagers, Send send)
    : send_(std::move(send)), stagers_(stagers), has_(windows, std::vector<bool>(stagers)), open_(windows) {}

void ArrivalBook::begin() {
  send_({ArrivalOrder::What::read, first_});
}

std::uint64_t ArrivalBook::current() const {
  for (std::uint64_t i = 0; i < windows(); ++i)
    if (const auto window = (first_ + i) % windows(); !open_[window]) return window;
  return first_;
}

/// Who has waited longest has his turn.
void ArrivalBook::serve_first() {
  if (wanted_.empty()) return;
  const auto window = wanted_.front().window;
  const bool turns = window != current();
  first_ = window;
  if (turns) send_({ArrivalOrder::What::read, window});
}

void ArrivalBook::want(std::uint32_t stream, std::uint32_t rank, std::uint64_t window) {
  require(window < windows(), "a window is wanted that there is not");
  std::erase_if(wanted_, [&](const Want& one) { return one.stream == stream && one.rank == rank; });
  if (!open_[window]) wanted_.push_back({stream, rank, window});
  serve_first();
}

void ArrivalBook::loaded(std::uint32_t stager, std::uint64_t window) {
  require(stager < stagers_ && window < windows(), "a stager or a window that there is not is in memory");
  has_[window][stager] = true;
  if (open_[window] || !std::ranges::all_of(has_[window], [](bool one) { return one; })) return;
  open_[window] = true;
  ++opened_;
  send_({ArrivalOrder::What::open, window});
  std::erase_if(wanted_, [&](const Want& one) { return one.window == window; });
  serve_first();
}

}  // namespace headrace::service::books
