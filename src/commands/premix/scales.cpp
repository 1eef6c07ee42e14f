#include "commands/premix/scales.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/user_file.hpp"

namespace headrace::commands::premix {

namespace {

/// Of 'headrace stats'; "" for files of others.
std::string measured_on(const std::string& path) {
  std::string why;
  const auto text = read_file_of_user(path, why);
  const auto json = nlohmann::json::parse(text.value_or(""), nullptr, false);
  if (!json.is_object() || !json.contains("headrace-stats") || !json["headrace-stats"].is_object()) return "";
  return json["headrace-stats"].value("stream", std::string());
}

}  // namespace

void require_scales_of_training(const config::OutputConfig& config, const config::StreamConfig& stream) {
  const bool any_train =
      std::any_of(config.streams.begin(), config.streams.end(), [](const auto& one) { return one.name == "train"; });
  const auto training = any_train ? std::string("train") : config.streams.front().name;
  if (stream.name == training) return;
  for (const auto& field : config.fields)
    if (!field.scale_file.empty() && measured_on(field.scale_file) == stream.name)
      throw UsageError(
          fmt::format("[field.{}] scale-file = '{}' was measured on the stream '{}', which is to be written: it would "
                      "not be scaled "
                      "as what it validates; measure with 'headrace stats --stream {}', or give --force",
                      field.name, field.scale_file, stream.name, training));
}

}  // namespace headrace::commands::premix
