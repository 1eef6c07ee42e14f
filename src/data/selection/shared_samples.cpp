#include "data/selection/shared_samples.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace headrace::data::selection {

std::optional<std::uint64_t> shared_without_data(const Choice& a, const Choice& b) {
  const auto shared = plan::shared(a.selection, b.selection);
  if (!a.by_data() && !b.by_data()) return shared;
  if (shared == 0) return 0;  // what the data are asked only takes samples away
  // Parts of the split hold runs of its permutation.
  if (a.part && b.part && std::max(a.part->first, b.part->first) >= std::min(a.part->last, b.part->last)) return 0;
  return std::nullopt;
}

std::string text_of(const SharedSamples& shared) {
  const bool same = shared.samples == shared.of_first && shared.samples == shared.of_second;
  return fmt::format(
      "streams '{}' and '{}' {} {} sample{}{}; where one is to test what the other trains, select slices "
      "that do not overlap, or parts of a split",
      shared.first, shared.second, same ? "have the same" : "share", shared.samples, shared.samples == 1 ? "" : "s",
      same ? "" : fmt::format(" (of {} and {})", shared.of_first, shared.of_second));
}

void refuse_shared(const config::Config& config, const std::vector<SharedSamples>& all) {
  if (!config.strict || all.empty()) return;
  config::Mistakes mistakes;
  for (const auto& shared : all) mistakes.add(text_of(shared) + " (strict = true)");
  mistakes.throw_if_any();
}

}  // namespace headrace::data::selection
