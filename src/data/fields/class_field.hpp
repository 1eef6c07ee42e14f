// Fields of the source @class: the number of a sample's class, or a one for it among zeros. No dataset holds them; which
// samples are of which class is known before anything is loaded. Pure.
#pragma once

#include "config/config.hpp"
#include "data/fields/resolved_field.hpp"

namespace headrace::data::fields {

bool is_class_field(const config::FieldConfig& field);

/// For samples of the class of that number; 0 stands for the field as such. Throws UsageError.
ResolvedField resolve_class_field(const config::FieldConfig& field, const std::vector<config::ClassConfig>& classes);
transform::FieldSpec of_class(const transform::FieldSpec& spec, std::size_t number);

}  // namespace headrace::data::fields
