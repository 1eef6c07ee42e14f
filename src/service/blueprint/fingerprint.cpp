#include "service/blueprint/fingerprint.hpp"

#include <fmt/format.h>

#include <bit>
#include <concepts>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "base/dtype.hpp"
#include "base/user_file.hpp"
#include "config/resample_values.hpp"

namespace headrace::service::blueprint {

namespace {

/// FNV-1a over values one after another. Each brings its length, so that ("ab", "c") is not ("a", "bc").
class Hash {
 public:
  Hash& add(std::string_view text) {
    add(text.size());
    for (const char c : text) byte(static_cast<unsigned char>(c));
    return *this;
  }
  Hash& add(const char* text) { return add(std::string_view(text)); }
  Hash& add(const std::string& text) { return add(std::string_view(text)); }
  Hash& add(std::integral auto number) {
    for (auto bits = static_cast<std::uint64_t>(number), i = std::uint64_t{0}; i < 8; ++i, bits >>= 8)
      byte(static_cast<unsigned char>(bits));
    return *this;
  }
  Hash& add(double number) { return add(std::bit_cast<std::uint64_t>(number)); }
  template <class Value>
  requires std::is_enum_v<Value> Hash& add(Value value) { return add(static_cast<std::uint64_t>(value)); }
  template <class Value>
  Hash& add(const std::optional<Value>& value) {
    add(value.has_value());
    return value ? add(*value) : *this;
  }
  template <class Value>
  Hash& add(const std::vector<Value>& values) {
    add(values.size());
    for (const auto& value : values) add(value);
    return *this;
  }
  std::string text() const { return fmt::format("{:016x}", state_); }

 private:
  void byte(unsigned char value) { state_ = (state_ ^ value) * 0x100000001b3ull; }
  std::uint64_t state_ = 0xcbf29ce484222325ull;
};

/// The text of a small file; whoever needs it has complained by now if it cannot be read.
std::string content(const std::string& path) {
  std::string unread;
  return path.empty() ? "" : read_file_of_user(path, unread).value_or("");
}

std::string files_of(const catalog::Catalog& catalog) {
  Hash hash;
  for (const auto& file : catalog.as_named())
    hash.add(std::filesystem::path(file.path).filename().string()).add(file.bytes).add(file.head).add(file.samples);
  for (const auto& dataset : catalog.datasets)
    hash.add(dataset.path).add(dataset.row_shape).add(h5::lasting_text(dataset.type)).add(dataset.row_bytes);
  return hash.text();
}

void add_field(Hash& hash, const config::FieldConfig& field) {
  hash.add(field.name).add(field.source).add(field.scale).add(field.shift).add(content(field.scale_file));
  hash.add(field.norm).add(field.norm_over).add(field.log).add(field.raw);
  hash.add(field.nonfinite.kind).add(field.nonfinite.value).add(field.dtype).add(field.overflow);
  hash.add(field.encode).add(field.classes).add(field.valid).add(field.mask).add(field.pad).add(field.overlong);
  hash.add(field.join).add(field.join_base).add(field.cf).add(field.missing).add(field.shape);
  hash.add(field.plugin).add(field.plugin_args);
  if (field.fill) hash.add("fill").add(*field.fill);  // a key of later days: where it is unsaid, nothing changes
}

std::string fields_of(const config::Config& config) {
  Hash hash;
  for (const auto& field : config.fields) add_field(hash, field);
  const auto& inventory = config.inventory;  // its decoders are in the fields' sources
  if (!inventory.csv.empty()) hash.add("inventory").add(inventory.path).add(inventory.missing);
  return hash.text();
}

/// Which samples a stream has where there are classes, and in which order where it mixes them. Nothing where there are
/// none: states of days before classes stay valid.
void add_classes(Hash& hash, const config::Config& config, const config::StreamConfig& stream) {
  for (const auto& one : config.classes) {
    hash.add("class").add(one.name).add(one.where);
    for (const auto& pattern : one.files) hash.add(std::filesystem::path(pattern).filename().string());
  }
  if (stream.mix.kind == config::MixConfig::Kind::none) return;
  hash.add("mix").add(config::text_of(stream.mix)).add(stream.mix.within).add(config::text_of(stream.mix.epoch_size));
}

/// How often samples come. Nothing where each comes once.
void add_resampling(Hash& hash, const config::Config& config, const config::StreamConfig& stream) {
  if (stream.select_repeats) hash.add("repeats");
  if (!config::bins(config, stream)) return;
  const auto& resample = config.resample;
  hash.add(resample.as == config::ResampleAs::samples ? "resample" : "weights")
      .add(config::has_target_file(config) ? "file " + content(resample.target) : resample.target)
      .add(config::text_of(resample.samples))
      .add(resample.max_repeat);
  hash.add(resample.redraw).add(resample.outside);
  for (const auto& axis : resample.bins) hash.add(axis.item).add(axis.absolute).add(axis.edges);
}

/// Folders do not count: files move.
std::string stream_of(const config::Config& config, const config::StreamConfig& stream) {
  Hash hash;
  hash.add(stream.name).add(stream.select);
  for (const auto& pattern : stream.files) hash.add(std::filesystem::path(pattern).filename().string());
  hash.add(content(stream.select_file)).add(stream.select_by).add(config.where).add(stream.where);
  for (const auto& part : config.split) hash.add(part.name).add(part.fraction);
  hash.add(stream.shuffle).add(stream.last);
  add_classes(hash, config, stream);
  add_resampling(hash, config, stream);
  return hash.text();
}

}  // namespace

Fingerprint fingerprint_of(const config::Config& config, const config::StreamConfig& stream,
                           const catalog::Catalog& catalog) {
  return {{"files", files_of(catalog)},
          {"fields", fields_of(config)},
          {"stream", stream_of(config, stream)},
          {"seed", std::to_string(config.seed)}};
}

namespace {

std::string text_of_blocks(const config::Config& config, const plan::Windows& windows) {
  return fmt::format("{} of {} blocks of {} bytes", windows.count(), windows.blocks_a_window(), config.block);
}

}  // namespace

std::string text_of_windows(const config::Config& config, const StreamFacts& facts) {
  return facts.windows && !facts.windows_at_start ? text_of_blocks(config, *facts.windows) : "";
}

std::string text_of_start(const config::Config& config, const StreamFacts& facts) {
  return facts.windows && facts.windows_at_start ? "early, " + text_of_blocks(config, *facts.windows) : "";
}

}  // namespace headrace::service::blueprint
