#include "service/serve.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "job/party.hpp"
#include "job/same_config.hpp"
#include "job/set_patience.hpp"
#include "job/signals.hpp"
#include "log/log.hpp"
#include "mpi/patience.hpp"
#include "mpi/session.hpp"
#include "service/staging.hpp"

namespace headrace::service {

int serve(const config::Config& config) {
  job::Signals::block();
  job::Signals signals;
  job::set_patience(config);
  const mpi::Session session;
  const auto party = job::meet(job::Role::stager, config.name, config.ranks);
  const auto& world = party.mine;
  log::setup("headrace " + config.name, config.quiet || world.rank() != 0, config.verbose);
  mpi::patience().tell = [](const std::string& what) { log::warn("{}", what); };

  std::unique_ptr<Staging> staging;
  try {
    job::require_same_config(world, config);
    staging = std::make_unique<Staging>(config, world);
    mpi::patience().farewell = [&](const std::string& why) { staging->host().farewell(why); };
    signals.on_end([&](const std::string& signal) {
      log::info("ended by {}", signal);
      const auto& topology = staging->topology();
      staging->host().farewell(fmt::format("stager {} on {} was ended by {}{}", topology.me(), topology.here().host,
                                           signal,
                                           topology.stagers() > 1 ? " (as launchers do to all when one dies)" : ""));
    });
    signals.on_report([&] { staging->host().show_state(); });
    if (staging->topology().is_leader())
      for (const auto& what : mpi::remove_leftovers()) log::info("{}", what);
    staging->begin();
    staging->reserve();
    staging->load();
    staging->open();
  } catch (const Error& error) {
    // All ranks are here with the same error. The first tells it, and its exit code is the job's: were the others to
    // fail as well, the launcher might kill the first before it has spoken.
    signals.on_end(nullptr);
    signals.on_report(nullptr);
    mpi::patience().farewell = nullptr;
    if (staging) staging->host().farewell(error.what());
    if (party.shared) job::end_job(world, error.what(), dynamic_cast<const UsageError*>(&error) ? 2 : 1);
    if (world.rank() == 0) throw;
    return 0;
  }
  try {
    staging->run();
  } catch (const std::exception& error) {
    log::error("{}", error.what());
    staging->host().farewell(error.what());
    mpi::Session::abort(1);
  }
  signals.on_end(nullptr);
  signals.on_report(nullptr);
  mpi::patience().farewell = nullptr;
  return staging->host().audit_failed() ? 1 : 0;
}

}  // namespace headrace::service
