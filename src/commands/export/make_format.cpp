#include "commands/export/make_format.hpp"

#include "commands/export/arrays.hpp"
#include "commands/export/tfrecords.hpp"

namespace headrace::commands::exporting {

std::unique_ptr<Format> make_format(const config::OutputConfig& config, const Schema& schema, const std::string& folder,
                                    std::uint64_t samples) {
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
