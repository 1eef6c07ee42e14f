#include "config/class_values.hpp"

#include <algorithm>
#include <cmath>

#include "transform/label_map.hpp"

namespace headrace::config {

namespace {

constexpr std::uint64_t largest_share = std::uint64_t{1} << 32;

std::vector<std::string> names_of(const std::vector<ClassConfig>& classes) {
  std::vector<std::string> names;
  for (const auto& one : classes) names.push_back(one.name);
  return names;
}

/// A value as conditions write it: a number, or a text in quotes. What it means the column decides, once it is read.
std::string literal(const std::string& value) {
  return number_in(value) ? value : "'" + value + "'";
}

}  // namespace

void set_mix(MixConfig& mix, const Value& value) {
  mix.shares.clear();
  if (value.text() == "proportion" || value.text() == "balanced") {
    mix.kind = value.text() == "balanced" ? MixConfig::Kind::balanced : MixConfig::Kind::proportion;
    return;
  }
  mix.kind = MixConfig::Kind::shares;
  for (const auto& item : split_items(value.text())) {
    const auto colon = item.rfind(':');
    const auto name = trimmed(item.substr(0, colon));
    const auto number = colon == std::string::npos ? std::nullopt : number_in(trimmed(item.substr(colon + 1)));
    if (name.empty() || !number || *number < 1 || *number > static_cast<double>(largest_share) ||
        *number != std::floor(*number))
      reject(value, "a mix: proportion, balanced, or classes with whole shares from 1 up, as in b:2, c:1");
    for (const auto& share : mix.shares)
      if (share.name == name) throw UsageError(value.shown + " names '" + name + "' twice; give each class one share");
    mix.shares.push_back({name, static_cast<std::uint64_t>(*number)});
  }
}

EpochSize epoch_size(const Value& value) {
  if (value.text() == "shortest") return {};
  if (value.text() == "longest") return {EpochSize::Kind::longest, 0};
  const auto number = number_in(value.text());
  if (!number || *number < 1 || *number > 0x1p53 || *number != std::floor(*number))
    reject(value, "the size of an epoch: shortest, longest, or a whole number of samples from 1 up");
  return {EpochSize::Kind::samples, static_cast<std::uint64_t>(*number)};
}

void settle_classes(Config& config, Mistakes& mistakes) {
  const auto refused = [&](const char* key) { return mistakes.wrong({"", "", key}); };
  if (!config.class_column.empty() && !config.classes.empty())
    return mistakes.add("class-column contradicts [class." + config.classes[0].name +
                        "] (both say what the classes are); keep one of them");
  if (config.class_names.empty() != config.class_column.empty()) {
    const bool names = config.class_column.empty();
    if (!refused("class-column") && !refused("class-names"))
      mistakes.add(names ? "class-names has no effect without class-column; name the column whose values they are"
                         : "class-column needs class-names: the classes with their values, as in [\"b:5\", \"c:4\"]");
    return;
  }
  for (const auto& text : config.class_names)
    mistakes.attempt([&] {
      const auto named = transform::LabelMap::parse(text);
      ClassConfig made{named.name, {}, "", named.values};
      for (const auto& value : named.values)
        made.where += (made.where.empty() ? "" : " || ") + config.class_column + " == " + literal(value);
      const auto names = names_of(config.classes);
      if (std::ranges::find(names, made.name) != names.end())
        throw UsageError("class-names names '" + made.name + "' twice; give all values of a class together, as in \"" +
                         made.name + ":4|5\"");
      config.classes.push_back(std::move(made));
    });
}

void check_mixes(const Config& config, Mistakes& mistakes) {
  const auto names = names_of(config.classes);
  const bool joins = std::ranges::any_of(config.fields, [](const FieldConfig& field) { return !field.join.empty(); });
  for (const auto& one : config.classes)
    if (one.files.empty() && one.where.empty() && !mistakes.wrong({"class", one.name, ""}))
      mistakes.add("[class." + one.name + "] says nothing (which samples are of it?); give files, where, or both");
  for (const auto& stream : config.streams) {
    const auto begin = "[stream." + stream.name + "] ";
    const auto& mix = stream.mix;
    if (mix.kind == MixConfig::Kind::none) {
      if (mix.within != plan::Mix::Within::batch || mix.epoch_size != EpochSize{})
        mistakes.add(begin + "within and epoch-size have no effect without mix; give that too, or drop them");
      continue;
    }
    if (names.empty() && !mistakes.wrong({"", "", "class-names"}) && !mistakes.wrong({"class", "", ""}))
      mistakes.add(begin + "mix = '" + text_of(mix) +
                   "' has no classes to mix; write [class.NAME] sections, or class-column and class-names");
    if (stream.shuffle == plan::Shuffle::none)
      mistakes.add(begin + "mix contradicts shuffle = 'none' (file order has no classes); drop one of them");
    if (joins) mistakes.add(begin + "mix does not go with join yet; join the tables beforehand, or drop mix");
    if (names.empty()) continue;
    for (const auto& share : mix.shares)
      if (std::ranges::find(names, share.name) == names.end())
        mistakes.add(begin + "mix: there is no class '" + share.name + "'" + did_you_mean(share.name, names));
    for (const auto& name : names)
      if (mix.kind == MixConfig::Kind::shares &&
          std::ranges::none_of(mix.shares, [&](const auto& share) { return share.name == name; }))
        mistakes.add(begin + "mix gives class '" + name +
                     "' no share; name every class, or leave its samples out with where");
  }
}

}  // namespace headrace::config
