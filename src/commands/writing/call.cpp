#include "commands/writing/call.hpp"

#include "base/error.hpp"
#include "job/launch.hpp"
#include "job/signals.hpp"

namespace headrace::commands::writing {

int call(const config::Config& config, const std::string& title,
         const std::function<std::unique_ptr<Work>(const mpi::Comm& all, Interrupts& interrupts)>& make) {
  job::Signals::block();
  job::Signals signals;
  const job::Launch launch(config, {.title = title, .quiet = config.quiet, .verbose = config.verbose});
  std::unique_ptr<Work> work;
  Interrupts interrupts(signals);  // goes before the work, which it speaks to
  return launch.run(
      config,
      [&] {
        work = make(launch.mine(), interrupts);
        const int code = work->run();
        interrupts.forget();
        return launch.speaks() ? code : 0;
      },
      [&](const Error& error) {
        interrupts.forget();
        if (work) work->cleanup(error.what());
      });
}

}  // namespace headrace::commands::writing
