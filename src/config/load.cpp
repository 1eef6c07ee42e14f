#include "config/load.hpp"

#include <algorithm>
#include <filesystem>

#include "config/check.hpp"
#include "config/class_values.hpp"
#include "config/inventory.hpp"
#include "config/resample_values.hpp"
#include "config/window_values.hpp"

namespace headrace::config {

namespace {

std::vector<std::string> split_paths(const std::string& text) {
  std::vector<std::string> paths;
  std::string::size_type from = 0;
  while (from <= text.size()) {
    const auto colon = std::min(text.find(':', from), text.size());
    if (colon > from) paths.push_back(text.substr(from, colon - from));
    from = colon + 1;
  }
  return paths;
}

/// HEADRACE_* variables that are keys. One that is nearly a key is a mistake; the rest are somebody else's.
std::vector<Setting> read_environment(const Environment& variables, Mistakes& mistakes) {
  std::vector<Setting> settings;
  std::vector<std::string> names;
  for (const auto& name : key_names("")) names.push_back(variable_name(name));
  for (const auto& [name, text] : variables) {
    if (name.rfind("HEADRACE_", 0) != 0) continue;
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) {
      const auto meant = name.size() >= 14 ? nearest(name.substr(9),
                                                     [&] {
                                                       std::vector<std::string> tails;
                                                       for (const auto& known : names) tails.push_back(known.substr(9));
                                                       return tails;
                                                     }())
                                           : "";
      if (!meant.empty())
        mistakes.add("unknown environment variable '" + name + "'; did you mean 'HEADRACE_" + meant + "'?");
      continue;
    }
    const auto* key = find_key("", key_names("")[static_cast<std::size_t>(at - names.begin())]);
    Value value{{text}, name + "=" + text};
    if (key->kind == Kind::list && key->path) value.texts = split_paths(text);  // other lists have one entry
    if (key->kind == Kind::texts || key->kind == Kind::numbers) value.texts = split_items(text);
    settings.push_back({Source::environment, key, "", "", value});
  }
  return settings;
}

/// Settings of all sources in ascending precedence, to a Config.
class Assembly {
 public:
  Assembly(std::vector<Setting> settings, Mistakes& mistakes) : settings_(std::move(settings)), mistakes_(mistakes) {}

  Config make(const Arguments& arguments) {
    Config config;
    for (const auto& setting : settings_)
      if (setting.kind.empty() && setting.key->scope == Scope::top) apply(setting, config);
    for (const auto& name : sections("field")) config.fields.push_back(field(name));
    for (const auto& name : sections("class")) config.classes.push_back(class_named(name));
    settle_classes(config, mistakes_);
    for (const auto& name : sections("stream")) config.streams.push_back(stream(name));
    if (config.streams.empty()) config.streams.push_back(stream("train"));
    if (config.quiet && config.verbose) mistakes_.add("quiet and verbose contradict each other; set one of them");
    add_positional(arguments.positional, config);
    settle_inventory(config, mistakes_);
    settle_target(arguments, config);
    check_fields(config, mistakes_);
    check_streams(config, mistakes_);
    check_mixes(config, mistakes_);
    check_resampling(config, mistakes_);
    check_window(config, mistakes_);
    return config;
  }

 private:
  void add_positional(const std::vector<std::string>& positional, Config& config) const {
    if (positional.empty()) return;
    const bool flagged = std::any_of(settings_.begin(), settings_.end(), [](const Setting& s) {
      return s.source == Source::flag && s.kind.empty() && s.key->name == "files";
    });
    if (!flagged) config.files.clear();
    config.files.insert(config.files.end(), positional.begin(), positional.end());
  }

  /// Of resample.target only the classes tell whether it is a file: it is one beside the configuration that names it.
  void settle_target(const Arguments& arguments, Config& config) const {
    if (!has_target_file(config)) return;
    Source source = Source::flag;
    for (const auto& setting : settings_)
      if (setting.kind.empty() && setting.key->name == "resample.target") source = setting.source;
    if (source != Source::file) return;
    const auto folder = std::filesystem::path(arguments.config).parent_path();
    config.resample.target = (folder / config.resample.target).string();
  }

  template <class Target>
  void apply(const Setting& setting, Target& target) {
    mistakes_.attempt({setting.kind, setting.section, std::string(setting.key->name)},
                      [&] { std::get<void (*)(Target&, const Value&)>(setting.key->set)(target, setting.value); });
  }

  /// Names of the sections of this kind, in the order in which the sources name them.
  std::vector<std::string> sections(const std::string& kind) {
    std::vector<std::string> names;
    for (const auto& setting : settings_)
      if (setting.kind == kind && std::find(names.begin(), names.end(), setting.section) == names.end())
        names.push_back(setting.section);
    for (const auto& name : names)
      if (name.empty() || name.size() > 64)
        mistakes_.add("'" + name + "' is not a name for a " + kind + "; use 1 to 64 characters");
    return names;
  }

  FieldConfig field(const std::string& name) {
    FieldConfig field{.name = name, .source = {name}};
    for (const auto& setting : settings_)
      if (setting.kind == "field" && setting.section == name && setting.key) apply(setting, field);
    return field;
  }

  ClassConfig class_named(const std::string& name) {
    ClassConfig made{.name = name, .files = {}, .where = {}};
    for (const auto& setting : settings_)
      if (setting.kind == "class" && setting.section == name && setting.key) apply(setting, made);
    return made;
  }

  StreamConfig stream(const std::string& name) {
    StreamConfig stream;
    stream.name = name;
    bool last_given = false;
    for (const auto* setting : settings_of(name)) {
      apply(*setting, stream);
      last_given = last_given || setting->key->name == "last";
    }
    if (!last_given) stream.last = stream.shuffle == plan::Shuffle::none ? plan::Last::partial : plan::Last::drop;
    return stream;
  }

  /// What holds for this stream, in ascending precedence: by source, and within one the top level before the section.
  std::vector<const Setting*> settings_of(const std::string& stream) {
    std::vector<const Setting*> own;
    for (const auto& setting : settings_)
      if (setting.key && setting.kind != "field" && setting.kind != "class" &&
          std::holds_alternative<void (*)(StreamConfig&, const Value&)>(setting.key->set) &&
          (setting.kind.empty() || setting.section == stream))
        own.push_back(&setting);
    const auto rank = [](const Setting* s) { return std::pair{s->source, !s->kind.empty()}; };
    std::stable_sort(own.begin(), own.end(), [&](const auto* a, const auto* b) { return rank(a) < rank(b); });
    for (const auto* a : own)
      for (const auto* b : own) {
        if (rank(a) == rank(b) && a->key->name == "batch" && b->key->name == "global-batch")
          mistakes_.add(b->value.shown + " contradicts batch; give one of batch and global-batch");
        if (rank(a) == rank(b) && a->key->name == "select" && b->key->name == "select-file")
          mistakes_.add(b->value.shown + " contradicts select; give one of select and select-file",
                        {"stream", stream, "select"});
      }
    return own;
  }

  std::vector<Setting> settings_;
  Mistakes& mistakes_;
};

}  // namespace

namespace {

/// In ascending precedence.
std::vector<Setting> all_settings(const Arguments& arguments, const Environment& variables, Mistakes& mistakes) {
  std::vector<Setting> settings;
  const auto add = [&](std::vector<Setting> more) {
    settings.insert(settings.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  };
  if (!arguments.config.empty()) add(read_toml(arguments.config, variables, mistakes));
  add(read_environment(variables, mistakes));
  add(arguments.settings);
  return settings;
}

}  // namespace

Config read_config(const Arguments& arguments, const Environment& variables, Mistakes& mistakes) {
  auto settings = all_settings(arguments, variables, mistakes);
  return Assembly(std::move(settings), mistakes).make(arguments);
}

Outputs read_outputs(const Arguments& arguments, const Environment& variables, Mistakes& mistakes) {
  Outputs outputs;
  for (const auto& setting : all_settings(arguments, variables, mistakes)) {
    if (!setting.key || setting.key->scope != Scope::output) continue;
    mistakes.attempt({"", "", std::string(setting.key->name)},
                     [&] { std::get<void (*)(Outputs&, const Value&)>(setting.key->set)(outputs, setting.value); });
  }
  return outputs;
}

Config load_config(const Arguments& arguments, const Environment& variables, Mistakes mistakes) {
  auto config = read_config(arguments, variables, mistakes);
  mistakes.throw_if_any();
  return config;
}

}  // namespace headrace::config
