// The samples that a user's file lists: by number, or by the values of an id dataset. Any thread, once read.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "condition/condition.hpp"

namespace headrace::data::selection {

class IdList {
 public:
  /// Whole numbers, separated by spaces, commas or lines; or (texts) one value a line, in double quotes where blanks at
  /// its ends belong to it. Lines that begin with # do not count. Throws Error that names file and line: what is no
  /// number, or, unless repeats count, is listed twice. `file` is for messages.
  static IdList parse(const std::string& content, const std::string& file, bool texts, bool repeats = false);
  /// The same from a file; messages name the stream, too.
  static IdList read(const std::string& path, bool texts, const std::string& stream, bool repeats = false);

  std::size_t size() const { return count_; }  ///< values, each once
  /// How often the i-th value is listed.
  std::uint32_t times(std::size_t i) const { return times_.empty() ? 1 : times_[i]; }
  const std::vector<std::int64_t>& numbers() const { return numbers_; }  ///< ascending
  /// keep[i] &= whether values[i] is listed; marks in `found` (size() of them) the values that occur. times: of those
  /// that are kept, how often they are listed; or empty.
  void filter(const condition::ColumnValues& values, std::vector<std::uint8_t>& keep, std::vector<std::uint8_t>& found,
              std::span<std::uint32_t> times = {}) const;
  /// The i-th value, for messages.
  std::string value(std::size_t i) const;

 private:
  std::size_t count_ = 0;
  std::vector<std::int64_t> numbers_;
  std::vector<std::string> texts_;    // ascending
  std::vector<std::uint32_t> times_;  // empty: each is listed once
};

}  // namespace headrace::data::selection
