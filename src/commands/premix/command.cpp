#include "commands/premix/command.hpp"

#include "commands/commands.hpp"
#include "commands/premix/premix.hpp"
#include "config/load.hpp"

namespace headrace::commands::premix {

namespace {

const config::Flag output{"output", 'o', "FILE", "premix.file", "the file that is written"};

int run(const config::Arguments& arguments, config::Mistakes& mistakes) {
  const auto orders = writing::orders_of(arguments, output, "", mistakes);
  const auto outputs = config::read_outputs(arguments, config::environment(), mistakes);
  return premix({configuration_with_files(arguments, mistakes, "mix"), outputs}, orders);
}

}  // namespace

config::Command premix_command() {
  return {.name = "premix",
          .usage = "[FILE...] -o FILE",
          .summary = "Writes a stream into an HDF5 file, in the order of its first epoch.",
          .details =
              "Row p of the file is position p of epoch 0, whatever the number of stagers: what serve would deliver "
              "with this seed.\nUnder mpirun or srun all ranks read and write; interrupted, it goes on with --resume.",
          .configured = true,
          .flags = {output, writing::of_stream, writing::force, writing::resume, writing::read_again},
          .run = run};
}

}  // namespace headrace::commands::premix
