#include "service/commands.hpp"

#include <cstdlib>

#include "base/error.hpp"
#include "service/inspect_config.hpp"
#include "service/options_load.hpp"

namespace headrace::service {

namespace {

/// Launched side by side, all ranks make the same mistake: only the first tells it.
bool speaks_for_all() {
  for (const auto* variable : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"})
    if (const char* rank = std::getenv(variable)) return std::string(rank) == "0";
  return true;
}

}  // namespace

Config configuration(const Arguments& arguments, Mistakes& mistakes) {
  auto config = read_config(arguments, environment(), mistakes);
  if (!mistakes.empty() && speaks_for_all()) check_against_files(config, mistakes);
  mistakes.throw_if_any();
  return config;
}

Config configuration_with_files(const Arguments& arguments, Mistakes& mistakes, const std::string& verb) {
  auto config = configuration(arguments, mistakes);
  if (config.files.empty())
    throw UsageError("no files to " + verb + "; name them as arguments or as files = [...] in the configuration");
  return config;
}

}  // namespace headrace::service
