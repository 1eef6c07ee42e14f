// Labels to codes: which class a value of the file is. Immutable; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/whole.hpp"

namespace headrace::transform {

class LabelMap {
 public:
  struct Class {
    std::string name;
    std::vector<std::string> values;  ///< as the file holds them: whole numbers in decimal, or texts
    bool operator==(const Class&) const = default;
  };

  /// "b:5", "other:0|4|15"; without a colon the name is the value. A value in double quotes keeps its blanks (and its
  /// bars). Throws UsageError that names the text.
  static Class parse(std::string_view text);

  /// Codes are the places in this list. Throws UsageError where a value belongs to two classes, a name comes twice, or
  /// the list is empty.
  explicit LabelMap(std::vector<Class> classes);

  std::size_t size() const { return classes_.size(); }
  const std::vector<Class>& classes() const { return classes_; }
  std::optional<std::uint32_t> code(Whole value) const;
  std::optional<std::uint32_t> code(std::int64_t value) const { return code(Whole(value)); }
  std::optional<std::uint32_t> code(std::string_view text) const;

 private:
  std::vector<Class> classes_;
  std::unordered_map<Whole, std::uint32_t> by_number_;
  std::map<std::string, std::uint32_t, std::less<>> by_text_;
};

/// The whole number that a value is, if it is one: "5", "+5", "05", "-5", and as floats are written, "5.0" or "1e3".
std::optional<Whole> whole_number(std::string_view text);

}  // namespace headrace::transform
