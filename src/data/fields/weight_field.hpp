// Fields of the source @weight: what [resample] has samples weigh, with as = "weights". No dataset holds them. Pure.
#pragma once

#include "config/config.hpp"
#include "data/fields/resolved_field.hpp"

namespace headrace::data::fields {

bool is_weight_field(const config::FieldConfig& field);

/// For samples of weight 1. Throws UsageError.
ResolvedField resolve_weight_field(const config::FieldConfig& field, const config::ResampleConfig& resample);
transform::FieldSpec of_weight(const transform::FieldSpec& spec, double weight);

}  // namespace headrace::data::fields
