#include "data/fields/warnings.hpp"

#include <fmt/format.h>

namespace headrace::data::fields {

namespace {

bool is_integer(DType type) {
  return type >= DType::int8 && type <= DType::uint64;
}

/// What 0 in place of an element that is not real is taken for; "" where it is nothing more than a number.
std::string taken_for(const config::FieldConfig& config, const ResolvedField& resolved) {
  if (config.encode == config::Encode::one_hot) return "rows of zeros, of no class";
  if (config.encode == config::Encode::index)
    return resolved.field.classes.empty() ? "0, the first class"
                                          : fmt::format("0, class '{}'", resolved.field.classes[0]);
  return is_integer(resolved.spec.dtype) ? "0, as a value may be" : "";
}

}  // namespace

std::vector<std::string> warnings_of(const config::FieldConfig& config, const ResolvedField& resolved) {
  const auto zeros = taken_for(config, resolved);
  if (config.fill || zeros.empty() || resolved.validity.from == ValiditySource::From::nowhere) return {};
  const bool natural = config.encode == config::Encode::none && resolved.spec.dtype >= DType::uint8;
  return {
      fmt::format("[field.{}] elements that are not real are delivered as {}; give them a value of their own, as in "
                  "fill = {}, or say fill = 0",
                  config.name, zeros, natural ? "255" : "-1")};
}

}  // namespace headrace::data::fields
