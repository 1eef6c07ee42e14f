#include "data/fields/class_field.hpp"

#include "base/error.hpp"
#include "base/narrow.hpp"
#include "transform/distinct_codes.hpp"

namespace headrace::data::fields {

bool is_class_field(const config::FieldConfig& field) {
  return field.source == std::vector<std::string>{"@class"};
}

ResolvedField resolve_class_field(const config::FieldConfig& field, const std::vector<config::ClassConfig>& classes) {
  if (classes.empty())
    throw UsageError(
        "source = '@class', but there are no classes; write [class.NAME] sections, or class-column and class-names");
  if (field !=
      config::FieldConfig{.name = field.name, .source = field.source, .dtype = field.dtype, .encode = field.encode})
    throw UsageError(
        "source = '@class' is the class of a sample, and goes with encode and dtype alone; drop the other keys");
  const bool one_hot = field.encode == config::Encode::one_hot;
  ResolvedField resolved;
  auto& spec = resolved.spec;
  spec.name = field.name;
  spec.columns = one_hot ? narrow<std::uint32_t>(classes.size()) : 1;
  spec.dtype = field.dtype.value_or(one_hot ? DType::float32 : DType::int64);
  if (!one_hot && classes.size() > transform::distinct_codes(spec.dtype))
    throw UsageError("dtype: " + std::string(name_of(spec.dtype)) + " does not tell " + std::to_string(classes.size()) +
                     " classes apart; leave dtype out, or give a larger one");
  for (std::uint32_t column = 0; column < spec.columns; ++column) {
    transform::ItemSpec item;
    item.columns.emplace_back();
    item.first_column = column;
    item.constant = 0;
    spec.items.push_back(std::move(item));
  }
  spec = of_class(spec, classes.size() - 1);  // the largest number: whether it fits the type shows now
  resolved.of_class = true;
  resolved.over_files.resize(spec.items.size());
  resolved.packings.resize(spec.columns);
  resolved.field.name = field.name;
  resolved.field.dtype = spec.dtype;
  if (one_hot) resolved.field.shape = {classes.size()};
  for (const auto& one : classes) resolved.field.classes.push_back(one.name);
  return resolved;
}

transform::FieldSpec of_class(const transform::FieldSpec& spec, std::size_t number) {
  auto result = spec;
  for (std::size_t i = 0; i < result.items.size(); ++i)
    result.items[i].constant = spec.columns == 1 ? static_cast<double>(number) : (i == number ? 1 : 0);
  return result;
}

}  // namespace headrace::data::fields
