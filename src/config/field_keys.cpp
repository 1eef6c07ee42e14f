// The keys of [field.NAME]; docs/reference/fields.md tells their meaning.
#include <algorithm>

#include "config/keys.hpp"
#include "config/source_item.hpp"

namespace headrace::config {

namespace {

using F = FieldConfig&;
using V = const Value&;
constexpr auto field = Scope::field;

void set_source(F f, V v) {
  if (v.texts.empty()) reject(v, "an item or a list of items: path, path.column or path[column, ...]");
  for (const auto& text : v.texts) {
    try {
      SourceItem::parse(text);
    } catch (const UsageError& mistake) {
      throw UsageError(v.shown + ": " + mistake.what());
    }
  }
  f.source = v.texts;
}

void set_scale(F f, V v) {
  f.scale = numbers(v);
  for (const auto scale : f.scale)
    if (scale == 0) reject(v, "a scale (values are divided by it); give numbers other than 0");
}

void set_nonfinite(F f, V v) {
  using Kind_ = NonfinitePolicy::Kind;
  if (number_in(v.text()))
    f.nonfinite = {Kind_::value, number(v)};
  else if (v.text() == "error")
    f.nonfinite = {Kind_::error};
  else if (v.text() == "keep")
    f.nonfinite = {Kind_::keep};
  else if (v.text() == "default")
    f.nonfinite = {Kind_::variable_default};
  else
    reject(v, "one of error, keep, default, or a finite number to put in their place");
}

void set_overflow(F f, V v) {
  int bits = 0;
  for (const auto& text : names(v)) {
    if (text == "error" && v.texts.size() > 1)
      reject(v, "one answer (an error, or what is done instead); drop 'error'");
    if (text != "error" && text != "saturate" && text != "truncate") {
      if (v.texts.size() == 1) reject_word(v, {"error", "saturate", "truncate"});
      reject(v, "error, saturate, truncate, or a list of the last two");
    }
    bits |= text == "saturate" ? 1 : text == "truncate" ? 2 : 0;
  }
  f.overflow = static_cast<Overflow>(bits);
}

std::vector<Key> value_keys() {
  return {
      {"source", field, Kind::texts, "Fields", 0, "ITEM", "the field's name",
       "what it is made of: path, path.column, path[column, ...]", +[](F f, V v) { set_source(f, v); }},
      {"decoder", field, Kind::text, "Fields", 0, "HOW", "by the path's ending",
       "of an inventory's files: npy, text, hdf5:PATH, ...",
       +[](F f, V v) { f.decoder = nonempty(v, "a decoder: npy, npz:KEY, text, raw:TYPE:SHAPE, hdf5:PATH, ..."); }},
      {"scale", field, Kind::numbers, "Fields", 0, "X", "1", "(x - shift) / scale; one number, or one per column",
       +[](F f, V v) { set_scale(f, v); }},
      {"shift", field, Kind::numbers, "Fields", 0, "X", "0", "one number, or one per column",
       +[](F f, V v) { f.shift = numbers(v); }},
      {"scale-file", field, Kind::text, "Fields", 0, "FILE", "", "JSON or YAML with shift and scale per variable",
       +[](F f, V v) { f.scale_file = nonempty(v, "the path of a file"); }, true},
      {"norm", field, Kind::choice, "Fields", 0, "HOW", "none", "minmax, standard (of the scale-file), or tanh-log",
       +[](F f, V v) {
         f.norm = choose(v, {Norm::none, Norm::minmax, Norm::standard, Norm::tanh_log});
       }},
      {"norm-over", field, Kind::choice, "Fields", 0, "WHAT", "column", "statistics per column, or of the whole field",
       +[](F f, V v) {
         f.norm_over = choose(v, {NormOver::column, NormOver::field});
       }},
      {"log", field, Kind::texts, "Fields", 0, "COLUMN", "", "columns whose logarithm is taken first",
       +[](F f, V v) { f.log = names(v); }},
      {"raw", field, Kind::texts, "Fields", 0, "COLUMN", "", "columns neither normalised nor scaled",
       +[](F f, V v) { f.raw = names(v); }},
      {"nonfinite", field, Kind::scalar, "Fields", 0, "HOW", "error where computed, else keep",
       "NaN and infinities: error, keep, default, or a number", +[](F f, V v) { set_nonfinite(f, v); }},
      {"dtype", field, Kind::text, "Fields", 0, "TYPE", "that of the source", "type of the values: float16, int64, ...",
       +[](F f, V v) { f.dtype = dtype(v); }},
      {"overflow", field, Kind::texts, "Fields", 0, "HOW", "error",
       "values the type cannot hold: error, truncate (cuts fractions), saturate, or both",
       +[](F f, V v) { set_overflow(f, v); }},
  };
}

std::vector<Key> form_keys() {
  return {
      {"encode", field, Kind::choice, "Fields", 0, "HOW", "none", "labels to one-hot or index",
       +[](F f, V v) {
         f.encode = choose(v, {Encode::none, Encode::one_hot, Encode::index});
       }},
      {"classes", field, Kind::texts, "Fields", 0, "CLASS", "those of the data", "labels in order: name:value|value",
       +[](F f, V v) { f.classes = names(v); }},
      {"valid", field, Kind::text, "Fields", 0, "ITEM", "", "column that says which elements are real",
       +[](F f, V v) { f.valid = nonempty(v, "a dataset or column: path or path.column"); }},
      {"mask", field, Kind::text, "Fields", 0, "NAME", "", "adds a bool field of this name: which elements are real",
       +[](F f, V v) {
         f.mask = nonempty(v, "a name for a field");
         if (f.mask.size() > 64) reject(v, "a name for a field; use 1 to 64 characters");
       }},
      {"pad", field, Kind::number, "Fields", 0, "N", "", "width of ragged rows and joins",
       +[](F f, V v) { f.pad = whole(v, 1, std::uint64_t{1} << 32); }},
      {"overlong", field, Kind::choice, "Fields", 0, "HOW", "error", "rows longer than that: error, truncate",
       +[](F f, V v) {
         f.overlong = choose(v, {Overlong::error, Overlong::truncate});
       }},
      {"join", field, Kind::text, "Fields", 0, "PATH", "", "id dataset by which table rows belong to samples",
       +[](F f, V v) { f.join = nonempty(v, "the path of a dataset"); }},
      {"join-base", field, Kind::number, "Fields", 0, "N", "1", "what ids count from in each file",
       +[](F f, V v) { f.join_base = integer(v); }},
      {"cf", field, Kind::choice, "Fields", 0, "HOW", "auto", "NetCDF decoding: auto, on, off",
       +[](F f, V v) {
         f.cf = choose(v, {CfMode::automatic, CfMode::on, CfMode::off});
       }},
      {"missing", field, Kind::number, "Fields", 0, "X", "", "value where the column is absent",
       +[](F f, V v) { f.missing = number(v); }},
      {"fill", field, Kind::number, "Fields", 0, "X", "0", "value of padding and of other elements that are not real",
       +[](F f, V v) { f.fill = number(v); }},
      {"shape", field, Kind::numbers, "Fields", 0, "N,N", "", "shape of a row",
       +[](F f, V v) { f.shape = extents(v); }},
      {"plugin", field, Kind::text, "Fields", 0, "FILE", "", "library with a C function over blocks of samples",
       +[](F f, V v) { f.plugin = nonempty(v, "the path of a library"); }, true},
      {"plugin-args", field, Kind::text, "Fields", 0, "TEXT", "", "what it is told",
       +[](F f, V v) { f.plugin_args = v.text(); }},
  };
}

}  // namespace

std::vector<Key> field_keys() {
  auto all = value_keys();
  for (auto& key : form_keys()) all.push_back(key);
  return all;
}

}  // namespace headrace::config
