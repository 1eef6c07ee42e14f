#include "service/plan_command.hpp"

#include <nlohmann/json.hpp>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "service/forecast_report.hpp"

namespace headrace::service {

double rate(const Value& value) {
  auto text = value.text();
  if (text.ends_with("/s")) text.resize(text.size() - 2);
  const bool bits = text.ends_with("bit");
  if (bits) text.resize(text.size() - 3);
  try {
    const auto amount = static_cast<double>(parse_bytes(text, value.shown)) / (bits ? 8 : 1);
    if (amount > 0) return amount;
  } catch (const UsageError&) {
  }
  reject(value, "a rate, as in 25GB/s or 200Gbit/s");
}

int plan(const Config& config, const PlanOptions& options, std::ostream& out) {
  if (options.samples.has_value() != options.row_bytes.has_value())
    throw UsageError("--samples and --row-bytes go together; give both, or files");
  if (options.samples.has_value() == !config.files.empty())
    throw UsageError("plan takes either files or --samples N --row-bytes BYTES");
  constexpr std::uint64_t most = std::uint64_t{1} << 60;  // products of these stay exact
  if (options.samples && *options.row_bytes > most / *options.samples)
    throw UsageError("--samples times --row-bytes is more than 1 EiB; correct one of them");
  const auto facts =
      options.samples ? facts_made_up(config, *options.samples, *options.row_bytes) : facts_of_files(config);
  const plan::Machine machine{options.nodes, options.stagers_per_node, config.trainers_per_node};
  const auto result = forecast(config, facts, machine, options.rates);
  out << (options.json ? json_of(result).dump(2) + "\n" : text_of(result));
  return 0;
}

}  // namespace headrace::service
