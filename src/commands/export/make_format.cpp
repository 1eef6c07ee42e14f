#include "commands/export/make_format.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "commands/export/arrays.hpp"
#include "commands/export/tfrecords.hpp"

namespace headrace::commands::exporting {

std::unique_ptr<Format> make_format(const config::OutputConfig& config, const Schema& schema, const std::string& folder,
                                    std::uint64_t samples) {
  const auto& exported = config.exported;
  if (exported.compression.how != config::Compression::How::none && exported.format != config::ExportFormat::zarr)
    throw UsageError(
        fmt::format("export.compression = '{}' is for Zarr, and format is '{}' (whose readers take files as "
                    "they are); leave it out, or set format = \"zarr\"",
                    config::text_of(exported.compression), config::word(exported.format)));
  switch (config.exported.format) {
    case config::ExportFormat::npy:
      return make_npy(config, schema, folder, samples);
    case config::ExportFormat::zarr:
      return make_zarr(config, schema, folder, samples);
    case config::ExportFormat::tfrecord:
      break;
  }
  return make_tfrecords(config, schema, folder, samples);
}

}  // namespace headrace::commands::exporting
