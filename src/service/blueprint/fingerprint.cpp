#include "service/blueprint/fingerprint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <concepts>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "base/dtype.hpp"
#include "base/user_file.hpp"
#include "config/resample_values.hpp"
#include "data/selection/choice.hpp"
#include "data/selection/files_meant.hpp"
#include "data/selection/shared_samples.hpp"

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
  if (const auto lines = data::selection::samples_left_out(catalog); !lines.empty()) hash.add("left out").add(lines);
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

/// Folders do not count, as files move; but for patterns that mean other files by them than by the names alone. Of these
/// counts which they mean.
void add_patterns(Hash& hash, const std::vector<std::string>& patterns, const catalog::Catalog& catalog) {
  std::vector<std::string> names;
  for (const auto& pattern : patterns) names.push_back(std::filesystem::path(pattern).filename().string());
  for (const auto& name : names) hash.add(name);
  const auto ranges_of = [&](const std::vector<std::string>& of) {
    std::vector<std::uint64_t> ends;
    for (const auto& range : data::selection::samples_meant(of, catalog))
      ends.insert(ends.end(), {range.first, range.last});
    return ends;
  };
  if (const auto meant = ranges_of(patterns); meant != ranges_of(names)) hash.add("folders").add(meant);
}

/// Which samples a stream has where there are classes, and in which order where it mixes them. Nothing where there are
/// none: states of days before classes stay valid.
void add_classes(Hash& hash, const config::Config& config, const config::StreamConfig& stream,
                 const catalog::Catalog& catalog) {
  for (const auto& one : config.classes) {
    hash.add("class").add(one.name).add(one.where);
    add_patterns(hash, one.files, catalog);
  }
  if (stream.mix.kind == config::MixConfig::Kind::none) return;
  hash.add("mix").add(config::text_of(stream.mix)).add(stream.mix.within).add(config::text_of(stream.mix.epoch_size));
}

/// The other streams whose weights this one delivers though [resample] is not for it: a weight is a sample's. Those that
/// only the data know to share samples are not among them.
std::vector<const config::StreamConfig*> weighers(const config::Config& config, const config::StreamConfig& stream,
                                                  const catalog::Catalog& catalog) {
  std::vector<const config::StreamConfig*> all;
  const bool delivers = std::ranges::any_of(
      config.fields, [](const auto& field) { return field.source == std::vector<std::string>{"@weight"}; });
  if (!delivers || config.resample.as != config::ResampleAs::weights || config::bins(config, stream)) return all;
  const auto choices = data::selection::choose(config, catalog);
  const auto mine = std::ranges::find(choices, stream.name, &data::selection::Choice::stream);
  for (std::size_t s = 0; s < choices.size(); ++s)
    if (config::bins(config, config.streams[s]) &&
        data::selection::shared_without_data(*mine, choices[s]).value_or(0) > 0)
      all.push_back(&config.streams[s]);
  return all;
}

/// How often samples come. Nothing where each comes once.
void add_resampling(Hash& hash, const config::Config& config, const config::StreamConfig& stream,
                    const catalog::Catalog& catalog) {
  if (stream.select_repeats) hash.add("repeats");
  const auto others = weighers(config, stream, catalog);
  for (const auto* other : others) hash.add("weights of").add(other->name).add(other->select);
  if (others.empty() && !config::bins(config, stream)) return;
  const auto& resample = config.resample;
  hash.add(resample.as == config::ResampleAs::samples ? "resample" : "weights")
      .add(config::has_target_file(config) ? "file " + content(resample.target) : resample.target)
      .add(config::text_of(resample.samples))
      .add(resample.max_repeat);
  hash.add(resample.redraw).add(resample.outside);
  for (const auto& axis : resample.bins) hash.add(axis.item).add(axis.absolute).add(axis.edges);
}

std::string stream_of(const config::Config& config, const config::StreamConfig& stream,
                      const catalog::Catalog& catalog) {
  Hash hash;
  hash.add(stream.name).add(stream.select);
  add_patterns(hash, stream.files, catalog);
  hash.add(content(stream.select_file)).add(stream.select_by).add(config.where).add(stream.where);
  for (const auto& part : config.split) hash.add(part.name).add(part.fraction);
  hash.add(stream.shuffle).add(stream.last);
  add_classes(hash, config, stream, catalog);
  add_resampling(hash, config, stream, catalog);
  return hash.text();
}

}  // namespace

Fingerprint fingerprint_of(const config::Config& config, const config::StreamConfig& stream,
                           const catalog::Catalog& catalog) {
  return {{"files", files_of(catalog)},
          {"fields", fields_of(config)},
          {"stream", stream_of(config, stream, catalog)},
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
