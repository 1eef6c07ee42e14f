#include "service/serve.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "job/launch.hpp"
#include "job/signals.hpp"
#include "log/log.hpp"
#include "mpi/patience.hpp"
#include "mpi/session.hpp"
#include "service/staging.hpp"

namespace headrace::service {

namespace {

/// Whatever ends this stager from here on, its trainers hear why.
void say_farewell_at_the_end(Staging& staging, job::Signals& signals) {
  mpi::patience().farewell = [&](const std::string& why) { staging.host().farewell(why); };
  signals.on_end([&](const std::string& signal) {
    log::info("ended by {}", signal);
    const auto& topology = staging.topology();
    staging.host().farewell_to_all(
        fmt::format("stager {} on {} was ended by {}{}", topology.me(), topology.here().host, signal,
                    topology.stagers() > 1 ? " (as launchers do to all when one dies)" : ""));
  });
  signals.on_report([&] { staging.host().show_state(); });
}

void forget_farewell(job::Signals& signals) {
  signals.on_end(nullptr);
  signals.on_report(nullptr);
  mpi::patience().farewell = nullptr;
}

/// No collective agrees on errors any more: who has one ends the job.
void run(Staging& staging) {
  try {
    staging.run();
  } catch (const std::exception& error) {
    log::error("{}", error.what());
    // The leader tells this once more, for the node: so that the two lines are seen to be one thing.
    const auto& topology = staging.topology();
    staging.host().farewell_to_all(
        fmt::format("stager {} on {} failed: {}", topology.me(), topology.here().host, error.what()));
    mpi::Session::abort(1);
  }
}

}  // namespace

int serve(const config::Config& config) {
  job::Signals::block();
  job::Signals signals;
  const job::Launch launch(config, {.role = job::Role::stager,
                                    .title = "headrace " + config.name,
                                    .quiet = config.quiet,
                                    .verbose = config.verbose,
                                    .ranks = config.ranks});
  std::unique_ptr<Staging> staging;
  const auto work = [&] {
    const auto make_host = [&launch](const config::Config& its_own, const job::Topology& topology) {
      return std::make_unique<host::Host>(its_own, topology, launch.service().word);
    };
    staging = std::make_unique<Staging>(config, launch.mine(), Purpose::trainers, make_host);
    say_farewell_at_the_end(*staging, signals);
    if (staging->topology().is_leader())
      for (const auto& what : mpi::remove_leftovers()) log::info("{}", what);
    staging->begin();
    staging->reserve();
    staging->load();
    staging->open();
    run(*staging);
    forget_farewell(signals);
    return staging->host().audit_failed() ? 1 : 0;
  };
  return launch.run(config, work, [&](const Error& error) {
    forget_farewell(signals);
    if (staging) staging->host().farewell(error.what());
  });
}

}  // namespace headrace::service
