#include "config/inventory.hpp"

#include <algorithm>

#include "config/source_item.hpp"

namespace headrace::config {

namespace {

const InventoryConfig no_inventory;
const FetchConfig no_fetch;

bool is_url(const std::string& path) {
  return path.starts_with("http://") || path.starts_with("https://");
}

/// What a source is called with columns behind it: "@file.b", "@file[a, b]".
bool begins(const std::string& item, std::string_view source) {
  return item.starts_with(source) && (item.size() == source.size() || item[source.size()] == '.' ||
                                      item[source.size()] == '[');
}

/// The decoder that the ending of a path stands for; "" where more has to be said.
std::string decoder_by_ending(std::string path) {
  if (is_url(path)) path = path.substr(0, path.find_first_of("?#"));
  const auto ends = [&](std::string_view ending) { return path.ends_with(ending); };
  if (ends(".npy")) return "npy";
  if (ends(".txt") || ends(".csv") || ends(".tsv") || ends(".dat")) return "text";
  return "";
}

/// What one section says against the others.
class Settling {
 public:
  Settling(Config& config, Mistakes& mistakes) : c_(config), mistakes_(mistakes) {}

  void run() {
    const bool there = !c_.inventory.csv.empty();
    const bool refused = wrong_before("inventory.csv") || wrong_before("files");
    if (!there && !refused) without();
    if (there) check();
    for (auto& field : c_.fields)
      if (there || refused)
        settle(field);
      else
        needs_inventory(field);
  }

 private:
  bool wrong_before(const std::string& key) const { return mistakes_.wrong({"", "", key}); }

  void without() {
    if (!(c_.inventory == no_inventory))
      mistakes_.add("[inventory] has no csv; name the table of the samples (csv = \"inventory.csv\"), or drop it");
    else if (!(c_.fetch == no_fetch))
      mistakes_.add("[fetch] has no effect without [inventory]; name the table of the samples there");
  }

  void check() {
    const auto& inventory = c_.inventory;
    if (!c_.files.empty())
      mistakes_.add("[inventory] csv contradicts files; give the one or the other", {"", "", "files"});
    for (const auto& stream : c_.streams)
      if (!stream.files.empty())
        mistakes_.add("[stream." + stream.name + "] files has no meaning in an inventory; use where on a column of it");
    if (c_.fields.empty() && !mistakes_.wrong({"field", "", ""}))
      mistakes_.add(
          "an inventory needs fields (nothing says what its files hold); write [field.NAME] with source = \"@file\" or "
          "\"@csv.COLUMN\"");
    if (inventory.path.empty() || wrong_before("inventory.path")) return;
    mistakes_.attempt({"", "", "inventory.path"}, [&] {
      if (columns_of(inventory.path).empty())
        throw UsageError("[inventory] path = '" + inventory.path +
                         "' names one file for all samples; put columns into it, as in data/{id}.npy");
    });
    if (!(c_.fetch == no_fetch) && inventory.path.find("://") == std::string::npos && !inventory.path.starts_with('{'))
      mistakes_.add("[fetch] has no effect on files (path = '" + inventory.path + "' is no URL); drop it");
  }

  void needs_inventory(const FieldConfig& field) {
    const auto wrong = [&](const std::string& what) {
      mistakes_.add("[field." + field.name + "] " + what + "; name the table in [inventory] csv",
                    {"field", field.name, ""});
    };
    if (!field.decoder.empty()) return wrong("decoder has no effect without an inventory");
    for (const auto& item : field.source)
      if (begins(item, file_source) || (begins(item, table_source) && item != table_source))
        wrong("source = '" + item + "' is of an inventory, and there is none");
  }

  void settle(FieldConfig& field) {
    const bool unsaid = field.source == std::vector<std::string>{field.name};
    if (unsaid && !field.decoder.empty()) field.source = {std::string(file_source)};
    const bool files = std::ranges::any_of(field.source, [](const auto& item) { return begins(item, file_source); });
    const auto wrong = [&](const std::string& what) {
      mistakes_.add("[field." + field.name + "] " + what, {"field", field.name, "source"});
    };
    if (!files) {
      if (!field.decoder.empty()) wrong("decoder has no effect without source = '@file'; drop it");
      for (const auto& item : field.source)
        if (!item.starts_with('@') && !item.starts_with("`@") && !item.starts_with("\"@"))
          wrong("source = '" + item + "' is neither '@file' nor '@csv.COLUMN', and an inventory has nothing else");
      return;
    }
    if (field.decoder.empty()) field.decoder = decoder_by_ending(c_.inventory.path);
    if (field.decoder.empty())
      return wrong(
          "'@file' needs a decoder: npy, npz:KEY, text, raw:TYPE:SHAPE, hdf5:PATH, python:MODULE:NAME or "
          "plugin:FILE");
    if (c_.inventory.path.empty() && !wrong_before("inventory.path") && !told_path_) {
      mistakes_.add("[inventory] has no path; say which file a sample has, as in path = \"data/{id}.npy\"");
      told_path_ = true;
    }
    for (auto& item : field.source)
      if (begins(item, file_source)) item.replace(0, file_source.size(), as_item(decoded_dataset(field.decoder)));
  }

  Config& c_;
  Mistakes& mistakes_;
  bool told_path_ = false;
};

}  // namespace

std::string decoded_dataset(std::string_view decoder) {
  return std::string(file_source) + ":" + std::string(decoder);
}

std::string decoder_in(const std::string& dataset) {
  const auto begin = decoded_dataset("");
  return dataset.starts_with(begin) ? dataset.substr(begin.size()) : "";
}

bool is_code(std::string_view decoder) {
  return decoder.starts_with("python:") || decoder.starts_with("plugin:");
}

std::vector<std::string> columns_of(const std::string& path) {
  std::vector<std::string> columns;
  for (std::size_t at = 0; at < path.size(); ++at) {
    if (path[at] != '{' && path[at] != '}') continue;
    const auto end = path.find_first_of("{}", at + 1);
    if (path[at] == '}' || end == std::string::npos || path[end] == '{' || end == at + 1)
      throw UsageError("[inventory] path = '" + path +
                       "': its braces do not match; write {COLUMN}, as in data/{id}.npy");
    columns.push_back(path.substr(at + 1, end - at - 1));
    at = end;
  }
  return columns;
}

void settle_inventory(Config& config, Mistakes& mistakes) {
  Settling(config, mistakes).run();
}

}  // namespace headrace::config
