// What happens to a service, for programs: one JSON object per line, appended to the file of the key `log`. Every line
// has "time" (seconds since 1970), "event" and "service". Any thread; does nothing where there is no file.
//
//   start    files, samples, nodes, stagers, trainers, streams          loaded   bytes, seconds
//   came     stream, rank, world_size, who                              went     stream, rank, goodbye
//   state    stat: what `headrace stat --json` shows; on SIGUSR1
//   epoch    stream, epoch, samples, bytes, seconds, slowest,           end      reason, exactly_once | error
//            trainer_wait, stager_wait, exactly_once                             (once, and the last)
//   epochs   stream, epochs (how many), first, last, failed, samples,
//            bytes, seconds, exactly_once: those too short to be told one by one (epoch_news.hpp)
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/mutex.hpp"
#include "ipc/fd.hpp"

namespace headrace::service::host {

class EventLog {
 public:
  EventLog() = default;
  /// Error if the file cannot be appended to. An empty path: no file.
  EventLog(const std::string& path, std::string service);

  /// A line is written whole or the loss is told once; never an exception: logs stop nothing.
  void tell(const char* event, nlohmann::json facts) EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  ipc::Fd file_ GUARDED_BY(mutex_);
  std::string service_, path_;
  bool loss_told_ GUARDED_BY(mutex_) = false, broken_ GUARDED_BY(mutex_) = false;
};

}  // namespace headrace::service::host
