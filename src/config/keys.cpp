#include "config/keys.hpp"

#include <cctype>
#include <filesystem>

#include "config/class_values.hpp"
#include "config/selection_values.hpp"
#include "config/window_values.hpp"

namespace headrace::config {

namespace {

using Top = Config&;
using Stream = StreamConfig&;

constexpr std::uint64_t max_batch = 1u << 30;
constexpr std::uint64_t most_replicas = 64;  // ring::most_replicas

/// Absolute: a bare file name would be taken for the name of a service, which has no file.
std::string socket_path(const Value& value) {
  return value.text().empty() ? "" : std::filesystem::absolute(value.text()).lexically_normal().string();
}

std::uint64_t block_size(const Value& value) {
  const auto size = bytes(value);
  if (size == 0) reject(value, "a size above 0, as in 16MiB");
  return size;
}

std::vector<Key> data_keys() {
  return {
      {"files", Scope::top, Kind::list, "Data", 0, "FILE", "", "HDF5 files or patterns; together they are one data set",
       +[](Top c, const Value& v) { c.files = v.texts; }, true},
      {"split", Scope::top, Kind::text, "Data", 0, "PARTS", "", "random parts of all samples: train:0.8, val:0.2",
       +[](Top c, const Value& v) { c.split = split_parts(v); }},
      {"where", Scope::top, Kind::text, "Data", 0, "CONDITION", "", "samples that count: jets.pt > 20e3",
       +[](Top c, const Value& v) { c.where = condition(v); }},
      {"io", Scope::top, Kind::choice, "Data", 0, "HOW", "auto", "auto, collective or direct reads",
       +[](Top c, const Value& v) {
         c.io = choose(v, {IoMode::automatic, IoMode::collective, IoMode::direct});
       }},
      {"virtual-gaps", Scope::top, Kind::choice, "Data", 0, "HOW", "error",
       "rows of virtual datasets without a source: error, or fill (with the fill value)",
       +[](Top c, const Value& v) {
         c.virtual_gaps = choose(v, {VirtualGaps::error, VirtualGaps::fill});
       }},
  };
}

std::vector<Key> stream_keys() {
  return {
      {"files", Scope::stream_only, Kind::list, "Streams", 0, "FILE", "all", "those of the service's files only",
       +[](Stream s, const Value& v) { s.files = v.texts; }, true},
      {"select", Scope::stream, Kind::selection, "Streams", 0, "SLICES", "all",
       "a part of the split, or Python slices: 0:1000, -500:, ::2",
       +[](Stream s, const Value& v) {
         s.select = v.text();
         s.select_file.clear();
         s.select_by.clear();
         s.select_repeats = false;
       }},
      {"select-file", Scope::stream, Kind::text, "Streams", 0, "FILE", "", "instead: a list of samples, one per line",
       +[](Stream s, const Value& v) {
         s.select_file = v.text();
         s.select.clear();
       },
       true},
      {"select-by", Scope::stream, Kind::text, "Streams", 0, "WHAT", "",
       "what the list holds: index, or values of this dataset",
       +[](Stream s, const Value& v) { s.select_by = v.text(); }},
      {"select-repeats", Scope::stream, Kind::toggle, "Streams", 0, "", "false",
       "what the list names several times comes as often",
       +[](Stream s, const Value& v) { s.select_repeats = yes(v); }},
      {"where", Scope::stream_only, Kind::text, "Streams", 0, "CONDITION", "", "samples that count, of this stream",
       +[](Stream s, const Value& v) { s.where = condition(v); }},
      {"batch", Scope::stream, Kind::number, "Streams", 0, "N", "32", "samples per trainer and step",
       +[](Stream s, const Value& v) {
         s.batch = static_cast<std::uint32_t>(whole(v, 1, max_batch));
         s.global_batch.reset();
       }},
      {"global-batch", Scope::stream, Kind::number, "Streams", 0, "N", "", "samples of all trainers together per step",
       +[](Stream s, const Value& v) {
         s.global_batch = whole(v, 1, std::uint64_t{max_batch} << 20);
         s.batch.reset();
       }},
      {"shuffle", Scope::stream, Kind::choice, "Streams", 0, "HOW", "global",
       "global: anew each epoch; none: file order",
       +[](Stream s, const Value& v) {
         s.shuffle = choose(v, {plan::Shuffle::global, plan::Shuffle::none});
       }},
      {"last", Scope::stream, Kind::choice, "Streams", 0, "HOW", "drop if shuffled, else partial",
       "an incomplete last batch: drop, partial or pad",
       +[](Stream s, const Value& v) {
         s.last = choose(v, {plan::Last::drop, plan::Last::partial, plan::Last::pad});
       }},
      {"order", Scope::stream, Kind::choice, "Streams", 0, "HOW", "sorted",
       "rows within a batch: sorted by sample, shuffled, or as drawn",
       +[](Stream s, const Value& v) {
         s.order = choose(v, {plan::RowOrder::sorted, plan::RowOrder::shuffled, plan::RowOrder::drawn});
       }},
      {"epochs", Scope::stream, Kind::number, "Streams", 0, "N", "0", "how many; 0: endless",
       +[](Stream s, const Value& v) { s.epochs = whole(v, 0); }},
      {"mix", Scope::stream, Kind::text, "Streams", 0, "HOW", "",
       "of the classes: proportion, balanced, or shares: b:2, c:1",
       +[](Stream s, const Value& v) { set_mix(s.mix, v); }},
      {"within", Scope::stream, Kind::choice, "Streams", 0, "WHAT", "batch",
       "where shares of a mix hold: in every batch, or over the epoch",
       +[](Stream s, const Value& v) {
         s.mix.within = choose(v, {plan::Mix::Within::batch, plan::Mix::Within::epoch});
       }},
      {"epoch-size", Scope::stream, Kind::scalar, "Streams", 0, "N", "shortest",
       "of a mix: until a class runs out, longest (all come), or a number",
       +[](Stream s, const Value& v) { s.mix.epoch_size = epoch_size(v); }},
      {"replicas", Scope::stream, Kind::number, "Streams", 0, "N", "1",
       "processes of a node that share a trainer's place and batches",
       +[](Stream s, const Value& v) { s.replicas = static_cast<std::uint32_t>(whole(v, 1, most_replicas)); }},
      {"strict", Scope::top, Kind::toggle, "Streams", 0, "", "false", "streams that share samples are an error",
       +[](Top c, const Value& v) { c.strict = yes(v); }},
      {"seed", Scope::top, Kind::number, "Streams", 0, "N", "0", "decides every order, mixed with the stream's name",
       +[](Top c, const Value& v) { c.seed = whole(v, 0); }},
  };
}

std::vector<Key> class_keys() {
  return {
      {"class-column", Scope::top, Kind::text, "Classes", 0, "ITEM", "",
       "column whose values are classes: jets.flavour", +[](Top c, const Value& v) { c.class_column = v.text(); }},
      {"class-names", Scope::top, Kind::texts, "Classes", 0, "NAMES", "",
       "the classes and their values there: b:5, c:4, u:0|1", +[](Top c, const Value& v) { c.class_names = v.texts; }},
      {"files", Scope::of_class, Kind::list, "Classes", 0, "FILE", "all",
       "those of the service's files whose samples are of it",
       +[](ClassConfig& k, const Value& v) { k.files = v.texts; }, true},
      {"where", Scope::of_class, Kind::text, "Classes", 0, "CONDITION", "", "samples that are of it: target[0] > 10",
       +[](ClassConfig& k, const Value& v) { k.where = condition(v); }},
  };
}

std::vector<Key> service_keys() {
  return {
      {"name", Scope::top, Kind::text, "Service", 0, "NAME", "headrace", "what trainers connect to",
       +[](Top c, const Value& v) { c.name = service_name(v); }},
      {"trainers-per-node", Scope::top, Kind::number, "Service", 0, "N", "1", "trainers that attach on each node",
       +[](Top c, const Value& v) { c.trainers_per_node = static_cast<unsigned>(whole(v, 1, 1024)); }},
      {"slots", Scope::top, Kind::number, "Service", 0, "N", "4 - 16", "batches that a trainer can hold or prefetch",
       +[](Top c, const Value& v) { c.slots = static_cast<unsigned>(whole(v, 2, 1024)); }},
      {"threads", Scope::top, Kind::number, "Service", 0, "N", "0", "workers of a stager; 0: its share of the cores",
       +[](Top c, const Value& v) { c.threads = static_cast<unsigned>(whole(v, 0, 1024)); }},
      {"memory", Scope::top, Kind::size, "Service", 0, "SIZE", "0", "limit per node, as in 64GiB; 0: what is available",
       +[](Top c, const Value& v) { c.memory = bytes(v); }},
      {"scratch", Scope::top, Kind::text, "Service", 0, "DIR", "",
       "on a disk of each node, for samples that do not fit its memory",
       +[](Top c, const Value& v) { c.scratch = v.text(); }, true},
      {"window", Scope::top, Kind::scalar, "Service", 0, "SIZE", "none",
       "shuffle so much at once: 3TiB of all nodes, 200 blocks, or auto",
       +[](Top c, const Value& v) { c.window = window_size(v); }},
      {"block", Scope::top, Kind::size, "Service", 0, "SIZE", "16MiB",
       "of the files, at least, which window reads at once", +[](Top c, const Value& v) { c.block = block_size(v); }},
      {"start", Scope::top, Kind::choice, "Service", 0, "WHEN", "loaded",
       "of epoch 0: loaded, or early, after an eighth of the files",
       +[](Top c, const Value& v) {
         c.start = choose(v, {Start::loaded, Start::early});
       }},
      {"socket", Scope::top, Kind::text, "Service", 0, "PATH", "abstract",
       "path of the trainers' socket, for containers", +[](Top c, const Value& v) { c.socket = socket_path(v); }, true},
      {"ranks", Scope::top, Kind::text, "Service", 0, "A-B", "",
       "of the MPI job that are stagers, beside other MPI programs",
       +[](Top c, const Value& v) { c.ranks = ranks(v); }},
      {"split-nodes", Scope::top, Kind::toggle, "Service", 0, "", "false", "stagers of one node act as separate nodes",
       +[](Top c, const Value& v) { c.split_nodes = yes(v); }},
  };
}

std::vector<Key> running_keys() {
  return {
      {"linger", Scope::top, Kind::time, "Running", 0, "TIME", "120", "wait for trainers to return before the end",
       +[](Top c, const Value& v) { c.linger = seconds(v); }},
      {"stay", Scope::top, Kind::toggle, "Running", 0, "", "false", "linger for good, until 'headrace stop'",
       +[](Top c, const Value& v) { c.stay = yes(v); }},
      {"start-timeout", Scope::top, Kind::time, "Running", 0, "TIME", "30m",
       "end when a stager does not come to where others wait; 0: never",
       +[](Top c, const Value& v) { c.start_timeout = seconds(v); }},
      {"node-timeout", Scope::top, Kind::time, "Running", 0, "TIME", "1m",
       "end when a node is silent so long (power cut); 0: never",
       +[](Top c, const Value& v) { c.node_timeout = seconds(v); }},
      {"stall-timeout", Scope::top, Kind::time, "Running", 0, "TIME", "0", "end when trainers stall so long; 0: never",
       +[](Top c, const Value& v) { c.stall_timeout = seconds(v); }},
      {"audit", Scope::top, Kind::choice, "Running", 0, "HOW", "count",
       "count and hash the samples of each epoch, or full",
       +[](Top c, const Value& v) {
         c.audit = choose(v, {Audit::count, Audit::full});
       }},
      {"log", Scope::top, Kind::text, "Running", 0, "FILE", "", "append one JSON line per event there",
       +[](Top c, const Value& v) { c.log = v.text(); }, true},
      {"metrics", Scope::top, Kind::text, "Running", 0, "FILE", "",
       "figures of each node for Prometheus; %h in it: the host", +[](Top c, const Value& v) { c.metrics = v.text(); },
       true},
      {"quiet", Scope::top, Kind::toggle, "Running", 'q', "", "false", "warnings and errors only",
       +[](Top c, const Value& v) { c.quiet = yes(v); }},
      {"verbose", Scope::top, Kind::toggle, "Running", 'v', "", "false", "tell more",
       +[](Top c, const Value& v) { c.verbose = yes(v); }},
  };
}

bool stands_in(const Key& key, std::string_view section) {
  if (section == "field") return key.scope == Scope::field;
  if (section == "class") return key.scope == Scope::of_class;
  if (section == "stream") return key.scope == Scope::stream || key.scope == Scope::stream_only;
  return key.scope == Scope::top || key.scope == Scope::stream || key.scope == Scope::output;
}

}  // namespace

const std::vector<Key>& keys() {
  static const std::vector<Key> table = [] {
    std::vector<Key> all;
    for (const auto& group : {data_keys(), inventory_keys(), field_keys(), stream_keys(), class_keys(), resample_keys(),
                              output_keys(), service_keys(), running_keys()})
      all.insert(all.end(), group.begin(), group.end());
    return all;
  }();
  return table;
}

const Key* find_key(std::string_view section, std::string_view name) {
  for (const auto& key : keys())
    if (key.name == name && stands_in(key, section)) return &key;
  return nullptr;
}

std::vector<std::string> names_in_section(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& key : keys())
    if (const auto dot = key.name.find('.'); dot != std::string_view::npos && key.name.substr(0, dot) == name)
      names.emplace_back(key.name.substr(dot + 1));
  return names;
}

bool is_section(std::string_view name) {
  return !names_in_section(name).empty();
}

std::string variable_name(std::string_view key) {
  std::string name = "HEADRACE_";
  for (const char c : key)
    name += c == '-' || c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

std::string meant_key(std::string_view section, std::string_view name) {
  const auto meant = nearest(name, key_names(section));
  return meant.empty() ? "?" : meant;
}

std::vector<std::string> key_names(std::string_view section) {
  std::vector<std::string> names;
  for (const auto& key : keys())
    if (stands_in(key, section)) names.emplace_back(key.name);
  return names;
}

}  // namespace headrace::config
