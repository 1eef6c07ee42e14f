#include "commands/pack/command.hpp"

#include "commands/commands.hpp"
#include "commands/pack/pack.hpp"

namespace headrace::commands::pack {

namespace {

const config::Flag output{"output", 'o', "FILE", "", "the file that is written"};

void require_inventory(const config::Config& config) {
  if (config.inventory.csv.empty())
    throw UsageError(
        "pack takes an inventory, and there is none; name the table of the samples: csv = \"inventory.csv\" in "
        "[inventory]");
  if (!config.where.empty())
    throw UsageError(
        "pack writes all samples of the table, and where chooses some of them; drop where, or write a stream with "
        "'headrace premix'");
}

int run(const config::Arguments& arguments, config::Mistakes& mistakes) {
  const auto orders =
      writing::orders_of(arguments, output, "pack writes a file, and none is named; give -o FILE", mistakes);
  const auto config = configuration(arguments, mistakes);
  require_inventory(config);
  return pack(config, orders);
}

}  // namespace

config::Command pack_command() {
  return {.name = "pack",
          .usage = "-c CONFIG -o FILE",
          .summary = "Writes the samples of an inventory into an HDF5 file, in the order of its table.",
          .details =
              "Each field is a dataset, and the samples' ids are one more. Under mpirun or srun all ranks read and "
              "write.\nInterrupted, it goes on with --resume.\nSamples that are left out (missing = \"skip\") are "
              "listed in FILE.failed.csv, which may be the next inventory.",
          .configured = true,
          .flags = {output, writing::force, writing::resume, writing::read_again},
          .run = run};
}

}  // namespace headrace::commands::pack
