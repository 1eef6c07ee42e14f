// From the reader into the store: straight where the file's bytes are a row's bytes, through the transforms otherwise.
//
//   fill_constants()   what no dataset holds, and the records of joins that no row may come for
//   the load           place() and accept(), from several threads
//   finish()           what needs several datasets: repeated items where the records of another are not valid
#pragma once

#include <utility>
#include <vector>

#include "job/topology.hpp"
#include "reader/load.hpp"
#include "service/blueprint/blueprint.hpp"
#include "service/loading/pane.hpp"

namespace headrace::service::loading {

class StoreSink : public reader::Sink {
 public:
  /// The rows of a stager that it takes.
  StoreSink(const blueprint::Blueprint& blueprint, std::uint32_t stager, Pane pane)
      : StoreSink(blueprint, stager, blueprint.placement.stored(), std::move(pane)) {}
  /// rows: the samples that have rows, in their order, where those are not all that are stored.
  StoreSink(const blueprint::Blueprint& blueprint, std::uint32_t stager, const plan::Members& rows, Pane pane);

  void fill_constants();
  std::byte* place(std::size_t dataset, std::uint64_t first_sample, std::uint64_t rows) override;
  void accept(std::size_t dataset, std::uint64_t first_sample, std::uint64_t rows, const std::byte* raw) override;
  void finish(unsigned threads);

  /// What read_outside_validity() found for these rows; before the load.
  void take_validity(std::vector<std::vector<std::byte>> outside);
  /// Whether the stored sample is one of the pane.
  bool holds(std::uint64_t sample) const { return sample >= pane_.samples.first && sample < pane_.samples.last; }
  /// The row of a sample in an array of the schema.
  std::byte* at(std::size_t array, std::uint64_t sample) const;

 private:
  void fill_classes(const data::fields::FieldPlan& plan);
  void fill_weights(const data::fields::FieldPlan& plan);
  void fill_where_missing(const data::fields::FieldPlan& plan);
  /// Which of the pane's rows a sample is.
  std::uint64_t row_of(std::uint64_t sample) const { return members_.place(stager_, sample) - pane_.first_row; }
  /// Whether all of these samples are stored, and so stand one after another.
  bool stored_in_a_row(std::uint64_t first_sample, std::uint64_t rows) const;
  void convert(const data::fields::ItemUse& use, std::uint64_t sample, std::uint64_t count, const std::byte* raw);
  void note_validity(const data::fields::ItemUse& use, std::uint64_t sample, std::uint64_t count, const std::byte* raw);
  const data::fields::FieldPlan& field(std::size_t f) const { return blueprint_.fields[f]; }

  const blueprint::Blueprint& blueprint_;
  const std::uint32_t stager_;
  const plan::Members& members_;  // that have rows
  const Pane pane_;
  std::vector<std::vector<data::fields::ItemUse>> uses_;  // per dataset of the catalog
  std::vector<std::vector<std::byte>> validity_;  // per field: rows x records, where finish() or outside needs it
  std::vector<bool> clears_;                      // per field: repeated items follow the validity of others
};

/// What is wrong with a value: the file, dataset, column and row of it in front.
[[noreturn]] void throw_bad_value(const catalog::Catalog& catalog, const std::string& field, const std::string& dataset,
                                  std::uint64_t sample, const transform::BadValue& bad);

/// The samples of a stager's slab that must be read, as few intervals: what lies between selected samples of a strided
/// selection is read along with them, and so are gaps of at most `gap` samples.
std::vector<reader::Interval> intervals_to_read(const plan::Members& members, std::uint32_t stager,
                                                const plan::Slab& slab, std::uint64_t gap = 0);

}  // namespace headrace::service::loading
