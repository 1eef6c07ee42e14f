#include "commands/commands.hpp"

#include <cstdlib>

#include "base/error.hpp"
#include "config/load.hpp"
#include "data/fields/report.hpp"

namespace headrace::commands {

namespace {

/// Launched side by side, all ranks make the same mistake: only the first tells it.
bool speaks_for_all() {
  for (const auto* variable : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"})
    if (const char* rank = std::getenv(variable)) return std::string(rank) == "0";
  return true;
}

}  // namespace

config::Config configuration(const config::Arguments& arguments, config::Mistakes& mistakes) {
  auto config = config::read_config(arguments, config::environment(), mistakes);
  if (!mistakes.empty() && speaks_for_all()) data::fields::check_against_files(config, mistakes);
  mistakes.throw_if_any();
  return config;
}

config::Config configuration_with_files(const config::Arguments& arguments, config::Mistakes& mistakes,
                                        const std::string& verb) {
  auto config = configuration(arguments, mistakes);
  if (config.files.empty())
    throw UsageError("no files to " + verb + "; name them as arguments or as files = [...] in the configuration");
  return config;
}

}  // namespace headrace::commands
