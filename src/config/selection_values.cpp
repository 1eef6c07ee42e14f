#include "config/selection_values.hpp"

#include <algorithm>

#include "condition/condition.hpp"

namespace headrace::config {

namespace {

/// A letter first, so that no part looks like a slice.
bool is_part_name(const std::string& name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto fits = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
  return !name.empty() && name.size() <= 64 && letter(name[0]) && std::all_of(name.begin(), name.end(), fits);
}

}  // namespace

std::vector<SplitPart> split_parts(const Value& value) {
  std::vector<SplitPart> parts;
  double sum = 0;
  for (const auto& item : split_items(value.text())) {
    const auto colon = item.rfind(':');
    const auto name = trimmed(item.substr(0, colon));
    const auto fraction = colon == std::string::npos ? 0 : number_in(trimmed(item.substr(colon + 1))).value_or(0);
    if (!(fraction > 0 && fraction <= 1) || !is_part_name(name))
      reject(value,
             "a split: names that begin with a letter, each with a fraction of the samples, more than 0 and at most "
             "1, as in train:0.8, val:0.2");
    for (const auto& part : parts)
      if (part.name == name) throw UsageError(value.shown + " names '" + name + "' twice; name each part once");
    parts.push_back({name, fraction});
    sum += fraction;
  }
  if (sum > 1 + 1e-9)
    throw UsageError(value.shown + " adds up to more than 1 (parts do not overlap); make the fractions smaller");
  return parts;
}

std::string condition(const Value& value) {
  if (value.text().find_first_not_of(" \t\n") == std::string::npos)
    reject(value, "a condition; leave it out for all samples");
  try {
    condition::Condition::parse(value.text());
  } catch (const UsageError& mistake) {
    throw UsageError(value.shown + ": " + mistake.what());
  }
  return value.text();
}

}  // namespace headrace::config
