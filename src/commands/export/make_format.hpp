// All formats, by their key.
#pragma once

#include "commands/export/format.hpp"

namespace headrace::commands::exporting {

/// UsageErrors name what the format cannot hold. Throughout, schema must outlive the format.
std::unique_ptr<Format> make_format(const config::OutputConfig& config, const Schema& schema, const std::string& folder,
                                    std::uint64_t samples);

}  // namespace headrace::commands::exporting
