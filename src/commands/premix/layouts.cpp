#include "commands/premix/layouts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "commands/premix/living.hpp"
#include "commands/premix/umami.hpp"

namespace headrace::commands::premix {

namespace {

void require_fields(const config::PremixConfig& config, const Schema& schema) {
  std::vector<std::string> names;
  for (const auto& field : schema) names.push_back(field.name);
  for (const auto& [path, field] : config.datasets)
    if (std::find(names.begin(), names.end(), field) == names.end())
      throw UsageError(
          fmt::format("[premix.dataset] {} = '{}': there is no such field{}", path, field, did_you_mean(field, names)));
}

}  // namespace

writing::Layout layout_of(const config::OutputConfig& config, const Schema& schema, std::uint64_t samples) {
  writing::require_writable(schema);
  require_fields(config.premix, schema);
  const auto design = [&] { return Design{config, schema, samples, writing::roles_of(config, schema)}; };
  const auto layout = [&] {
    switch (config.premix.layout) {
      case config::FileLayout::umami:
        return umami(design());
      case config::FileLayout::ftag:
        return living(design());
      case config::FileLayout::plain:
        break;
    }
    return writing::plain_layout(config.premix.datasets, schema, samples);
  }();
  writing::require_distinct(layout.tables);
  return layout;
}

}  // namespace headrace::commands::premix
