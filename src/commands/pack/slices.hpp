// Runs of neighbouring samples, read and transformed as the service does it, one after another, by this process alone.
// Two of them have memory: while one is written, the next is read. The thread that owns MPI and HDF5.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "data/fields/plan.hpp"
#include "job/topology.hpp"
#include "reader/load.hpp"
#include "service/blueprint/blueprint.hpp"
#include "store/node_store.hpp"

namespace headrace::commands::pack {

class Slices {
 public:
  Slices(catalog::Contents contents, data::fields::FieldPlans plans, reader::LoadOptions options);

  const catalog::Catalog& catalog() const { return blueprint_.catalog; }
  const Schema& schema() const { return blueprint_.schema; }
  const std::vector<data::fields::FieldPlan>& fields() const { return blueprint_.fields; }
  std::uint64_t samples() const { return blueprint_.catalog.samples; }

  /// What load() tells while it reads: the share of the slice that is there; the caller's thread.
  void on_progress(std::function<void(double share)> told);
  /// Reads samples [first, last), which are there until the load after the next. Rows that are refused hold anything.
  void load(std::uint64_t first, std::uint64_t last, const reader::Refused& refused);
  /// Of each field, the row of a sample of the latest load. Any thread may read there.
  std::vector<const std::byte*> rows(std::uint64_t sample) const;

 private:
  struct Slice {
    std::uint64_t first = 0, room = 0;
    std::unique_ptr<store::NodeStore> store;
  };

  job::Topology topology_;
  catalog::Contents contents_;
  service::blueprint::Blueprint blueprint_;
  reader::LoadOptions options_;
  std::array<Slice, 2> slices_;
  std::size_t latest_ = 0;
};

}  // namespace headrace::commands::pack
