// Fields of the source @weight: what [resample] has samples weigh, with as = "weights". No dataset holds them. Pure.
#pragma once

#include <span>

#include "config/config.hpp"
#include "data/fields/resolved_field.hpp"

namespace headrace::data::fields {

bool is_weight_field(const config::FieldConfig& field);

/// For samples of weight 1. Throws UsageError.
ResolvedField resolve_weight_field(const config::FieldConfig& field, const config::ResampleConfig& resample);
transform::FieldSpec of_weight(const transform::FieldSpec& spec, double weight);
/// Throws UsageError that names the field if its dtype cannot hold one of them.
void require_weights_fit(const transform::FieldSpec& spec, std::span<const double> weights);

}  // namespace headrace::data::fields
