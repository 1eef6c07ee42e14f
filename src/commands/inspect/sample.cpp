#include "commands/inspect/sample.hpp"

#include <fmt/format.h>

#include <ostream>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "commands/inspect/sample_plot.hpp"
#include "commands/inspect/sample_text.hpp"
#include "commands/inspect/sample_view.hpp"
#include "config/inventory.hpp"

namespace headrace::commands::inspect {

int inspect_sample(const config::Config& config, const SampleOptions& options, std::ostream& out) {
  for (const auto& field : config.fields)
    if (!field.plugin.empty() && options.plugins == data::fields::Plugins::look_at)
      throw UsageError(
          fmt::format("[field.{}] a sample as trainers get it has been through the plugin '{}', whose code "
                      "runs here only if asked for; add --plugins",
                      field.name, field.plugin));
  for (const auto& field : config.fields)
    if (config::is_code(field.decoder) && options.plugins == data::fields::Plugins::look_at)
      throw UsageError(
          fmt::format("[field.{}] a sample is what the decoder '{}' makes of its file, and its code runs here only if "
                      "asked for; add --plugins",
                      field.name, field.decoder));
  const auto view = view_sample(config, options.which);
  if (!options.plot.empty()) plot_sample(as_json(view), options.plot);
  if (options.json)
    out << as_json(view).dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) << "\n";
  else
    out << printable_lines(as_text(view));
  if (!options.plot.empty() && !options.json) out << "\ndrawn in " << options.plot << "\n";
  out << std::flush;
  return 0;
}

}  // namespace headrace::commands::inspect
