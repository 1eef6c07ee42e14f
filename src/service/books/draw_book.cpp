#include "service/books/draw_book.hpp"

#include <string>

#include "base/error.hpp"

namespace headrace::service::books {

DrawBook::Answer DrawBook::want(std::uint32_t stream, std::uint64_t epoch) {
  const Key key{stream, epoch};
  const auto found = epochs_.find(key);
  if (found == epochs_.end()) {
    epochs_[key] = {std::vector<std::optional<std::uint64_t>>(stagers_), stagers_, {}, ++touches_};
    forget();
    return Answer::ask;
  }
  found->second.touched = ++touches_;
  return found->second.missing > 0 ? Answer::wait : Answer::known;
}

/// The known one that was wanted longest ago.
void DrawBook::forget() {
  if (epochs_.size() <= most_known) return;
  auto oldest = epochs_.end();
  for (auto at = epochs_.begin(); at != epochs_.end(); ++at)
    if (at->second.missing == 0 && (oldest == epochs_.end() || at->second.touched < oldest->second.touched))
      oldest = at;
  if (oldest != epochs_.end()) epochs_.erase(oldest);
}

bool DrawBook::came(std::uint32_t stream, std::uint64_t epoch, std::uint32_t stager, std::uint64_t rows) {
  const auto found = epochs_.find({stream, epoch});
  require(
      found != epochs_.end() && stager < stagers_ && !found->second.answers[stager],
      "stager " + std::to_string(stager) + " has drawn epoch " + std::to_string(epoch) + ", which nobody asked it for");
  auto& known = found->second;
  known.answers[stager] = rows;
  if (--known.missing > 0) return false;
  for (const auto& answer : known.answers) known.rows.push_back(*answer);
  return true;
}

const std::vector<std::uint64_t>& DrawBook::rows(std::uint32_t stream, std::uint64_t epoch) const {
  return epochs_.at({stream, epoch}).rows;
}

}  // namespace headrace::service::books
