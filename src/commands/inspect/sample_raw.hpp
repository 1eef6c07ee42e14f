// What the file holds of one sample: the cells that a field is made of, before anything is done to them.
#pragma once

#include <vector>

#include "commands/inspect/value_array.hpp"
#include "reader/load.hpp"
#include "service/blueprint/blueprint.hpp"

namespace headrace::commands::inspect {

class RawRows {
 public:
  /// contents: of the sample's file alone, or of all that are read in place of a virtual one; the row counts through
  /// them.
  RawRows(const catalog::Contents& contents, const service::blueprint::Blueprint& blueprint, std::uint64_t row,
          const mpi::Comm& alone, const reader::LoadOptions& options);

  /// One array per column of a compound, per dataset otherwise. Of joined tables, the rows that belong.
  std::vector<ValueArray> of(const data::fields::FieldPlan& plan) const;

 private:
  std::vector<std::uint64_t> table_rows(const data::fields::Join& join) const;
  void read_item(const data::fields::FieldPlan& plan, std::size_t item, const std::vector<std::uint64_t>& rows,
                 std::vector<ValueArray>& arrays) const;

  const catalog::Contents& contents_;
  const service::blueprint::Blueprint& blueprint_;
  std::uint64_t row_;
  const mpi::Comm& alone_;
  const reader::LoadOptions& options_;
};

}  // namespace headrace::commands::inspect
