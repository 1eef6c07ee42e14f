// The classes of a label field.
#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "service/field_draft.hpp"

namespace headrace::service {

namespace {

using transform::LabelMap;

std::optional<std::int64_t> whole_number(const std::string& text) {
  std::int64_t number = 0;
  const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
  return number;
}

/// By number where all of them are, else by character.
std::vector<std::string> sorted(std::vector<std::string> values) {
  const bool numbers =
      std::all_of(values.begin(), values.end(), [](const auto& v) { return whole_number(v).has_value(); });
  std::sort(values.begin(), values.end(),
            [&](const auto& a, const auto& b) { return numbers ? *whole_number(a) < *whole_number(b) : a < b; });
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

std::vector<LabelMap::Class> classes_of(const ResolveInput& input, const ItemLayout& item) {
  const auto& type = *item.columns[0].type;
  std::vector<LabelMap::Class> classes;
  for (const auto& text : input.config.classes) classes.push_back(LabelMap::parse(text));
  if (!classes.empty()) return classes;
  const auto& names = item.dataset->classes;
  if (!item.dataset->labelled_otherwise.empty())
    throw UsageError("the attribute that names the classes of dataset '" + item.dataset->path +
                     "' says otherwise in '" + item.dataset->labelled_otherwise + "'; name the classes with classes");
  for (std::size_t i = 0; i < names.size(); ++i)
    classes.push_back({names[i], {type.kind == h5::Kind::string ? names[i] : std::to_string(i)}});
  if (!classes.empty()) return classes;
  for (const auto& label : type.labels) classes.push_back({label.name, {std::to_string(label.value)}});
  if (!classes.empty() || !input.label_values) return classes;
  for (const auto& value : sorted(*input.label_values)) classes.push_back({value, {value}});
  if (classes.empty()) throw UsageError("encode finds no labels (no sample has one); name them with classes");
  return classes;
}

}  // namespace

std::shared_ptr<const LabelMap> label_map(const ResolveInput& input, const ItemLayout& item) {
  if (item.columns.size() != 1)
    throw UsageError("encode takes one column, and the source has " + std::to_string(item.columns.size()) +
                     "; name one, as in path.column");
  const auto& type = *item.columns[0].type;
  if (type.kind == h5::Kind::floating)
    throw UsageError("encode takes labels that are whole numbers, enumerations or texts, and the source is " +
                     h5::text_of(type) + "; name such a column");
  auto classes = classes_of(input, item);
  return classes.empty() ? nullptr : std::make_shared<const LabelMap>(std::move(classes));
}

}  // namespace headrace::service
