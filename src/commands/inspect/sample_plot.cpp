#include "commands/inspect/sample_plot.hpp"

#include "commands/inspect/plot_script.hpp"
#include "commands/picture.hpp"

namespace headrace::commands::inspect {

void plot_sample(const nlohmann::ordered_json& view, const std::string& path) {
  draw_picture(plot_script, view.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace), path);
}

}  // namespace headrace::commands::inspect
