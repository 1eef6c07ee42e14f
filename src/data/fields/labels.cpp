// The classes of a label field.
#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "data/fields/draft.hpp"

namespace headrace::data::fields {

namespace {

using transform::LabelMap;

/// "-5", as integers of files are told. Texts count as numbers only where they fit int64: their order never changes.
std::optional<Whole> plain_number(const std::string& text, bool is_text) {
  if (text.find_first_not_of("0123456789", text.starts_with('-') ? 1 : 0) != text.npos) return std::nullopt;
  const auto number = transform::whole_number(text);
  return is_text && number && number->beyond_int64() ? std::nullopt : number;
}

/// By number where all of them are, else by character.
std::vector<std::string> sorted(std::vector<std::string> values, bool texts) {
  const auto number = [&](const std::string& value) { return plain_number(value, texts); };
  const bool numbers = std::all_of(values.begin(), values.end(), [&](const auto& v) { return number(v).has_value(); });
  std::sort(values.begin(), values.end(),
            [&](const auto& a, const auto& b) { return numbers ? *number(a) < *number(b) : a < b; });
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

bool same_word(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

/// A value of a class as the file holds it: bools and enumerations may be called by their names.
std::string as_stored(const std::string& value, const h5::TypeInfo& type) {
  for (const auto& label : type.labels)
    if (label.name == value || (type.kind == h5::Kind::enum_bool && same_word(label.name, value)))
      return std::to_string(label.value);
  return value;
}

/// The names of an enumeration, by value; of files that have different ones, of all.
std::vector<h5::Label> labels_over_files(const columns::ItemColumn& column) {
  std::map<std::int64_t, std::string> names;
  const auto add = [&](const h5::TypeInfo& type) {
    for (const auto& label : type.labels) names.emplace(label.value, label.name);
  };
  add(*column.type);
  for (const auto& here : column.in_file)
    if (here.type) add(*here.type);
  std::vector<h5::Label> labels;
  for (const auto& [value, name] : names) labels.push_back({name, value});
  return labels;
}

/// As trainers get it: the text itself, unless messages and C could not hold it.
std::string class_name(const std::string& text) {
  return is_text(text) ? text : printable(text);
}

std::vector<LabelMap::Class> classes_of(const ResolveInput& input, const columns::ItemLayout& item) {
  const auto& type = *item.columns[0].type;
  std::vector<LabelMap::Class> classes;
  for (const auto& text : input.config.classes) {
    auto& one = classes.emplace_back(LabelMap::parse(text));
    for (auto& value : one.values) value = as_stored(value, type);
  }
  if (!classes.empty()) return classes;
  const auto& names = item.dataset->classes;
  if (!item.dataset->labelled_otherwise.empty())
    throw UsageError("the attribute that names the classes of dataset '" + item.dataset->path +
                     "' says otherwise in '" + item.dataset->labelled_otherwise + "'; name the classes with classes");
  for (std::size_t i = 0; i < names.size(); ++i)
    classes.push_back({class_name(names[i]), {type.kind == h5::Kind::string ? names[i] : std::to_string(i)}});
  if (!classes.empty()) return classes;
  for (const auto& label : labels_over_files(item.columns[0]))
    classes.push_back({label.name, {std::to_string(label.value)}});
  if (!classes.empty() || !input.label_values) return classes;
  for (const auto& value : sorted(*input.label_values, type.kind == h5::Kind::string))
    classes.push_back({class_name(value), {value}});
  if (classes.empty()) throw UsageError("encode finds no labels (no sample has one); name them with classes");
  return classes;
}

}  // namespace

std::shared_ptr<const LabelMap> label_map(const ResolveInput& input, const columns::ItemLayout& item) {
  if (item.columns.size() != 1)
    throw UsageError("encode takes one column, and the source has " + std::to_string(item.columns.size()) +
                     "; name one, as in path.column");
  auto classes = classes_of(input, item);
  return classes.empty() ? nullptr : std::make_shared<const LabelMap>(std::move(classes));
}

}  // namespace headrace::data::fields
