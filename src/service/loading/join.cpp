#include "service/loading/join.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <mutex>

#include "base/error.hpp"
#include "data/columns/cells.hpp"
#include "data/selection/column_values.hpp"
#include "mpi/agree.hpp"

namespace headrace::service::loading {

namespace {

constexpr std::uint64_t round_bytes = std::uint64_t{16} << 20;     // of the tables, per stager and round
constexpr std::uint64_t arrival_bytes = std::uint64_t{256} << 20;  // of all that reaches a stager in a round

/// What travels: this, then the row of every dataset but the ids.
struct Header {
  std::uint64_t sample, row;  // of the table
};

/// The id of the last one; such as there cannot be are cut off.
std::int64_t last_id(std::int64_t base, std::uint64_t samples) {
  std::int64_t last = 0;
  if (samples == 0) return base;
  return __builtin_add_overflow(base, samples - 1, &last) ? std::numeric_limits<std::int64_t>::max() : last;
}

/// The rows of one round in memory: those of a table's datasets, and the ids.
///
/// Rows stand as far apart as the longest of any file; those of a file lie at its beginning.
class RoundSink : public reader::Sink {
 public:
  RoundSink(const catalog::Catalog& catalog, std::uint64_t first, std::uint64_t rows)
      : catalog_(catalog), first_(first) {
    for (const auto& dataset : catalog.datasets) {
      row_bytes_.push_back(dataset.row_bytes);
      bytes_.emplace_back(rows * dataset.row_bytes);
    }
  }
  std::byte* place(std::size_t dataset, std::uint64_t row, std::uint64_t) override {
    return catalog_.row_bytes_at(dataset, row) == row_bytes_[dataset] ? to(dataset, row) : nullptr;
  }
  void accept(std::size_t dataset, std::uint64_t row, std::uint64_t rows, const std::byte* raw) override {
    const auto bytes = catalog_.row_bytes_at(dataset, row);
    for (std::uint64_t i = 0; i < rows; ++i) std::copy_n(raw + i * bytes, bytes, to(dataset, row + i));
  }
  const std::byte* row(std::size_t dataset, std::uint64_t row) const {
    return bytes_[dataset].data() + (row - first_) * row_bytes_[dataset];
  }

 private:
  std::byte* to(std::size_t dataset, std::uint64_t row) {
    return bytes_[dataset].data() + (row - first_) * row_bytes_[dataset];
  }

  const catalog::Catalog& catalog_;
  std::uint64_t first_;
  std::vector<std::uint64_t> row_bytes_;
  std::vector<std::vector<std::byte>> bytes_;
};

/// Those fields that share ids, base and so the rows of their tables.
class JoinLoad {
 public:
  JoinLoad(const JoinedRows& asked, std::vector<std::size_t> fields, const TakeJoined& take)
      : asked_(asked), topology_(asked.topology), fields_(std::move(fields)), take_(take) {
    const auto& join = *asked.fields[fields_[0]].join;
    std::vector<std::string> paths{join.ids};
    for (const auto f : fields_)
      for (std::size_t i = 0; i < asked.fields[f].spec().items.size(); ++i)
        if (const auto& path = asked.fields[f].dataset(i); !path.empty()) paths.push_back(path);
    tables_ = catalog::select(asked.contents, paths, data::fields::missing_datasets(asked.fields));
    check();
    const auto& ids = tables_.datasets[0];
    for (const auto& here : ids.in_file) {
      const auto cell = data::columns::cell_of(here.type);
      require(cell && cell->kind == transform::CellKind::number && ids.row_shape.empty() &&
                  !std::holds_alternative<std::vector<double>>(data::selection::make_values(*cell, 0)),
              fmt::format("join: '{}' has rows of shape {} of {}; one whole number per row is needed", join.ids,
                          h5::shape_text(ids.row_shape), h5::text_of(here.type)));
      id_cells_.push_back(*cell);
    }
    base_ = join.base;
    for (const auto& dataset : tables_.datasets) row_bytes_ += dataset.row_bytes;
    next_.resize(asked.placement.rows(topology_.me()));
  }

  /// Collective. Rounds go through the tables in order, and within a round ranks do, so that rows arrive in order.
  void run() {
    const auto rows_at_once = rows_of_round(row_bytes_, topology_.stagers());
    const auto step = rows_at_once * topology_.stagers();
    for (std::uint64_t begin = 0; begin < tables_.samples; begin += step) {
      const auto first = std::min(tables_.samples, begin + topology_.me() * rows_at_once);
      const auto last = std::min(tables_.samples, first + rows_at_once);
      RoundSink round(tables_, first, last - first);
      std::vector<reader::Interval> mine;
      if (first < last) mine.push_back({first, last});
      reader::load(topology_.all, tables_, mine, round, asked_.options);
      const auto parcels = mpi::together(topology_.all, [&] { return address(round, first, last); });
      const auto received = topology_.all.alltoall(parcels);
      mpi::together(topology_.all, [&] {
        for (const auto& parcel : received) unpack(parcel);
      });
    }
  }

 private:
  void check() const {
    for (const auto& dataset : tables_.datasets)
      for (const auto& here : dataset.in_file)
        require(!h5::has_pointers(here.type),
                fmt::format("join: rows of '{}' are of variable length ({}); they cannot be joined", dataset.path,
                            h5::text_of(here.type)));
  }

  /// The id in this row of the tables.
  std::int64_t id_at(const RoundSink& round, std::uint64_t row) const {
    const auto& cell = id_cells_[static_cast<std::size_t>(&file_of(row) - tables_.files.data())];
    auto value = data::selection::make_values(cell, 1);
    data::selection::load_values(cell, round.row(0, row), 0, 1, value, 0);
    return std::visit(
        [](const auto& values) -> std::int64_t {
          if constexpr (requires { static_cast<std::int64_t>(values[0]); })
            return static_cast<std::int64_t>(values[0]);
          else
            return 0;
        },
        value);
  }

  const catalog::FileInfo& file_of(std::uint64_t row) const {
    const auto after = std::upper_bound(tables_.files.begin(), tables_.files.end(), row,
                                        [](std::uint64_t r, const catalog::FileInfo& f) { return r < f.first_sample; });
    auto file = after - 1;
    while (file->samples == 0 || row >= file->first_sample + file->samples) --file;  // files without rows
    return *file;
  }

  std::uint64_t sample_of(std::uint64_t row, std::int64_t id) const {
    const auto& file = file_of(row);
    // Ids count the samples of the file that the user named.
    const auto f = static_cast<std::size_t>(&file - tables_.files.data());
    const auto& samples = asked_.samples.named_of(f);
    const auto number = sample_of_id(id, base_, samples.samples);
    require(number.has_value(),
            fmt::format("join: id {} in row {} of '{}' in {} belongs to no sample of that file (ids go from {} to {}; "
                        "join-base = {})",
                        id, row - tables_.named_of(f).first_sample, tables_.datasets[0].path, tables_.named_of(f).path,
                        base_, last_id(base_, samples.samples), base_));
    return samples.first_sample + *number;
  }

  std::vector<std::string> address(const RoundSink& round, std::uint64_t first, std::uint64_t last) const {
    std::vector<std::string> parcels(topology_.stagers());
    if (first == last) return parcels;
    for (auto row = first; row < last; ++row) {
      const auto sample = sample_of(row, id_at(round, row));
      auto& parcel = parcels[asked_.placement.holder(sample).value()];
      const Header header{sample, row};
      parcel.append(reinterpret_cast<const char*>(&header), sizeof header);
      for (std::size_t d = 1; d < tables_.datasets.size(); ++d)
        parcel.append(reinterpret_cast<const char*>(round.row(d, row)), tables_.datasets[d].row_bytes);
    }
    return parcels;
  }

  void unpack(const std::string& parcel) {
    const auto bytes = sizeof(Header) + row_bytes_ - tables_.datasets[0].row_bytes;
    for (std::size_t at = 0; at < parcel.size(); at += bytes) {
      Header header{};
      std::memcpy(&header, parcel.data() + at, sizeof header);
      if (!asked_.placement.stored().contains(topology_.me(), header.sample)) continue;
      const auto place = next_[asked_.placement.row(topology_.me(), header.sample)]++;
      for (const auto f : fields_)
        set(f, header, place, reinterpret_cast<const std::byte*>(parcel.data()) + at + sizeof header);
    }
  }

  void set(std::size_t f, const Header& header, std::uint64_t place, const std::byte* rows) {
    const auto& plan = asked_.fields[f];
    const auto& spec = plan.spec();
    const auto& file = file_of(header.row);
    if (place >= spec.records) {
      require(spec.truncate,
              fmt::format("field '{}': more than pad = {} rows of '{}' belong to sample {} (row {} of {} is "
                          "one too many); set overlong = \"truncate\" or a larger pad",
                          spec.name, spec.records, plan.dataset(0), header.sample, header.row - file.first_sample,
                          file.path));
      return;
    }
    for (std::size_t i = 0; i < spec.items.size(); ++i) {
      const auto& dataset = plan.dataset(i);
      const auto* raw = dataset.empty() ? nullptr : rows + offset_of(dataset);  // absent: a constant
      try {
        take_(f, i, header.sample, place, raw);
      } catch (const transform::BadValue& bad) {
        throw_bad_value(tables_, spec.name, dataset, header.row, bad);
      }
    }
  }

  /// Of a dataset's row within what travels.
  std::uint64_t offset_of(const std::string& dataset) const {
    std::uint64_t offset = 0;
    for (std::size_t d = 1; tables_.datasets[d].path != dataset; ++d) offset += tables_.datasets[d].row_bytes;
    return offset;
  }

  const JoinedRows& asked_;
  const job::Topology& topology_;
  std::vector<std::size_t> fields_;
  const TakeJoined& take_;
  catalog::Catalog tables_;
  std::vector<transform::Cell> id_cells_;  // in each file
  std::int64_t base_ = 1;
  std::uint64_t row_bytes_ = 0;
  std::vector<std::uint32_t> next_;  // per stored sample: rows that have come
};

}  // namespace

std::uint64_t rows_of_round(std::uint64_t row_bytes, std::uint64_t stagers) {
  return std::max<std::uint64_t>(1, std::min(round_bytes, arrival_bytes / stagers) / (row_bytes + sizeof(Header)));
}

std::optional<std::uint64_t> sample_of_id(std::int64_t id, std::int64_t base, std::uint64_t samples) {
  std::int64_t number = 0;
  if (__builtin_sub_overflow(id, base, &number) || number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(number) < samples ? std::optional<std::uint64_t>(number) : std::nullopt;
}

void read_joins(const JoinedRows& asked, const TakeJoined& take) {
  std::map<std::pair<std::string, std::int64_t>, std::vector<std::size_t>> groups;
  for (std::size_t f = 0; f < asked.fields.size(); ++f)
    if (const auto& join = asked.fields[f].join) groups[{join->ids, join->base}].push_back(f);
  for (const auto& [key, fields] : groups) {
    auto load = mpi::together(asked.topology.all, [&] { return std::make_unique<JoinLoad>(asked, fields, take); });
    load->run();
  }
}

void load_joins(const blueprint::Blueprint& blueprint, const job::Topology& topology, const catalog::Contents& contents,
                StoreSink& sink, const reader::LoadOptions& options) {
  read_joins({blueprint.fields, contents, blueprint.catalog, blueprint.placement, topology, options},
             [&](std::size_t f, std::size_t item, std::uint64_t sample, std::uint64_t place, const std::byte* raw) {
               if (!sink.holds(sample)) return;  // it has its turn with another pane
               const auto& plan = blueprint.fields[f];
               // A table's rows belong to samples of their own file.
               const auto& transform = plan.transform_at(blueprint.catalog, sample);
               transform.apply_record(item, raw, place, sink.at(plan.array, sample));
               if (plan.mask) sink.at(*plan.mask, sample)[place] = std::byte{1};
             });
}

}  // namespace headrace::service::loading
