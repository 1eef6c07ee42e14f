// How the thread that owns MPI waits between two looks at it. Pure: it is told the time, and says what to do.
//
//   right after something moved     offer the core to others and look again, while the next arrival is near
//   while anything is outstanding   naps that double, from 20 to 100 us
//   0.1 s, 0.5 s without            naps of 10 ms, then 25 ms: an idle service costs next to nothing
#pragma once

#include <optional>

namespace headrace::exchange {

class Naps {
 public:
  /// A time of waiting begins: as if something had just been under way.
  void begin(double now);
  /// After a look: how long to sleep, unless woken; none: offer the core and look again at once. Seconds.
  std::optional<double> next(double now, bool moved, bool outstanding);

 private:
  bool is_near(double now) const;

  unsigned looks_ = 0;  ///< in vain, since something moved
  double last_moved_ = 0, mean_gap_ = 0, last_busy_ = 0, nap_ = 0;
};

}  // namespace headrace::exchange
