#include "commands/commands.hpp"

#include "base/error.hpp"
#include "config/load.hpp"
#include "data/fields/report.hpp"
#include "mpi/launcher.hpp"

namespace headrace::commands {

config::Config configuration(const config::Arguments& arguments, config::Mistakes& mistakes) {
  auto config = config::read_config(arguments, config::environment(), mistakes);
  if (!mistakes.empty() && mpi::is_first()) data::fields::check_against_files(config, mistakes);
  mistakes.throw_if_any();
  return config;
}

config::Config configuration_with_files(const config::Arguments& arguments, config::Mistakes& mistakes,
                                        const std::string& verb) {
  auto config = configuration(arguments, mistakes);
  if (!config.has_samples())
    throw UsageError("no files to " + verb + "; name them as arguments or as files = [...] in the configuration");
  return config;
}

}  // namespace headrace::commands
