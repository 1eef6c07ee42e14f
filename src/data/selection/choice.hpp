// Which samples a stream takes, as far as that is known before the data are asked: files, then select; and what the
// data must be asked: parts of the split, lists, conditions. Plain values, the same on every stager.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "condition/condition.hpp"
#include "config/config.hpp"
#include "config/value.hpp"
#include "plan/selection.hpp"

namespace headrace::data::selection {

/// Positions [first, last) of the split's permutation of all samples.
struct Part {
  std::uint64_t first = 0, last = 0;
};

/// The samples that a file lists.
struct List {
  std::string file;
  std::string by;  ///< "index", or path of a dataset with one value per sample
};

struct Choice {
  std::string stream;
  plan::Selection selection;
  std::optional<Part> part;
  std::optional<List> list;
  std::vector<condition::Condition> where;

  /// Whether each stager must look at its own samples to know which are chosen.
  bool by_data() const { return part || list || !where.empty(); }
};

/// One per stream. Throws one UsageError that names the streams: unknown parts, files that match nothing, select out of
/// range.
std::vector<Choice> choose(const config::Config& config, const catalog::Catalog& catalog);
/// The same, but mistakes are added to `mistakes`; the streams that it already knows to be wrong are not looked at.
std::vector<Choice> choose(const config::Config& config, const catalog::Catalog& catalog, config::Mistakes& mistakes);

/// Positions of the split's parts: the seed alone decides who is where.
std::uint64_t split_key(std::uint64_t seed);

}  // namespace headrace::data::selection
