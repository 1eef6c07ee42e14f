#include "data/fields/draft.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace headrace::data::fields {

namespace {

/// Stands for a dataset that is not there.
columns::ItemLayout absent_item(const config::SourceItem& source) {
  columns::ItemLayout item;
  item.path = source.path;
  item.column_axis = source.bracketed;
  if (source.bracketed) {
    for (const auto& name : source.columns) item.columns.push_back({.name = name});
    return item;
  }
  const auto dot = source.path.rfind('.');
  if (dot != std::string::npos) item.path.resize(dot);
  item.columns.push_back({.name = dot == std::string::npos ? source.path : source.path.substr(dot + 1)});
  return item;
}

columns::ItemLayout find_layout(const ResolveInput& input, const std::string& text) {
  const auto& config = input.config;
  const auto source = config::SourceItem::parse(text);
  columns::FoundItem found;
  try {
    found = columns::find_item(source, input.datasets);
  } catch (const UsageError&) {
    if (!config.missing) throw;
    return absent_item(source);
  }
  return columns::lay_out(found, *input.datasets.find(found.dataset), config.missing.has_value(),
                          config.encode != config::Encode::none);
}

/// Ragged rows and tables get the width `pad`.
void pad_records(const config::FieldConfig& config, columns::ItemLayout& item) {
  const bool joined = !config.join.empty() && item.dataset;
  if (joined && (item.raw.ragged || !item.tracks.empty()))
    throw UsageError("dataset '" + item.path + "' cannot be joined (each of its rows is " +
                     columns::text_of(item.tracks) + " records); a table has one record a row");
  if (item.raw.ragged && !config.pad)
    throw UsageError("dataset '" + item.path +
                     "' has rows of variable length; give pad = N, how many elements of "
                     "each are delivered");
  if (joined || item.raw.ragged) item.tracks = {config.pad.value()};
}

/// Two ways to read a plain dataset's last axis: as columns, or as records beside those of another item, or of `valid`.
void fit_plain(std::vector<columns::ItemLayout>& items, const columns::Extents& validity) {
  std::vector<columns::ItemLayout*> turned;
  for (auto& item : items) {
    if (!item.plain || !item.column_axis || item.raw.ragged || columns::is_expanded(item)) continue;
    auto row = item.tracks;
    row.push_back(item.width);
    const bool beside = std::any_of(items.begin(), items.end(), [&](const auto& other) {
      return &other != &item && other.dataset && other.tracks == row;
    });
    if (beside || validity == row) turned.push_back(&item);
  }
  for (auto* item : turned) columns::turn_columns_to_records(*item);
}

void agree_on_tracks(FieldDraft& draft) {
  const columns::ItemLayout* first = nullptr;
  for (const auto& item : draft.items) {
    if (item.tracks.empty()) continue;
    if (!first) first = &item;
    if (item.tracks != first->tracks)
      throw UsageError("datasets '" + first->path + "' and '" + item.path + "' do not fit side by side (" +
                       columns::text_of(first->tracks) + " records a sample beside " + columns::text_of(item.tracks) +
                       "); make them two fields");
  }
  if (first) draft.tracks = first->tracks;
}

/// Whether a plain dataset's columns need to be told apart.
bool columns_differ(const ResolveInput& input, const columns::ItemLayout& item) {
  const auto& config = input.config;
  if (config.scale.size() > 1 || config.shift.size() > 1 || !config.plugin.empty()) return true;
  if (config.mask.size() + config.valid.size() > 0) return true;
  for (const auto* list : {&config.log, &config.raw})
    for (const auto& name : *list)
      if (name != item.path && name != config.name) return true;  // a column, by number
  if (input.measuring) return config.norm_over == config::NormOver::column && item.width <= 4096;
  return input.scales && input.scales->has(item.path, "0");
}

void collapse(FieldDraft& draft) {
  auto& item = draft.items[0];
  draft.collapsed = true;
  draft.collapsed_axes = item.tracks;
  if (item.column_axis) draft.collapsed_axes.push_back(item.width);
  columns::turn_columns_to_records(item);
  draft.tracks = item.tracks;
}

}  // namespace

FieldDraft draft_field(const ResolveInput& input) {
  FieldDraft draft;
  const auto& config = input.config;
  for (const auto& text : config.source) draft.items.push_back(find_layout(input, text));
  for (auto& item : draft.items) pad_records(config, item);
  if (config.pad && config.join.empty() &&
      std::none_of(draft.items.begin(), draft.items.end(), [](const auto& item) { return item.raw.ragged; }))
    throw UsageError(
        "pad has no effect (no dataset of it has rows of variable length, and nothing is joined); drop it");
  fit_plain(draft.items, config.valid.empty() ? columns::Extents{} : named_validity(input).tracks);
  if (config.encode != config::Encode::none && draft.items[0].plain && config.join.empty())
    columns::turn_columns_to_records(draft.items[0]);
  agree_on_tracks(draft);
  const auto& first = draft.items[0];
  if (draft.items.size() == 1 && first.plain && !first.raw.ragged && config.join.empty() &&
      !columns::is_expanded(first) && !columns_differ(input, first)) {
    collapse(draft);
    return draft;
  }
  for (auto& item : draft.items) columns::expand_columns(item);
  draft.column_axis = draft.items.size() > 1 || first.column_axis;
  draft.columns = column_names(draft);
  return draft;
}

bool is_repeated(const FieldDraft& draft, const columns::ItemLayout& item) {
  return item.tracks.empty() && !draft.tracks.empty();
}

}  // namespace headrace::data::fields
