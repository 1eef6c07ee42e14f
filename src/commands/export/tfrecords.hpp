// TFRecords: features under the names of fields, or as Umami's converter writes them.
#pragma once

#include "commands/export/format.hpp"

namespace headrace::commands::exporting {

std::unique_ptr<Format> make_tfrecords(const config::OutputConfig& config, const Schema& schema, const std::string& folder,
                                       std::uint64_t samples);

}  // namespace headrace::commands::exporting
