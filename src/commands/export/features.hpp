// Which features a record has, and of which field's values each is made. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/schema.hpp"
#include "config/outputs.hpp"
#include "formats/table.hpp"
#include "formats/tfrecord.hpp"

namespace headrace::commands::exporting {

struct Features {
  std::vector<formats::Feature> features;
  std::vector<formats::Table> tables;  ///< of each, which makes its float32 or int64 values
};

/// UsageError for what a record cannot hold, and for names = umami without what that needs, or with
/// what that has no place for.
Features features_of(const config::OutputConfig& config, const Schema& schema);

/// Umami's part of metadata.json.
void describe_umami(const config::OutputConfig& config, const Schema& schema, const Features& features,
                    nlohmann::ordered_json& metadata);

}  // namespace headrace::commands::exporting
