#include "config/check.hpp"

#include <algorithm>

#include "transform/label_map.hpp"

namespace headrace::config {

namespace {

/// The checks of one field.
class FieldCheck {
 public:
  FieldCheck(const FieldConfig& field, Mistakes& mistakes) : f_(field), mistakes_(mistakes) {}

  void run() {
    labels();
    scaling();
    form();
  }

 private:
  void wrong(const std::string& what) { mistakes_.add("[field." + f_.name + "] " + what, {"field", f_.name, ""}); }
  void excludes(bool both, const std::string& one, const std::string& other) {
    if (both) wrong(one + " contradicts " + other + "; give one of them");
  }
  /// Whether a key may be missing because it, or its value, was refused.
  bool refused(const std::string& key) const {
    return mistakes_.wrong({"field", f_.name, key}) || mistakes_.wrong({"field", f_.name, "?"});
  }
  /// others: the keys of which one is needed; `text` names them.
  void needs(bool missing, const std::string& key, std::initializer_list<const char*> others, const std::string& text) {
    const bool all_missing = std::none_of(others.begin(), others.end(), [&](const char* k) { return refused(k); });
    if (missing && all_missing) wrong(key + " has no effect without " + text + "; give that too, or drop " + key);
  }
  void needs(bool missing, const std::string& key, const char* other) { needs(missing, key, {other}, other); }

  void labels() {
    needs(!f_.classes.empty() && f_.encode == Encode::none, "classes", "encode");
    check_classes();
    if (f_.encode == Encode::none) return;
    const auto encode = "encode = '" + std::string(word(f_.encode)) + "'";
    const auto alone = [&](bool given, const std::string& key) {
      if (given) wrong(key + " contradicts " + encode + " (labels are not computed with); drop one of them");
    };
    alone(!f_.scale.empty(), "scale");
    alone(!f_.shift.empty(), "shift");
    alone(!f_.scale_file.empty(), "scale-file");
    alone(f_.norm != Norm::none, "norm");
    alone(!f_.log.empty(), "log");
    alone(!f_.raw.empty(), "raw");
    alone(f_.nonfinite.kind != NonfinitePolicy::Kind::unsaid, "nonfinite");
    alone(f_.missing.has_value(), "missing");
    alone(!f_.plugin.empty(), "plugin");
    alone(f_.cf == CfMode::on, "cf = 'on'");
    if (f_.source.size() > 1) wrong(encode + " takes one source, not " + std::to_string(f_.source.size()));
  }

  void check_classes() {
    if (f_.classes.empty()) return;
    try {
      std::vector<transform::LabelMap::Class> classes;
      for (const auto& text : f_.classes) classes.push_back(transform::LabelMap::parse(text));
      transform::LabelMap(std::move(classes));
    } catch (const UsageError& mistake) {
      wrong(mistake.what());
    }
  }

  void scaling() {
    const bool from_file = f_.norm == Norm::minmax || f_.norm == Norm::standard;
    const auto norm = "norm = '" + std::string(word(f_.norm)) + "'";
    if (from_file && f_.scale_file.empty() && !refused("scale-file"))
      wrong(norm + " needs the statistics of a scale-file; 'headrace stats' writes one");
    excludes(!f_.scale.empty() && !f_.scale_file.empty(), "scale", "scale-file");
    excludes(!f_.shift.empty() && !f_.scale_file.empty(), "shift", "scale-file");
    excludes(!f_.scale.empty() && from_file, "scale", norm);
    excludes(!f_.shift.empty() && from_file, "shift", norm);
    needs(f_.norm_over == NormOver::field && !from_file, "norm-over", {"norm"}, "norm = 'minmax' or 'standard'");
    needs(f_.nonfinite.kind == NonfinitePolicy::Kind::variable_default && f_.scale_file.empty(),
          "nonfinite = 'default'", "scale-file");
    const bool computed = f_.norm != Norm::none || !f_.scale.empty() || !f_.shift.empty() || !f_.scale_file.empty();
    needs(!f_.raw.empty() && !computed, "raw", {"scale", "shift", "scale-file", "norm"},
          "scale, shift, scale-file or norm");
    if (f_.scale.size() > 1 && f_.shift.size() > 1 && f_.scale.size() != f_.shift.size())
      wrong("scale has " + std::to_string(f_.scale.size()) + " numbers and shift " + std::to_string(f_.shift.size()) +
            "; give one, or one per column, of each");
  }

  void form() {
    if (!f_.join.empty() && !f_.pad && !refused("pad"))
      wrong("join needs pad: to how many rows of the table a sample is padded");
    excludes(!f_.join.empty() && !f_.valid.empty(), "valid", "join (which says itself what is real)");
    needs(f_.join.empty() && f_.join_base != 1, "join-base", "join");
    needs(f_.overlong == Overlong::truncate && !f_.pad, "overlong", "pad");
    needs(!f_.plugin_args.empty() && f_.plugin.empty(), "plugin-args", "plugin");
  }

  const FieldConfig& f_;
  Mistakes& mistakes_;
};

void check_masks(const Config& config, Mistakes& mistakes) {
  for (auto field = config.fields.begin(); field != config.fields.end(); ++field) {
    if (field->mask.empty()) continue;
    for (const auto& other : config.fields)
      if (other.name == field->mask)
        mistakes.add("[field." + field->name + "] mask '" + field->mask + "' is the name of a field; choose another");
    for (auto earlier = config.fields.begin(); earlier != field; ++earlier)
      if (earlier->mask == field->mask)
        mistakes.add("[field." + field->name + "] mask '" + field->mask + "' is already that of field '" +
                     earlier->name + "'; choose another");
  }
}

}  // namespace

void check_fields(const Config& config, Mistakes& mistakes) {
  for (const auto& field : config.fields) FieldCheck(field, mistakes).run();
  check_masks(config, mistakes);
}

void check_streams(const Config& config, Mistakes& mistakes) {
  std::vector<std::string> parts;
  for (const auto& part : config.split) parts.push_back(part.name);
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const bool no_split = mistakes.wrong({"", "", "split"});  // which parts there are is not known then
  for (const auto& stream : config.streams) {
    const auto begin = "[stream." + stream.name + "] ";
    const KeyPlace place{"stream", stream.name, "select"};
    if (!stream.select.empty() && letter(stream.select[0]) && !no_split &&
        std::find(parts.begin(), parts.end(), stream.select) == parts.end())
      mistakes.add(begin + "select = '" + stream.select + "' is neither Python slices nor a part of the split" +
                       did_you_mean(stream.select, parts),
                   place);
    const auto refused = [&](const char* key) {
      return mistakes.wrong({"stream", stream.name, key}) || mistakes.wrong({"", "", key});
    };
    if (stream.select_file.empty() && !stream.select_by.empty() && !refused("select-file"))
      mistakes.add(begin + "select-by has no effect without select-file; give the list's file too", place);
    if (!stream.select_file.empty() && stream.select_by.empty() && !refused("select-by"))
      mistakes.add(
          begin + "select-file needs select-by: 'index', or the path of the dataset whose values the list holds",
          place);
  }
}

}  // namespace headrace::config
