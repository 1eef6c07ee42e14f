#include "commands/stats/merge.hpp"

#include <cstring>
#include <utility>

#include "base/contract.hpp"

namespace headrace::commands::stats {

namespace {

template <class T>
void append(std::string& text, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  text.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
T next(const std::string& text, std::size_t& at) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, text.data() + at, sizeof value);
  at += sizeof value;
  return value;
}

}  // namespace

InOrder::InOrder(std::span<const reader::Interval> intervals, std::size_t items)
    : intervals_(intervals.begin(), intervals.end()),
      next_(intervals.empty() ? 0 : intervals.front().first),
      sum_(items) {}

void InOrder::merge(const Part& part) {
  for (std::size_t i = 0; i < sum_.size(); ++i) sum_[i].merge(part[i]);
}

void InOrder::add(std::uint64_t first, std::uint64_t last, Part part) {
  const Lock lock(mutex_);
  waiting_.emplace(first, Waiting{last, std::move(part)});
  go_on();
}

void InOrder::go_on() {
  while (!waiting_.empty() && waiting_.begin()->first == next_) {
    const auto turn = waiting_.extract(waiting_.begin());
    merge(turn.mapped().part);
    next_ = turn.mapped().last;
    if (next_ == intervals_[interval_].last && interval_ + 1 < intervals_.size()) next_ = intervals_[++interval_].first;
  }
}

InOrder::Part InOrder::take() {
  const Lock lock(mutex_);
  EXPECTS(waiting_.empty());
  return std::move(sum_);
}

std::string packed(const std::vector<std::vector<transform::ItemStatistics>>& tallies) {
  std::string text;
  for (const auto& field : tallies)
    for (const auto& item : field) {
      append(text, item.columns.size());
      for (const auto& column : item.columns) append(text, column);
      append(text, item.labels.size());
      for (const auto& [label, count] : item.labels) {
        append(text, label.size());
        text += label;
        append(text, count);
      }
    }
  return text;
}

void merge_packed(const std::string& text, std::vector<std::vector<transform::ItemStatistics>>& sums) {
  std::size_t at = 0;
  for (auto& field : sums)
    for (auto& item : field) {
      transform::ItemStatistics theirs;
      theirs.columns.resize(next<std::size_t>(text, at));
      for (auto& column : theirs.columns) column = next<transform::Moments>(text, at);
      for (auto labels = next<std::size_t>(text, at); labels > 0; --labels) {
        const auto length = next<std::size_t>(text, at);
        auto label = text.substr(at, length);
        at += length;
        theirs.labels[std::move(label)] = next<std::uint64_t>(text, at);
      }
      item.merge(theirs);
    }
}

}  // namespace headrace::commands::stats
