#include "commands/inspect/sample_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "commands/inspect/class_of.hpp"
#include "commands/inspect/sample_raw.hpp"
#include "data/fields/plan.hpp"
#include "data/selection/column_values.hpp"
#include "data/selection/reading.hpp"
#include "data/selection/scan_files.hpp"
#include "mpi/session.hpp"
#include "service/blueprint/memory.hpp"
#include "service/loading/fill_store.hpp"

namespace headrace::commands::inspect {

namespace {

/// A sample's place.
struct Place {
  std::size_t file = 0;
  std::uint64_t row = 0;
};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || wrong != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Place place_of(const catalog::Catalog& catalog, std::uint64_t sample) {
  for (std::size_t f = 0; f < catalog.files.size(); ++f)
    if (const auto& file = catalog.files[f]; sample < file.first_sample + file.samples)
      return {f, sample - file.first_sample};
  throw UsageError(
      fmt::format("--sample {}: there are {} samples (0 to {})", sample, catalog.samples, catalog.samples - 1));
}

/// Those that are read, and virtual ones that they are read in place of.
std::vector<const catalog::FileInfo*> all_files(const catalog::Catalog& catalog) {
  std::vector<const catalog::FileInfo*> all;
  for (std::size_t f = 0; f < catalog.files.size(); ++f) {
    all.push_back(&catalog.files[f]);
    const auto& named = catalog.named_of(f);
    if (named.path != catalog.files[f].path && std::find(all.begin(), all.end(), &named) == all.end())
      all.push_back(&named);
  }
  return all;
}

/// The file that was named: by its path, or by the end of it where that is clear.
const catalog::FileInfo& find_file(const catalog::Catalog& catalog, const std::string& name) {
  namespace fs = std::filesystem;
  std::vector<std::string> paths;
  std::vector<const catalog::FileInfo*> ending;
  for (const auto* file : all_files(catalog)) {
    const auto& path = paths.emplace_back(file->path);
    std::error_code ignored;
    if (path == name || fs::equivalent(path, name, ignored)) return *file;
    if (path.ends_with("/" + name)) ending.push_back(file);
  }
  if (ending.size() == 1) return *ending[0];
  throw UsageError(fmt::format("--sample: '{}' is none of the {} files of the configuration{}", name, paths.size(),
                               did_you_mean(name, paths)));
}

Place find_place(const catalog::Catalog& catalog, const std::string& which) {
  if (const auto sample = number(which)) return place_of(catalog, *sample);
  const auto colon = which.rfind(':');
  const auto row = colon == std::string::npos ? std::nullopt : number(std::string_view(which).substr(colon + 1));
  if (!row) throw UsageError("--sample takes the number of a sample, or FILE:ROW, and not '" + which + "'");
  const auto name = which.substr(0, colon);
  const auto& file = find_file(catalog, name);
  if (*row >= file.samples)
    throw UsageError(fmt::format("--sample {}: {} holds {} samples", which, file.path, file.samples));
  return place_of(catalog, file.first_sample + *row);
}

/// The file and those that stand for the same one of the user's: rows of tables may lie in any of them.
catalog::Contents same_named(const catalog::Contents& contents, std::size_t file) {
  auto first = file, last = file + 1;
  while (contents[first].continues) --first;
  while (last < contents.size() && contents[last].continues) ++last;
  return {contents.begin() + static_cast<long>(first), contents.begin() + static_cast<long>(last)};
}

/// A store of this sample alone, filled as the service fills its own.
class Showcase {
 public:
  /// The files are those of one that the user named, and the row counts through them.
  /// of_class: its class, where fields tell it.
  Showcase(const config::Config& config, catalog::Contents files, data::fields::FieldPlans plans, std::uint64_t row,
           std::optional<std::size_t> of_class)
      : topology_(job::Topology::discover(mpi::Comm::self(), false)), contents_(std::move(files)) {
    blueprint_.catalog = data::fields::catalog_of(contents_, plans.fields);
    blueprint_.schema = std::move(plans.schema);
    blueprint_.fields = std::move(plans.fields);
    const std::vector<plan::Slab> slabs{{0, blueprint_.catalog.samples}};
    const plan::Range one{row, row + 1};
    blueprint_.placement = plan::Placement(slabs, plan::Members(plan::Selection::of({&one, 1}), slabs));
    for (std::size_t c = 0; c < config.classes.size(); ++c) {
      const plan::Range none{};
      blueprint_.classes.emplace_back(plan::Selection::of({of_class == c ? &one : &none, 1}), slabs);
    }
    const store::Layout layout(blueprint_.schema, blueprint_.rows_of_node(topology_.here()));
    require_room(layout.bytes());
    store_ = std::make_unique<store::NodeStore>(store::NodeStore::create(layout), layout);
    const auto options = data::selection::load_options(config, 1);
    service::loading::fill_store({blueprint_, topology_, contents_, options}, *store_);
  }

  const service::blueprint::Blueprint& blueprint() const { return blueprint_; }
  const catalog::Contents& contents() const { return contents_; }
  const std::byte* finished(std::size_t array) const { return store_->column(0, array); }

 private:
  /// A file may say that a sample is larger than any memory.
  static void require_room(std::uint64_t bytes) {
    constexpr std::uint64_t copies = 4;  // stored, finished, and the values of both to be shown
    const auto limit = service::blueprint::available_memory();
    if (bytes > limit.available / copies)
      throw Error(
          fmt::format("too little memory to show a sample of {}: that takes some {} times as much, but {} allows {}; "
                      "name fewer fields, or fewer columns of them",
                      format_bytes(static_cast<double>(bytes)), copies, limit.by,
                      format_bytes(static_cast<double>(limit.available))));
  }

  job::Topology topology_;
  catalog::Contents contents_;
  service::blueprint::Blueprint blueprint_;
  std::unique_ptr<store::NodeStore> store_;
};

ValueArray finished_array(const Field& field, const std::byte* row) {
  const transform::Cell cell{transform::CellKind::number, field.dtype, false, 0, size_of(field.dtype)};
  ValueArray array{field.name, std::string(name_of(field.dtype)), field.shape,
                   data::selection::make_values(cell, field.elements())};
  data::selection::load_values(cell, row, size_of(field.dtype), field.elements(), array.values, 0);
  return array;
}

}  // namespace

SampleView view_sample(const config::Config& config, const std::string& which) {
  const mpi::Session session;
  const auto alone = mpi::Comm::self();
  const auto options = data::selection::load_options(config, 1);
  const auto contents = data::selection::scan_files_alone(config, true).contents;
  auto plans = data::fields::plan_fields(config, contents, alone, options);
  const auto catalog = data::fields::catalog_of(contents, plans.fields);
  const auto place = find_place(catalog, which);
  const auto& file = catalog.files[place.file];
  for (auto& plan : plans.fields) plan.keep_file(place.file);
  const auto row = file.first_sample + place.row - catalog.named_of(place.file).first_sample;
  const auto sample = file.first_sample + place.row;
  const bool labelled = std::ranges::any_of(plans.fields, [](const auto& plan) { return !plan.by_class.empty(); });
  for (const auto& plan : plans.fields)
    if (plan.by_weight)
      throw UsageError(fmt::format("--sample {}: what a sample weighs depends on all samples; leave field '{}' out",
                                   which, plan.spec().name));
  std::optional<std::size_t> of_class;
  if (labelled) of_class = commands::inspect::class_of(config, contents, catalog, sample, alone, options);
  if (labelled && !of_class)
    throw UsageError(
        fmt::format("--sample {}: the sample is of no class, so that no stream has it; name another", which));
  const Showcase showcase(config, same_named(contents, place.file), std::move(plans), row, of_class);

  SampleView view{sample, file.path, place.row, {}};
  const auto& blueprint = showcase.blueprint();
  for (const auto& field : blueprint.schema)
    view.fields.push_back({field, finished_array(field, showcase.finished(view.fields.size())), {}});
  RawRows rows(showcase.contents(), blueprint, row, alone, options);
  for (const auto& plan : blueprint.fields) {
    view.fields[plan.array].raw = rows.of(plan);
    view.fields[plan.array].notes = plan.notes;
  }
  return view;
}

}  // namespace headrace::commands::inspect
