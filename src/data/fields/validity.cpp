// Which records of a field are real: its own members, the lengths of rows, another dataset, or the join.
#include "base/error.hpp"
#include "data/fields/draft.hpp"

namespace headrace::data::fields {

namespace {

using From = transform::ValidSpec::From;

void check_tracks(const ResolveInput& input, const FieldDraft& draft, const columns::ItemLayout& named) {
  if (named.tracks != draft.tracks)
    throw UsageError("valid = '" + input.config.valid + "' is for " + columns::text_of(named.tracks) +
                     " records a sample, and the field has " + columns::text_of(draft.tracks));
}

void set_by_name(const ResolveInput& input, const FieldDraft& draft,
                 const std::vector<const columns::ItemLayout*>& items, ResolvedField& resolved) {
  const auto named = named_validity(input);
  check_tracks(input, draft, named);
  const auto& cell = named.columns[0].cell;
  auto& validity = resolved.validity;
  for (std::size_t i = 0; i < items.size(); ++i) {
    auto& spec = resolved.spec.items[i];
    if (spec.repeated || spec.constant) continue;
    // A plain dataset's record is the run of its columns, not a cell of validity.
    const bool inside = items[i]->path == named.path && !items[i]->plain && !items[i]->picked;
    spec.valid = inside ? transform::ValidSpec{From::record, cell} : transform::ValidSpec{From::outside, {}};
    if (!inside) continue;
    validity.items.push_back(i);
    for (const auto& here : named.columns[0].in_file) resolved.over_files[i].valid.push_back(here.cell);
  }
  if (!validity.items.empty()) {
    validity.from = ValiditySource::From::items;
    return;
  }
  validity.from = ValiditySource::From::dataset;
  validity.dataset = named.path;
  validity.raw = named.raw;
  validity.cell = cell;
  validity.in_file = named.columns[0].in_file;
  validity.rows_in_file = named.in_file;
}

void set_own(const columns::ItemLayout& item, transform::ItemSpec& spec, ItemOverFiles& over_files) {
  spec.valid = {From::record, *item.valid};
  for (const auto& here : item.in_file) over_files.valid.push_back(here.valid.value_or(*item.valid));
}

void set_by_default(const FieldDraft& draft, const std::vector<const columns::ItemLayout*>& items,
                    ResolvedField& resolved) {
  auto& validity = resolved.validity;
  for (std::size_t i = 0; i < items.size(); ++i) {
    auto& spec = resolved.spec.items[i];
    if (spec.repeated || spec.constant || draft.tracks.empty()) continue;
    if (items[i]->raw.ragged)
      spec.valid = {From::length, {}};
    else if (items[i]->valid)
      set_own(*items[i], spec, resolved.over_files[i]);
    else
      continue;
    validity.items.push_back(i);
  }
  if (validity.items.empty()) return;
  validity.from = ValiditySource::From::items;
  for (auto& spec : resolved.spec.items)
    if (spec.valid.from == From::nowhere && !spec.repeated && !spec.constant) spec.valid.from = From::outside;
}

}  // namespace

columns::ItemLayout named_validity(const ResolveInput& input) {
  const auto& text = input.config.valid;
  const auto found = columns::find_item(config::SourceItem::parse(text), input.datasets);
  auto layout = columns::lay_out(found, *input.datasets.find(found.dataset), false, false);
  if (layout.raw.ragged)
    throw UsageError("valid = '" + text + "' has rows of variable length; their length says already what is real");
  if (layout.plain) columns::turn_columns_to_records(layout);
  if (layout.columns.size() != 1) throw UsageError("valid = '" + text + "' is not one column; write path.column");
  if (layout.columns[0].type->kind == h5::Kind::floating)
    throw UsageError("valid = '" + text + "' is " + h5::text_of(*layout.columns[0].type) +
                     "; validity is bool or a whole number, not 0 where real");
  return layout;
}

void set_validity(const ResolveInput& input, const FieldDraft& draft,
                  const std::vector<const columns::ItemLayout*>& items, ResolvedField& resolved) {
  if (!input.config.join.empty()) {
    resolved.validity.from = ValiditySource::From::join;
    for (auto& spec : resolved.spec.items)
      if (!spec.constant) spec.valid.from = From::outside;
  } else if (!input.config.valid.empty()) {
    set_by_name(input, draft, items, resolved);
  } else {
    set_by_default(draft, items, resolved);
  }
}

}  // namespace headrace::data::fields
