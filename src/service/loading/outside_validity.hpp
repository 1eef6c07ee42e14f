// Which records of a field are real, where that must be known before its rows are converted or measured: invalid
// elements may hold anything, so they must not be computed with, and they lie in another dataset than what says so.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "data/fields/field_plan.hpp"
#include "job/topology.hpp"
#include "plan/members.hpp"
#include "reader/load.hpp"

namespace headrace::service::loading {

/// The samples whose records are asked about: this stager's among the members.
struct AskedSamples {
  const catalog::Contents& contents;
  std::uint64_t samples;  ///< of the whole data set
  const plan::Members& members;
  const job::Topology& topology;
  std::span<const reader::Interval> intervals;  ///< to read
  const reader::LoadOptions& options;
  std::uint64_t first = 0;               ///< of this stager's members, the first one that is asked about
  std::optional<std::uint64_t> count{};  ///< so many of them; nothing: all from there on
  bool alone = false;                    ///< without a word to other stagers
  bool combined = false;                 ///< of fields whose items each have a word, too: for who looks at items alone
};

/// Whether the records of a field's items are real by the word of several: a trainer gets those that all call so.
bool combines_validity(const data::fields::FieldPlan& plan);

/// Collective, unless asked alone. Per field that says needs_validity_first() or, where that is asked, whose validity is
/// combined: a byte (0 or 1) per record of each of
/// those samples, in their order; empty for the others. Where several datasets speak, all must say valid.
std::vector<std::vector<std::byte>> read_outside_validity(const std::vector<data::fields::FieldPlan>& fields,
                                                          const AskedSamples& asked);

}  // namespace headrace::service::loading
