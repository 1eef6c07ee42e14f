#include "commands/inspect/regime_view.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/window_values.hpp"
#include "service/blueprint/arrival.hpp"
#include "service/blueprint/blocks.hpp"

namespace headrace::commands::inspect {

RegimeView regime_of(const config::Config& config, const data::fields::ConfigReport& report) {
  RegimeView view{.scratch = report.scratch, .early = config.start == config::Start::early};
  if (config.window.kind != config::WindowConfig::Kind::none) view.window = config::text_of(config.window);
  if (!view.early) return view;
  const auto blocks = service::blueprint::blocks_of(report.catalog, config.block).size();
  if (blocks > 1) view.early_windows = std::min<std::uint64_t>(blocks, service::blueprint::early_windows);
  return view;
}

std::vector<std::string> lines_of(const RegimeView& view) {
  std::vector<std::string> lines;
  if (!view.scratch.empty()) lines.push_back("What does not fit memory goes to " + view.scratch);
  if (!view.window.empty())
    lines.push_back(
        fmt::format("Streams that have more are shuffled in windows (window = {}); headrace plan says how "
                    "many there are, and how far that is from a global shuffle",
                    view.window));
  if (view.early_windows > 0)
    lines.push_back(
        fmt::format("Epoch 0 begins when the first of its {} windows is in memory, and is shuffled in them; "
                    "later epochs are shuffled exactly and globally (start = early)",
                    view.early_windows));
  else if (view.early)
    lines.emplace_back(
        "The files are one block, so that all is read before the first batch (start = early asks for "
        "less: see block)");
  return lines;
}

}  // namespace headrace::commands::inspect
