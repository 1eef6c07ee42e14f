#include "commands/commands.hpp"
#include "service/serve.hpp"

namespace headrace::commands {

config::Command serve_command() {
  return {.name = "serve",
          .usage = "[FILE...]",
          .summary = "Serves the samples of HDF5 files to trainers.",
          .details =
              "Under mpirun or srun each rank is a stager: it reads a share of the samples and serves the "
              "trainers of its node.",
          .configured = true,
          .run = [](const config::Arguments& arguments, config::Mistakes& mistakes) {
            return service::serve(configuration_with_files(arguments, mistakes, "serve"));
          }};
}

}  // namespace headrace::commands
