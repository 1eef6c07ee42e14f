// The samples that a user's file lists: by number, or by the values of an id dataset. Any thread, once read.
#pragma once

#include <cstdint>
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
  /// number, or is listed twice (each sample is delivered once). `file` is for messages.
  static IdList parse(const std::string& content, const std::string& file, bool texts);
  /// The same from a file; messages name the stream, too.
  static IdList read(const std::string& path, bool texts, const std::string& stream);

  std::size_t size() const { return count_; }
  const std::vector<std::int64_t>& numbers() const { return numbers_; }  ///< ascending
  /// keep[i] &= whether values[i] is listed; marks in `found` (size() of them) the values that occur.
  void filter(const condition::ColumnValues& values, std::vector<std::uint8_t>& keep,
              std::vector<std::uint8_t>& found) const;
  /// The i-th value, for messages.
  std::string value(std::size_t i) const;

 private:
  std::size_t count_ = 0;
  std::vector<std::int64_t> numbers_;
  std::vector<std::string> texts_;  // ascending
};

}  // namespace headrace::data::selection
