#include "service/inspect_sample.hpp"

#include <ostream>

#include "service/sample_plot.hpp"
#include "service/sample_text.hpp"
#include "service/sample_view.hpp"

namespace headrace::service {

int inspect_sample(const Config& config, const SampleOptions& options, std::ostream& out) {
  const auto view = view_sample(config, options.which);
  if (!options.plot.empty()) plot_sample(as_json(view), options.plot);
  if (options.json)
    out << as_json(view).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
  else
    out << as_text(view);
  if (!options.plot.empty() && !options.json) out << "\ndrawn in " << options.plot << "\n";
  out << std::flush;
  return 0;
}

}  // namespace headrace::service
