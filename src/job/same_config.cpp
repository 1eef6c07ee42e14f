#include "job/same_config.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>
#include <optional>

#include "base/dtype.hpp"
#include "base/error.hpp"
#include "base/host_name.hpp"
#include "base/user_file.hpp"
#include "config/resample_values.hpp"
#include "config/window_values.hpp"
#include "mpi/agree.hpp"

namespace headrace::job {

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

template <class Value>
std::string maybe(const std::optional<Value>& value) {
  return value ? fmt::format("{}", *value) : "";
}

std::string list(const auto& values) {
  return fmt::format("{}", fmt::join(values, ", "));
}

/// A file by name and content; whoever needs it complains if it cannot be read.
std::string file(const std::string& path) {
  if (path.empty()) return "";
  std::string unread;
  return fmt::format("{} (content {:016x})", path,
                     std::hash<std::string>()(read_file_of_user(path, unread).value_or("")));
}

std::string text(const config::NonfinitePolicy& policy) {
  return fmt::format("{} {}", static_cast<int>(policy.kind), policy.value);
}

void add_service(const config::Config& config, Pairs& out) {
  const bool windows = config.window.kind != config::WindowConfig::Kind::none;
  const bool early = config.start == config::Start::early;
  std::vector<std::string> parts;
  for (const auto& part : config.split) parts.push_back(fmt::format("{}:{}", part.name, part.fraction));
  out.insert(out.end(), {{"name", config.name},
                         {"files", list(config.files)},
                         {"split", list(parts)},
                         {"where", config.where},
                         {"io", std::string(config::word(config.io))},
                         {"virtual-gaps", std::string(config::word(config.virtual_gaps))},
                         {"seed", std::to_string(config.seed)},
                         {"class-column", config.class_column},
                         {"class-names", list(config.class_names)},
                         {"trainers-per-node", std::to_string(config.trainers_per_node)},
                         {"slots", std::to_string(config.slots)},
                         {"scratch", config.scratch.empty() ? "" : "given"},  // each node may have its own folder
                         {"window", windows ? config::text_of(config.window) : ""},
                         {"block", windows || early ? std::to_string(config.block) : ""},
                         {"start", std::string(config::word(config.start))},
                         {"split-nodes", config.split_nodes ? "true" : "false"},
                         {"strict", config.strict ? "true" : "false"},
                         {"audit", std::string(config::word(config.audit))}});
}

void add_resample(const config::Config& config, Pairs& out) {
  const auto& resample = config.resample;
  std::vector<std::string> bins;
  for (const auto& axis : resample.bins) bins.push_back(axis.text);
  out.insert(out.end(), {{"resample.bins", list(bins)},
                         {"resample.target", config::has_target_file(config) ? file(resample.target) : resample.target},
                         {"resample.samples", config::text_of(resample.samples)},
                         {"resample.max-repeat", std::to_string(resample.max_repeat)},
                         {"resample.as", std::string(config::word(resample.as))},
                         {"resample.redraw", std::string(config::word(resample.redraw))},
                         {"resample.outside", std::string(config::word(resample.outside))}});
}

/// Headers are secrets: they are told by what they hash to.
void add_inventory(const config::InventoryConfig& inventory, const config::FetchConfig& fetch, Pairs& out) {
  out.insert(out.end(), {{"inventory.csv", file(inventory.csv)},
                         {"inventory.id", inventory.id},
                         {"inventory.path", inventory.path},
                         {"inventory.missing", std::string(config::word(inventory.missing))},
                         {"fetch.headers", fmt::format("{:016x}", std::hash<std::string>()(list(fetch.headers)))},
                         {"fetch.checksum", fetch.checksum}});
}

void add_field(const config::FieldConfig& field, Pairs& out) {
  const auto add = [&](std::string_view key, std::string value) {
    out.emplace_back(fmt::format("field.{}.{}", field.name, key), std::move(value));
  };
  add("source", list(field.source));
  add("scale", list(field.scale));
  add("shift", list(field.shift));
  add("scale-file", file(field.scale_file));
  add("norm", std::string(config::word(field.norm)));
  add("norm-over", std::string(config::word(field.norm_over)));
  add("log", list(field.log));
  add("raw", list(field.raw));
  add("nonfinite", text(field.nonfinite));
  add("dtype", field.dtype ? std::string(name_of(*field.dtype)) : "");
  add("overflow", std::string(config::word(field.overflow)));
  add("encode", std::string(config::word(field.encode)));
  add("classes", list(field.classes));
  add("valid", field.valid);
  add("mask", field.mask);
  add("pad", maybe(field.pad));
  add("overlong", std::string(config::word(field.overlong)));
  add("join", field.join);
  add("join-base", std::to_string(field.join_base));
  add("cf", std::string(config::word(field.cf)));
  add("missing", maybe(field.missing));
  add("fill", maybe(field.fill));
  add("shape", field.shape ? list(*field.shape) : "");
  add("plugin", file(field.plugin));
  add("plugin-args", field.plugin_args);
  add("decoder", field.decoder);
}

void add_stream(const config::StreamConfig& stream, Pairs& out) {
  const auto add = [&](std::string_view key, std::string value) {
    out.emplace_back(fmt::format("stream.{}.{}", stream.name, key), std::move(value));
  };
  add("files", list(stream.files));
  add("select", stream.select);
  add("select-file", file(stream.select_file));
  add("select-by", stream.select_by);
  add("select-repeats", stream.select_repeats ? "true" : "false");
  add("where", stream.where);
  add("batch", maybe(stream.batch));
  add("global-batch", maybe(stream.global_batch));
  add("shuffle", std::string(config::word(stream.shuffle)));
  add("last", std::string(config::word(stream.last)));
  add("order", std::string(config::word(stream.order)));
  add("epochs", std::to_string(stream.epochs));
  add("replicas", std::to_string(stream.replicas));
  add("resample", stream.resample ? "true" : "false");
  add("mix", config::text_of(stream.mix));
  add("within", std::string(config::word(stream.mix.within)));
  add("epoch-size", config::text_of(stream.mix.epoch_size));
}

void add_class(const config::ClassConfig& one, Pairs& out) {
  out.emplace_back(fmt::format("class.{}.files", one.name), list(one.files));
  out.emplace_back(fmt::format("class.{}.where", one.name), one.where);
}

void add_outputs(const config::Outputs& outputs, Pairs& out) {
  // Empty where there is none: what was begun before there was such a key can be gone on with.
  const bool compressed = outputs.exported.compression.how != config::Compression::How::none;
  std::vector<std::string> datasets;
  for (const auto& [path, field] : outputs.premix.datasets) datasets.push_back(path + "=" + field);
  out.insert(out.end(), {{"premix.file", outputs.premix.file},
                         {"premix.layout", std::string(config::word(outputs.premix.layout))},
                         {"premix.dataset", list(datasets)},
                         {"premix.compression", config::text_of(outputs.premix.compression)},
                         {"premix.chunk", std::to_string(outputs.premix.chunk)},
                         {"premix.file-samples", std::to_string(outputs.premix.file_samples)},
                         {"premix.provenance", outputs.premix.provenance ? "true" : "false"},
                         {"export.format", std::string(config::word(outputs.exported.format))},
                         {"export.compression", compressed ? config::text_of(outputs.exported.compression) : ""},
                         {"export.chunk-size", std::to_string(outputs.exported.chunk_size)},
                         {"export.add-vars", std::to_string(outputs.exported.add_vars)},
                         {"export.names", std::string(config::word(outputs.exported.names))}});
}

/// "key = value" of each, parted by zero bytes, which neither holds.
std::string lines_of(const Pairs& keys) {
  std::string lines;
  for (const auto& [key, value] : keys) lines += key + (value.empty() ? " unset" : " = " + value) + '\0';
  return lines;
}

/// The first line that differs, here and there.
std::pair<std::string, std::string> difference(const std::string& here, const std::string& there) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < here.size() && i < there.size() && here[i] == there[i]; ++i)
    if (here[i] == '\0') begin = i + 1;
  const auto line = [&](const std::string& text) {
    return begin < text.size() ? std::string(text.c_str() + begin) : "nothing more";
  };
  return {line(here), line(there)};
}

void require_same(const mpi::Comm& world, const Pairs& keys) {
  const auto here = lines_of(keys);
  const auto there = world.bcast(here);
  const auto host = world.bcast(host_name());
  mpi::together(world, [&] {
    if (here == there) return;
    const auto [mine, theirs] = difference(here, there);
    throw UsageError(fmt::format(
        "another configuration than that of the first stager, on {}: {}, there {}; give all stagers the same "
        "(flags; one file, or the same on every node; variables that the launcher hands on to all, as "
        "mpirun -x HEADRACE_SEED does)",
        host, mine, theirs));
  });
}

}  // namespace

Pairs common_keys(const config::Config& config) {
  Pairs out;
  add_service(config, out);
  add_inventory(config.inventory, config.fetch, out);
  add_resample(config, out);
  for (const auto& field : config.fields) add_field(field, out);
  for (const auto& one : config.classes) add_class(one, out);
  for (const auto& stream : config.streams) add_stream(stream, out);
  return out;
}

Pairs common_keys(const config::OutputConfig& config) {
  auto out = common_keys(static_cast<const config::Config&>(config));
  add_outputs(config, out);
  return out;
}

void require_same_config(const mpi::Comm& world, const config::Config& config) {
  require_same(world, common_keys(config));
}

void require_same_config(const mpi::Comm& world, const config::OutputConfig& config) {
  require_same(world, common_keys(config));
}

}  // namespace headrace::job
