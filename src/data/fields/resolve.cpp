#include "data/fields/resolve.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/narrow.hpp"
#include "data/fields/draft.hpp"
#include "data/fields/files.hpp"

namespace headrace::data::fields {

namespace {

/// Turns the draft into spec and schema entry.
class Resolution {
 public:
  explicit Resolution(const ResolveInput& input) : input_(input), config_(input.config), draft_(draft_field(input)) {}

  ResolvedField make() {
    result_.spec.name = config_.name;
    add_items();
    place_columns();
    set_operations(input_, columns_);
    tell_left_packed();
    set_validity(input_, draft_, origins_, result_);
    shape();
    labels();
    result_.spec.dtype = dtype();
    set_nonfinite(input_, columns_, result_.spec.dtype);
    describe();
    list_needs();
    list_packings();
    return std::move(result_);
  }

 private:
  /// Each of them is in the same files.
  static bool there_alike(const columns::ItemColumn& a, const columns::ItemColumn& b) {
    if ((a.type == nullptr) != (b.type == nullptr)) return false;
    return std::equal(a.in_file.begin(), a.in_file.end(), b.in_file.begin(), b.in_file.end(),
                      [](const auto& x, const auto& y) { return (x.type == nullptr) == (y.type == nullptr); });
  }

  /// An item of the specification for each run of columns that are all there, or all absent, in any file.
  void add_items() {
    std::uint32_t first = 0;
    for (const auto& item : draft_.items)
      for (std::size_t from = 0; from < item.columns.size();) {
        auto to = from + 1;
        while (to < item.columns.size() && there_alike(item.columns[to], item.columns[from])) ++to;
        add_item(item, from, to, first);
        first += narrow<std::uint32_t>(to - from);
        from = to;
      }
    result_.spec.columns = first;
  }

  void add_item(const columns::ItemLayout& item, std::size_t from, std::size_t to, std::uint32_t first_column) {
    transform::ItemSpec spec;
    spec.dataset = item.path;
    spec.first_column = first_column;
    for (auto i = from; i < to; ++i)
      spec.columns.push_back(
          {.name = item.picked ? item.columns[i].path : item.columns[i].name, .cell = item.columns[i].cell});
    if (item.columns[from].type) {
      spec.raw = item.raw;
      spec.repeated = is_repeated(draft_, item);
      spec.plugin = input_.plugin;
    } else {
      spec.constant = config_.missing.value();
    }
    result_.spec.items.push_back(std::move(spec));
    auto& over_files = result_.over_files.emplace_back();
    for (const auto& here : item.in_file) over_files.raw.push_back(here.raw);
    origins_.push_back(&item);
    starts_.push_back(from);
  }

  void place_columns() {
    for (std::size_t i = 0; i < origins_.size(); ++i)
      for (std::size_t c = 0; c < result_.spec.items[i].columns.size(); ++c)
        columns_.push_back({origins_[i], starts_[i] + c,
                            draft_.columns.empty() ? std::string() : draft_.columns[columns_.size()],
                            &result_.spec.items[i].columns[c]});
  }

  /// Labels are those of the file as it stands.
  void tell_left_packed() {
    if (config_.encode != config::Encode::none) return;
    for (const auto& item : draft_.items)
      if (const auto text = item.dataset ? left_packed(*item.dataset, config_.cf) : ""; !text.empty())
        if (auto& all = result_.left_packed; std::find(all.begin(), all.end(), text) == all.end()) all.push_back(text);
  }

  void shape() {
    auto& spec = result_.spec;
    spec.records = columns::product(draft_.tracks);
    spec.fill = config_.fill.value_or(0);
    spec.truncate = config_.overlong == config::Overlong::truncate;
    spec.overflow = config_.overflow;
    result_.field.name = config_.name;
    result_.field.shape = draft_.collapsed ? draft_.collapsed_axes : draft_.tracks;
    if (draft_.column_axis) {
      result_.field.shape.push_back(spec.columns);
      const bool named = std::any_of(origins_.begin(), origins_.end(), [](const auto* item) { return !item->plain; });
      if (named || origins_.size() > 1) result_.field.columns = draft_.columns;
    }
  }

  void labels() {
    if (config_.encode == config::Encode::none) return;
    auto& spec = result_.spec;
    spec.one_hot = config_.encode == config::Encode::one_hot;
    spec.labels = label_map(input_, *origins_[0]);
    result_.needs_label_values = spec.labels == nullptr;
    if (!spec.labels) return;
    for (const auto& one : spec.labels->classes()) result_.field.classes.push_back(one.name);
    if (!spec.one_hot) return;
    if (draft_.column_axis) result_.field.shape.pop_back();
    result_.field.columns.clear();
    result_.field.shape.push_back(spec.labels->size());
    spec.columns = narrow<std::uint32_t>(spec.labels->size());
  }

  DType dtype() const {
    if (config_.dtype) return *config_.dtype;
    if (config_.encode != config::Encode::none)
      return config_.encode == config::Encode::one_hot ? DType::float32 : DType::int64;
    std::optional<DType> common;
    for (const auto& column : columns_)
      if (column.item->columns[column.index].type) {
        const auto own = type_over_files(*column.spec, column.packings, [&](const auto& spec) {
          return transform::natural_dtype(spec, !config_.plugin.empty());
        });
        require_lossless(column, own, !config_.plugin.empty());
        common = common ? transform::result_type(*common, own) : own;
      }
    return common.value_or(DType::float32);  // all of it is absent
  }

  void describe() {
    auto& field = result_.field;
    field.dtype = result_.spec.dtype;
    if (columns::product({result_.spec.records, result_.spec.columns, size_of(field.dtype)}) >> 62)
      throw UsageError("rows of " + columns::text_of(field.shape) + " are too large");
    if (config_.shape) reshape();
    const bool all_real = result_.validity.from == ValiditySource::From::nowhere;
    if (config_.fill && all_real)
      throw UsageError(
          "fill has nothing to fill (all elements are real); name the column that says which are with "
          "valid, or drop fill");
    if (config_.mask.empty()) return;
    if (all_real)
      throw UsageError("mask = '" + config_.mask +
                       "' has nothing to tell (all elements are real); name the column that "
                       "says which are with valid, or drop mask");
    result_.mask = Field{.name = config_.mask, .dtype = DType::boolean, .shape = draft_.tracks};
  }

  void reshape() {
    auto& field = result_.field;
    if (columns::product(*config_.shape) != field.elements())
      throw UsageError("shape " + columns::text_of(*config_.shape) + " does not fit (a row is " +
                       columns::text_of(field.shape) + ", " + std::to_string(field.elements()) + " elements)");
    const bool keeps = !config_.shape->empty() && config_.shape->back() == field.columns.size();
    if (!keeps) field.columns.clear();
    field.shape = *config_.shape;
  }

  void list_needs() {
    const auto add = [&](DatasetNeed::For what, const std::string& path) {
      const DatasetNeed need{what, path};
      auto& all = result_.needs;
      if (std::find(all.begin(), all.end(), need) == all.end()) all.push_back(need);
    };
    for (const auto& item : result_.spec.items)
      if (!item.constant) add(DatasetNeed::For::values, item.dataset);
    if (result_.validity.from == ValiditySource::From::dataset)
      add(DatasetNeed::For::validity, result_.validity.dataset);
    if (!config_.join.empty()) add(DatasetNeed::For::join_ids, join_ids());
  }

  void list_packings() {
    result_.missing = config_.missing.value_or(0);
    for (auto& column : columns_) result_.packings.push_back(std::move(column.packings));
  }

  /// The id dataset: one whole number for each row of the tables.
  std::string join_ids() const {
    const auto found = columns::find_item(config::SourceItem::parse(config_.join), input_.datasets);
    const auto& dataset = *input_.datasets.find(found.dataset);
    const auto whole = [](const h5::TypeInfo& type) { return type.kind == h5::Kind::integer && type.standard; };
    for (const auto& here : dataset.type_in_file)
      if (here.type && !whole(*here.type))
        throw UsageError("join = '" + config_.join + "' is " + h5::text_of(*here.type) + " in '" + here.file +
                         "'; name a dataset of whole numbers, one for each row of the table");
    if (!found.columns.empty() || !whole(dataset.type) || !dataset.row_shape.empty())
      throw UsageError("join = '" + config_.join + "' is " + h5::text_of(dataset.type) +
                       (dataset.row_shape.empty() ? "" : " of " + columns::text_of(dataset.row_shape) + " a row") +
                       "; name a dataset of whole numbers, one for each row of the table");
    return found.dataset;
  }

  const ResolveInput& input_;
  const config::FieldConfig& config_;
  FieldDraft draft_;
  ResolvedField result_;
  std::vector<const columns::ItemLayout*> origins_;  // of the spec's items
  std::vector<std::size_t> starts_;                  // first column of each, within its origin
  std::vector<ColumnPlace> columns_;
};

}  // namespace

ResolvedField resolve_field(const ResolveInput& input) {
  ResolvedField resolved;
  in_field(input.config.name, [&] { resolved = Resolution(input).make(); });
  return resolved;
}

}  // namespace headrace::data::fields
