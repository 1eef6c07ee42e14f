#include "config/toml.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <sstream>

#include "base/user_file.hpp"

namespace headrace::config {

namespace {

/// As short as can be; that of a great number is not all of its digits, and must not look like those of an integer.
std::string number_text(double number) {
  char text[64];
  std::string shortest(text, std::to_chars(text, text + sizeof text, number).ptr);
  if (number > 0x1p53 || number < -0x1p53)
    if (shortest.find_first_of(".einf") == std::string::npos) shortest += ".0";
  return shortest;
}

/// A scalar as the text that a flag would hold; nothing for tables, arrays and dates.
std::optional<std::string> scalar_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) return number_text(number->get());
  if (const auto* toggle = node.as_boolean()) return toggle->get() ? "true" : "false";
  return std::nullopt;
}

std::string source_text(const toml::node& node) {
  std::ostringstream out;
  node.visit([&](const auto& value) { out << value; });
  auto text = out.str();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

/// The entries of a table as the file has them: toml++ sorts by name.
std::vector<std::pair<std::string, const toml::node*>> in_file_order(const toml::table& table) {
  std::vector<std::pair<std::string, const toml::node*>> entries;
  for (const auto& [name, node] : table) entries.emplace_back(std::string(name.str()), &node);
  const auto place = [](const toml::node* node) {
    const auto at = node->source().begin;
    return std::pair{at.line, at.column};
  };
  std::stable_sort(entries.begin(), entries.end(),
                   [&](const auto& a, const auto& b) { return place(a.second) < place(b.second); });
  return entries;
}

class Reader {
 public:
  Reader(std::string path, const Environment& variables, Mistakes& mistakes)
      : path_(std::move(path)), variables_(variables), mistakes_(mistakes) {}

  std::vector<Setting> read() {
    if (const auto text = slurp()) parse(*text);
    return std::move(settings_);
  }

 private:
  std::optional<std::string> slurp() {
    std::string why;
    auto text = read_file_of_user(path_, why);
    if (!text) unread("configuration '" + path_ + "' cannot be read (" + why + "); give the path of a TOML file");
    return text;
  }

  void parse(const std::string& text) {
    if (text.starts_with("\x89HDF"))
      return unread(path_ + ": this is an HDF5 file, and --config takes TOML; data files are named without it (files)");
    try {
      const auto root = toml::parse(text, path_);
      for (const auto& [name, node] : in_file_order(root)) {
        if (name == "field" || name == "stream" || name == "class")
          read_sections(name, *node);
        else if (is_section(name))
          read_section(name, *node);
        else
          read_entry("", "", name, *node);
      }
    } catch (const toml::parse_error& error) {
      const auto at = error.source().begin;
      unread(path_ + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": not TOML (" +
             std::string(error.description()) + ")");
    }
  }

  /// What the file says is not known then; nothing is to be said about keys that flags and environment expect there.
  void unread(const std::string& message) {
    for (const auto* key : {"files", "split"}) mistakes_.add(message, {"", "", key});
  }

  void read_sections(const std::string& kind, const toml::node& node) {
    const auto* sections = node.as_table();
    if (!sections)
      return mistakes_.add(place(node) + kind + " is not a value; begin a section with [" + kind + ".NAME]");
    for (const auto& [name, entry] : in_file_order(*sections)) {
      const auto* section = entry->as_table();
      if (!section) {
        mistakes_.add(place(*entry) + kind + "." + name + " is not a section; begin it with [" + kind + ".NAME]");
        continue;
      }
      settings_.push_back({Source::file, nullptr, kind, name, {{""}, place(*entry) + "[" + kind + "." + name + "]"}});
      for (const auto& [key, value] : in_file_order(*section)) read_entry(kind, name, key, *value);
    }
  }

  /// A section that stands once: its keys are keys of the top level that begin with its name.
  void read_section(const std::string& section, const toml::node& node) {
    const auto* entries = node.as_table();
    if (!entries)
      return mistakes_.add(place(node) + section + " is not a value; begin a section with [" + section + "]");
    for (const auto& [name, entry] : in_file_order(*entries)) {
      if (find_key("", section + "." + name) != nullptr)
        read_entry("", "", section + "." + name, *entry);
      else
        mistakes_.add(place(*entry) + "[" + section + "] unknown key '" + name + "'" +
                          did_you_mean(name, names_in_section(section)),
                      {"", "", meant_key("", section + "." + name)});
    }
  }

  void read_entry(const std::string& kind, const std::string& section, const std::string& name,
                  const toml::node& node) {
    const std::string header = kind.empty() ? "" : "[" + kind + "." + section + "] ";
    const auto* key = find_key(kind, name);
    if (!key)
      return mistakes_.add(place(node) + header + "unknown key '" + name + "'" + did_you_mean(name, names(kind)),
                           {kind, section, meant_key(kind, name)});
    if (const auto* table = node.as_table(); table && key->kind == Kind::selection)
      return read_selection(kind, section, name, *table);
    Value value{{}, place(node) + header + name + " = " + source_text(node)};
    mistakes_.attempt({kind, section, name}, [&] {
      value.texts = texts(*key, node, value);
      if (key->path) relocate(value.texts);
      settings_.push_back({Source::file, key, kind, section, value});
    });
  }

  /// select = { file = "...", by = "...", repeats = true } stands for select-file, select-by and select-repeats.
  void read_selection(const std::string& kind, const std::string& section, const std::string& name,
                      const toml::table& table) {
    for (const auto& [part, entry] : in_file_order(table)) {
      if (part == "file" || part == "by" || part == "repeats")
        read_entry(kind, section, name + "-" + part, *entry);
      else
        mistakes_.add(
            place(*entry) + name + " has no '" + part + "'; write " + name + " = { file = \"FILE\", by = \"index\" }",
            {kind, section, name});
    }
    if (table.empty())
      mistakes_.add(place(table) + name + " = {} is empty; write " + name + " = { file = \"FILE\", by = \"index\" }",
                    {kind, section, name});
  }

  /// Names of columns and values of classes may be numbers, which need no quotes then.
  static bool takes_numbers(const Key& key) {
    return key.kind == Kind::texts && (key.name == "log" || key.name == "raw" || key.name == "classes");
  }

  std::vector<std::string> texts(const Key& key, const toml::node& node, const Value& value) {
    if (key.kind == Kind::pairs) return pair_texts(node, value);
    const bool wordy = key.kind == Kind::list || key.kind == Kind::texts;
    if (const auto* array = node.as_array(); array && (wordy || key.kind == Kind::numbers)) {
      std::vector<std::string> all;
      for (const auto& element : *array) all.push_back(element_text(key, element, value));
      return all;
    }
    if ((wordy || key.kind == Kind::text || key.kind == Kind::selection) && !node.is_string() &&
        !(takes_numbers(key) && node.is_integer()))
      reject(value, key.kind == Kind::list    ? "a list of texts in quotes"
                    : key.kind == Kind::texts ? "a text in quotes, or a list of such"
                                              : "a text in quotes");
    const auto text = scalar_text(node);
    if (!text) reject(value, key.kind == Kind::numbers ? "a number, or a list of numbers" : "a single value");
    return {node.is_string() ? expand(*text, variables_, value.shown) : *text};
  }

  /// { NAME = "TEXT", ... } as NAME=TEXT.
  std::vector<std::string> pair_texts(const toml::node& node, const Value& value) {
    const auto* table = node.as_table();
    if (!table) reject(value, "a table of texts, as in { NAME = \"TEXT\" }");
    std::vector<std::string> all;
    for (const auto& [name, entry] : in_file_order(*table)) {
      if (!entry->is_string()) reject(value, "a table of texts in quotes: " + name + " has none");
      all.push_back(name + "=" + expand(*scalar_text(*entry), variables_, value.shown));
    }
    return all;
  }

  std::string element_text(const Key& key, const toml::node& element, const Value& value) {
    const auto* text = element.as_string();
    if (text) return expand(text->get(), variables_, value.shown);
    if (takes_numbers(key) && element.is_integer()) return *scalar_text(element);
    if (key.kind != Kind::numbers) reject(value, "a list of texts in quotes");
    if (!element.is_number()) reject(value, "a list of numbers");
    return *scalar_text(element);
  }

  void relocate(std::vector<std::string>& paths) const {
    const auto folder = std::filesystem::path(path_).parent_path();
    for (auto& path : paths)
      if (!path.empty()) path = (folder / path).lexically_normal().string();
  }

  static std::vector<std::string> names(const std::string& kind) {
    auto all = key_names(kind);
    if (kind.empty()) all.insert(all.end(), {"[field.NAME]", "[stream.NAME]"});
    return all;
  }

  std::string place(const toml::node& node) const {
    return path_ + ":" + std::to_string(node.source().begin.line) + ": ";
  }

  std::string path_;
  const Environment& variables_;
  Mistakes& mistakes_;
  std::vector<Setting> settings_;
};

}  // namespace

std::vector<Setting> read_toml(const std::string& path, const Environment& variables, Mistakes& mistakes) {
  return Reader(path, variables, mistakes).read();
}

}  // namespace headrace::config
