#include "commands/export/command.hpp"

#include "commands/commands.hpp"
#include "commands/export/export.hpp"
#include "config/keys.hpp"
#include "config/load.hpp"

namespace headrace::commands::exporting {

namespace {

const config::Flag output{"output", 'o', "FOLDER", "", "the folder that is written; made, or empty"};
const config::Flag format{"format", 0, "HOW", "export.format", "tfrecord, npy or zarr"};
const config::Flag chunk_size{"chunk-size", 0, "N", "export.chunk-size", "samples of a file"};
const config::Flag compression{"compression", 0, "HOW", "export.compression", "of Zarr: none, gzip:N, lz4 or zstd:N"};
const config::Flag add_vars{"add-vars", 0, "N", "export.add-vars", "columns that Umami's names write again"};
const config::Flag names{"names", 0, "HOW", "export.names", "features named as the fields, or umami"};
const config::Flag force{"force", 0, "", "", "replace what an earlier export wrote there"};

void set(const config::Arguments& arguments, const config::Flag& flag, config::Outputs& outputs,
         config::Mistakes& mistakes) {
  if (!arguments.has(flag.name)) return;
  const auto* key = config::find_key("", "export." + flag.name);
  mistakes.attempt([&] {
    std::get<void (*)(config::Outputs&, const config::Value&)>(key->set)(outputs, arguments.value(flag.name, ""));
  });
}

int run(const config::Arguments& arguments, config::Mistakes& mistakes) {
  const auto orders =
      writing::orders_of(arguments, output, "export writes a folder, and none is named; give -o FOLDER", mistakes);
  auto outputs = config::read_outputs(arguments, config::environment(), mistakes);
  for (const auto& flag : {format, chunk_size, compression, add_vars, names}) set(arguments, flag, outputs, mistakes);
  return export_stream({configuration_with_files(arguments, mistakes, "export"), outputs}, orders);
}

}  // namespace

config::Command export_command() {
  return {
      .name = "export",
      .usage = "[FILE...] -o FOLDER",
      .summary = "Writes a stream as TFRecords, .npy or Zarr arrays, in the order of its first epoch.",
      .details =
          "Record p is position p of epoch 0, whatever the number of stagers. Under mpirun or srun each rank writes "
          "whole files;\ninterrupted, it goes on with --resume.",
      .configured = true,
      .flags = {output, format, chunk_size, compression, add_vars, names, writing::of_stream, force, writing::resume},
      .run = run};
}

}  // namespace headrace::commands::exporting
