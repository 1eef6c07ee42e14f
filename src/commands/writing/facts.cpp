#include "commands/writing/facts.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "fetch/fetcher.hpp"
#include "job/same_config.hpp"
#include "service/blueprint/fingerprint.hpp"

namespace headrace::commands::writing {

namespace {

/// Where files are and how a service runs decides nothing.
bool counts(const std::string& key, const std::string& stream) {
  static const std::set<std::string> others{"name",  "files",       "io",           "trainers-per-node",
                                            "slots", "scratch",     "split-nodes",  "strict",
                                            "audit", "premix.file", "fetch.headers"};
  static const std::set<std::string> of_trainers{"batch", "global-batch", "last", "order", "epochs", "replicas"};
  if (others.count(key) != 0) return false;
  if (!key.starts_with("stream.")) return true;
  const auto mine = "stream." + stream + ".";
  return key.starts_with(mine) && of_trainers.count(key.substr(mine.size())) == 0;
}

}  // namespace

formats::Facts facts_of(const config::OutputConfig& config, const config::StreamConfig& stream,
                        const catalog::Catalog& catalog, const std::string& section) {
  const std::string other = section == "premix" ? "export." : "premix.";
  formats::Facts facts{{"stream", stream.name}};
  for (const auto& [key, value] : job::common_keys(config))
    if (counts(key, stream.name) && !key.starts_with(other)) facts[key] = value;
  facts["files (names, sizes, contents)"] = service::blueprint::fingerprint_of(config, stream, catalog).at("files");
  return facts;
}

std::string fingerprint_of(const formats::Facts& facts) {
  constexpr std::uint64_t begin = 0xcbf29ce484222325, prime = 0x100000001b3;  // FNV-1a of 64 bits
  auto hash = begin;
  const auto take = [&](const std::string& text) {
    for (const unsigned char byte : text) hash = (hash ^ byte) * prime;
    hash *= prime;  // as if a zero stood behind it: "ab", "c" are not "a", "bc"
  };
  for (const auto& [key, value] : facts) {
    if (key.starts_with('@')) continue;
    take(key);
    take(value);
  }
  return fmt::format("{:016x}", hash);
}

Origin origin_of(const config::OutputConfig& config, const config::StreamConfig& stream,
                 const catalog::Catalog& catalog) {
  auto sources = nlohmann::json::array();
  for (const auto& file : catalog.files)
    sources.push_back({{"file", file.path}, {"bytes", file.bytes}, {"samples", file.samples}});
  auto told = nlohmann::json::object();
  for (const auto& [key, value] : job::common_keys(config))
    if (counts(key, stream.name) && !value.empty() && !key.starts_with("export.") && !key.starts_with("premix."))
      told[key] = key == "inventory.path" ? fetch::shown_url(value) : value;  // no password in a file for others
  const auto text = [](const nlohmann::json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
  return {text(told), stream.name, text(sources), config.seed};
}

}  // namespace headrace::commands::writing
