#include "service/serve.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "log/log.hpp"
#include "mpi/session.hpp"
#include "service/signals.hpp"
#include "service/staging.hpp"

namespace headrace::service {

int serve(const Config& config) {
  Signals::block();
  Signals signals;
  const mpi::Session session;
  const auto world = mpi::Comm::world();
  log::setup("headrace " + config.name, config.quiet || world.rank() != 0, config.verbose);

  std::unique_ptr<Staging> staging;
  try {
    staging = std::make_unique<Staging>(config, world);
    signals.on_end([&](const std::string& signal) {
      staging->host().farewell(fmt::format("stager {} on {} was ended by {}", staging->topology().me(),
                                           staging->topology().here().host, signal));
    });
    staging->reserve();
    staging->load();
    staging->open();
  } catch (const Error& error) {
    // All ranks are here with the same error; the first tells it.
    signals.on_end(nullptr);
    if (staging) staging->host().farewell(error.what());
    if (world.rank() == 0) throw;
    return 1;
  }
  try {
    staging->run();
  } catch (const std::exception& error) {
    log::error("{}", error.what());
    staging->host().farewell(error.what());
    mpi::Session::abort(1);
  }
  signals.on_end(nullptr);
  return staging->host().audit_failed() ? 1 : 0;
}

}  // namespace headrace::service
