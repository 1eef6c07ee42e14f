#include "commands/forecast/figures.hpp"

namespace headrace::commands::forecast {

double StreamForecast::delivered() const {
  return static_cast<double>(flow.rows * row_bytes) / static_cast<double>(flow.steps) /
         static_cast<double>(flow.from_node.size());
}
double StreamForecast::remote_share() const {
  return flow.rows == 0 ? 0 : static_cast<double>(flow.remote()) / static_cast<double>(flow.rows);
}
double StreamForecast::remote() const {
  return delivered() * remote_share();
}
double StreamForecast::requests() const {
  return static_cast<double>(flow.requests) / static_cast<double>(flow.steps) /
         static_cast<double>(flow.from_node.size());
}

}  // namespace headrace::commands::forecast
