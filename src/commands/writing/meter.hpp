// How far what is written is, for everybody who asks: a bar, the host's answers, the log. The thread that owns MPI.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "service/host/host.hpp"
#include "service/loading/progress.hpp"

namespace headrace::commands::writing {

class Meter {
 public:
  struct Amount {
    std::uint64_t total_bytes = 0, done_bytes = 0;  ///< done: by an earlier run
    std::uint64_t row_bytes = 0;
  };
  /// print: whether this process shows a bar. host: outlives it.
  Meter(service::host::Host& host, bool print, Amount amount);
  /// Rows that this run has written, on all stagers together.
  void at(std::uint64_t rows);

 private:
  void tell(double fraction);

  service::host::Host& host_;
  const Amount amount_;
  service::loading::Progress progress_;
  Clock::time_point told_at_{};
};

}  // namespace headrace::commands::writing
