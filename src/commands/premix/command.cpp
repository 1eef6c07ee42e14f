#include "commands/premix/command.hpp"

#include "commands/commands.hpp"
#include "commands/premix/premix.hpp"
#include "config/load.hpp"

namespace headrace::commands::premix {

namespace {

const config::Flag output{"output", 'o', "FILE", "premix.file", "the file that is written"};
const config::Flag of_stream{"stream", 0, "NAME", "train, or the only one", "which stream is written"};
const config::Flag force{"force", 0, "", "", "replace the file, and what is left of an earlier run"};
const config::Flag resume{"resume", 0, "", "", "go on where an earlier run ended"};
const config::Flag read_again{"verify", 0, "", "",
                          "read the file again and compare its checksums; of one that is there, only that"};

int run(const config::Arguments& arguments, config::Mistakes& mistakes) {
  const Options options{arguments.value(output.name, "").text(), arguments.value(of_stream.name, "").text(),
                        arguments.has(force.name), arguments.has(resume.name), arguments.has(read_again.name)};
  if (options.force && options.resume) mistakes.add("--force contradicts --resume; give one of them");
  const auto outputs = config::read_outputs(arguments, config::environment(), mistakes);
  return premix({configuration_with_files(arguments, mistakes, "mix"), outputs}, options);
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
          .flags = {output, of_stream, force, resume, read_again},
          .run = run};
}

}  // namespace headrace::commands::premix
