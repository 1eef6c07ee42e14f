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
  std::string by;        ///< "index", or path of a dataset with one value per sample
  bool repeats = false;  ///< what it lists several times comes as often
};

struct Choice {
  std::string stream;     ///< or the class
  bool of_class = false;  ///< it is the choice of a class
  plan::Selection selection;
  std::optional<Part> part;
  std::optional<List> list;
  std::vector<condition::Condition> where;

  /// Whether each stager must look at its own samples to know which are chosen.
  bool by_data() const { return part || list || !where.empty(); }
  /// "stream 'train'": for messages.
  std::string who() const { return (of_class ? "class '" : "stream '") + stream + "'"; }
};

/// One per stream. Throws one UsageError that names the streams: unknown parts, files that match nothing, select out of
/// range.
std::vector<Choice> choose(const config::Config& config, const catalog::Catalog& catalog);
/// The same, but mistakes are added to `mistakes`; the streams that it already knows to be wrong are not looked at.
std::vector<Choice> choose(const config::Config& config, const catalog::Catalog& catalog, config::Mistakes& mistakes);

/// One per class: the samples of its files, and its condition. Throws one UsageError: files that match nothing, a file in
/// two classes or, where all classes are made of files, in none.
std::vector<Choice> choose_classes(const config::Config& config, const catalog::Catalog& catalog);
void choose_classes(const config::Config& config, const catalog::Catalog& catalog, config::Mistakes& mistakes,
                    std::vector<Choice>& choices);

/// The samples that both have; `ranges` goes without gaps: steps of 1.
plan::Selection both(const plan::Selection& selection, const plan::Selection& ranges);

/// Positions of the split's parts: the seed alone decides who is where.
std::uint64_t split_key(std::uint64_t seed);

}  // namespace headrace::data::selection
