#include "data/fields/weight_field.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "transform/numbers/cast.hpp"

namespace headrace::data::fields {

bool is_weight_field(const config::FieldConfig& field) {
  return field.source == std::vector<std::string>{"@weight"};
}

ResolvedField resolve_weight_field(const config::FieldConfig& field, const config::ResampleConfig& resample) {
  if (resample.bins.empty() || resample.as != config::ResampleAs::weights)
    throw UsageError("source = '@weight', but no weights are made; write a section [resample] with as = \"weights\"");
  if (field != config::FieldConfig{.name = field.name, .source = field.source, .dtype = field.dtype})
    throw UsageError("source = '@weight' is the weight of a sample, and goes with dtype alone; drop the other keys");
  ResolvedField resolved;
  auto& spec = resolved.spec;
  spec.name = field.name;
  spec.columns = 1;
  spec.dtype = field.dtype.value_or(DType::float32);
  if (spec.dtype != DType::float16 && spec.dtype != DType::float32 && spec.dtype != DType::float64)
    throw UsageError("source = '@weight' is a fraction; give it a dtype of floats, or none");
  transform::ItemSpec item;
  item.columns.emplace_back();
  item.constant = 1;
  spec.items.push_back(std::move(item));
  resolved.of_weight = true;
  resolved.over_files.resize(1);
  resolved.packings.resize(1);
  resolved.field.name = field.name;
  resolved.field.dtype = spec.dtype;
  return resolved;
}

transform::FieldSpec of_weight(const transform::FieldSpec& spec, double weight) {
  auto result = spec;
  result.items[0].constant = weight;
  return result;
}

void require_weights_fit(const transform::FieldSpec& spec, std::span<const double> weights) {
  for (auto weight : weights) {
    const auto given = weight;
    std::byte unused[sizeof weight];
    if (transform::numbers::cast(&weight, 1, spec.dtype, spec.overflow, unused) != 1)
      throw UsageError(
          fmt::format("field '{}': a sample weighs {}, which does not fit {}; give the field a wider dtype "
                      "(float32, float64), or take coarser bins",
                      spec.name, given, name_of(spec.dtype)));
  }
}

}  // namespace headrace::data::fields
