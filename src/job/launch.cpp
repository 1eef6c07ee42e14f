#include "job/launch.hpp"

#include <algorithm>
#include <exception>

#include "job/same_config.hpp"
#include "log/log.hpp"
#include "mpi/patience.hpp"

namespace headrace::job {

namespace {

/// How long it waits for the others is known before it waits for them in MPI_Init.
mpi::Session patient_session(const config::Config& config) {
  auto& patience = mpi::patience();
  patience.limit_s = config.start_timeout;
  if (config.start_timeout > 0) patience.tell_after_s = std::min(patience.tell_after_s, config.start_timeout / 2);
  return mpi::Session();
}

}  // namespace

Launch::Launch(const config::Config& config, const Part& part)
    : session_(patient_session(config)), party_(meet(part.role, config.name, config.address(), part.ranks)) {
  log::setup(part.title, part.quiet || !speaks(), part.verbose);
  mpi::patience().tell = [](const std::string& what) { log::warn("{}", what); };
}

Launch::Launch(Role role) : party_(meet(role, "", "")) {}

int Launch::run(const config::Config& config, const std::function<int()>& work,
                const std::function<void(const Error&)>& cleanup) const {
  try {
    require_same_config(mine(), config);
    return work();
  } catch (const Error& error) {
    cleanup(error);
    if (party_.shared) end_job(mine(), error.what(), dynamic_cast<const UsageError*>(&error) ? 2 : 1);
    if (speaks()) throw;
    return 0;
  } catch (const std::exception& error) {
    // What all agree on is an Error: this is ours alone, and the others wait somewhere else.
    if (mine().size() > 1) mpi::give_up(error.what());
    throw;
  }
}

}  // namespace headrace::job
