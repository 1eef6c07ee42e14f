// Long lists told shortly: names that differ in their numbers only stand in one line. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::commands::inspect {

/// A run of items that are told in one line: the first stands for all.
struct Fold {
  std::size_t first = 0, last = 0, count = 1;  ///< places of items; the ones between are not all of this fold
};

/// Items whose names are the same but for their digits, and that say the same otherwise (`rest`, of the same length),
/// are one fold. In the order of the first of each. Few items (at most `few`) stay as they are.
std::vector<Fold> folds_of(const std::vector<std::string>& names, const std::vector<std::string>& rest,
                           std::size_t few);

/// "m000000/x", or "m000000/x ... m024999/x (25000)".
std::string name_of(const Fold& fold, const std::vector<std::string>& names);

/// Names in a list: folded, and of many folds the first ones, "and 12 more".
std::vector<std::string> folded_names(const std::vector<std::string>& names, bool all);

constexpr std::size_t few_lines = 50;  ///< of a table that are shown without folding
constexpr std::size_t few_names = 20;  ///< of a list

}  // namespace headrace::commands::inspect
