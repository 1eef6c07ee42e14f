#include "data/selection/inventory_settings.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace headrace::data::selection {

inventory::Settings inventory_settings(const config::Config& config) {
  const auto& from = config.inventory;
  inventory::Settings settings{.csv = from.csv,
                               .id = from.id,
                               .path = from.path,
                               .skip_missing = from.missing == config::MissingFiles::skip,
                               .readers = from.readers,
                               .workers = from.workers};
  settings.fetch.connections = config.fetch.connections;
  settings.fetch.retries = config.fetch.retries;
  settings.fetch.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(config.fetch.timeout * 1000));
  settings.fetch.headers = config.fetch.headers;
  settings.decoder_timeout = std::chrono::milliseconds(from.decoder_timeout);
  settings.checksum = config.fetch.checksum;
  if (!from.python.empty()) settings.python = from.python;
  for (const auto& field : config.fields)
    if (!field.decoder.empty() &&
        std::find(settings.decoders.begin(), settings.decoders.end(), field.decoder) == settings.decoders.end())
      settings.decoders.push_back(field.decoder);
  return settings;
}

}  // namespace headrace::data::selection
