// Rows that belong to samples by an id: tables whose rows lie anywhere in their file. Every stager reads an equal part
// of each table and sends each row to the stager that holds its sample, in rounds of bounded size; rows of a sample
// keep the order of the table.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "job/topology.hpp"
#include "reader/load.hpp"
#include "service/blueprint/blueprint.hpp"
#include "service/loading/store_sink.hpp"

namespace headrace::service::loading {

/// Rows of the tables that a stager reads in a round, at least 1: also where all that the stagers read goes to one of
/// them, that one has memory for it.
std::uint64_t rows_of_round(std::uint64_t row_bytes, std::uint64_t stagers);

/// The sample of an id, counted from the first one of its file; nothing where no sample of the file has it.
std::optional<std::uint64_t> sample_of_id(std::int64_t id, std::int64_t base, std::uint64_t samples);

/// The rows that are asked for: those of the joined ones among `fields`, for the samples that `placement` stores.
struct JoinedRows {
  const std::vector<data::fields::FieldPlan>& fields;
  const catalog::Contents& contents;
  const catalog::Catalog& samples;
  const plan::Placement& placement;
  const job::Topology& topology;
  const reader::LoadOptions& options;
};

/// What comes of one row: the raw row of an item (null where that is a constant), which becomes record `place` of a
/// stored sample. May throw BadValue.
using TakeJoined = std::function<void(std::size_t field, std::size_t item, std::uint64_t sample, std::uint64_t place,
                                      const std::byte* raw)>;

/// Collective over all stagers. Each gets the rows of its own samples, in an order that the launch alone decides: of a
/// sample in table order, items in theirs. Errors as of load_joins().
void read_joins(const JoinedRows& asked, const TakeJoined& take);

/// Collective over all stagers. Fills the joined fields of the blueprint, and their masks, as far as the sink's pane has
/// their samples. Errors name the field, the
/// table, the file and the row: an id outside its file, more rows than `pad`, values that break a promise.
void load_joins(const blueprint::Blueprint& blueprint, const job::Topology& topology, const catalog::Contents& contents,
                StoreSink& sink, const reader::LoadOptions& options);

}  // namespace headrace::service::loading
