// A set of numbers that are mostly neighbours, kept as runs: as small as there are gaps in it. A plain value.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <optional>

namespace headrace::service::books {

class Runs {
 public:
  bool empty() const { return runs_.empty(); }
  std::size_t runs() const { return runs_.size(); }
  bool contains(std::uint64_t number) const { return behind(number).has_value(); }
  /// The first number behind the run that holds this one; nothing if none does.
  std::optional<std::uint64_t> behind(std::uint64_t number) const {
    const auto after = runs_.upper_bound(number);
    if (after == runs_.begin()) return std::nullopt;
    const auto run = std::prev(after);
    return number < run->second ? std::optional(run->second) : std::nullopt;
  }
  /// Its largest number.
  std::optional<std::uint64_t> last() const {
    return runs_.empty() ? std::nullopt : std::optional(runs_.rbegin()->second - 1);
  }
  void insert(std::uint64_t number) { insert(number, number + 1); }
  /// first .. behind - 1, none of which is there yet.
  void insert(std::uint64_t first, std::uint64_t behind) {
    const auto next = runs_.find(behind);
    if (next != runs_.end()) {
      behind = next->second;
      runs_.erase(next);
    }
    const auto after = runs_.upper_bound(first);
    if (after != runs_.begin() && std::prev(after)->second == first)
      std::prev(after)->second = behind;
    else
      runs_.emplace_hint(after, first, behind);
  }
  /// Takes away the run that begins with this number, and returns what follows it; the number itself if there is none.
  std::uint64_t take_from(std::uint64_t number) {
    const auto run = runs_.find(number);
    if (run == runs_.end()) return number;
    const auto behind = run->second;
    runs_.erase(run);
    return behind;
  }
  /// first -> behind the last, ascending, with gaps in between.
  const std::map<std::uint64_t, std::uint64_t>& all() const { return runs_; }
  bool operator==(const Runs&) const = default;

 private:
  std::map<std::uint64_t, std::uint64_t> runs_;
};

}  // namespace headrace::service::books
