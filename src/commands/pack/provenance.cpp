#include "commands/pack/provenance.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "fetch/fetcher.hpp"
#include "job/same_config.hpp"

namespace headrace::commands::pack {

namespace {

std::string text(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

formats::Facts facts_of(const config::Config& config, const inventory::Inventory& inventory, const Schema& schema) {
  formats::Facts facts;
  // What to do with samples that are not to be had may change: it decides which rows come, not what is in them.
  for (const auto& [key, value] : job::common_keys(config))
    if (key.starts_with("field.") || key == "inventory.csv" || key == "inventory.id") facts[key] = value;
  facts["inventory.path"] = fetch::shown_url(config.inventory.path);
  std::uint64_t hash = 0;
  for (std::size_t row = 0; row < inventory.table.rows(); ++row)
    hash = hash * 31 + std::hash<std::string_view>()(inventory.table.id(row));
  // What files hold is known from the first of them, which may be another by now.
  for (const auto& field : schema) {
    auto& fact = facts["field." + field.name + " holds"];
    fact = fmt::format("{} ({})", name_of(field.dtype), fmt::join(field.shape, ", "));
    if (!field.classes.empty()) fact += " " + text(field.classes);
  }
  facts["samples that are there"] = fmt::format("{} (ids {:016x})", inventory.table.rows(), hash);
  return facts;
}

std::vector<h5::NewAttribute> attributes_of(const config::Config& config, const inventory::Inventory& inventory,
                                            const writing::Layout& layout) {
  auto told = nlohmann::json::object();
  for (const auto& [key, value] : job::common_keys(config))
    if (key.starts_with("field.") && !value.empty()) told[key] = value;
  const nlohmann::json from{
      {"csv", inventory.table.path()}, {"id", config.inventory.id}, {"path", fetch::shown_url(config.inventory.path)}};
  std::string names;
  for (const auto& table : layout.tables) names += (names.empty() ? "" : "\n") + table.dataset.path;
  return {{"/", "headrace_version", std::string(HEADRACE_VERSION)},
          {"/", "config", text(told)},
          {"/", "inventory", text(from)},
          {"/", "datasets", names}};
}

std::uint64_t bytes_of_ids(const inventory::Inventory& inventory) {
  constexpr std::uint64_t beside = 40;  // of a text of variable length
  std::uint64_t bytes = 0;
  for (std::size_t row = 0; row < inventory.table.rows(); ++row) bytes += inventory.table.id(row).size() + beside;
  return bytes;
}

}  // namespace headrace::commands::pack
