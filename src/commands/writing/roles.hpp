// What fields are to jets and tracks, as far as shapes, names and the configuration tell. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/schema.hpp"
#include "config/outputs.hpp"

namespace headrace::commands::writing {

struct Role {
  enum class Is {
    inputs,       ///< variables of a jet: one axis, and no label
    one_hot,      ///< its label
    index,        ///< the same as a number
    weight,       ///< what it weighs: a field of the source @weight, or called `weight`
    scalar,       ///< what else a jet has
    tracks,       ///< variables of its tracks: two axes
    valid,        ///< which of them are real
    track_label,  ///< one value per track
    provenance,   ///< file and row
  } is = Is::scalar;
  std::string group;  ///< of tracks, validity and labels: the name of the tracks' field
  std::string name;   ///< of a track label: without the group's name
};

/// Of each array of the schema.
std::vector<Role> roles_of(const config::Config& config, const Schema& schema);

/// The key of the configuration that the array belongs to; nullptr for masks and provenance.
const config::FieldConfig* config_of(const config::Config& config, const std::string& field);

/// Where [premix.dataset] puts a field; empty where it does not say.
std::vector<std::string> chosen_paths(const config::PremixConfig& config, const std::string& field);

/// Names of the values along the last axis: the columns', or NAME_0, NAME_1, ...
std::vector<std::string> value_names(const Field& field);

}  // namespace headrace::commands::writing
