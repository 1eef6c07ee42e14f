// What must be asked of the values of columns to know which samples the streams choose: lists of ids, and conditions.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "data/selection/choice.hpp"
#include "data/selection/id_list.hpp"
#include "data/selection/sample_columns.hpp"

namespace headrace::data::selection {

struct Question {
  std::size_t stream;                               ///< whose samples
  std::vector<std::size_t> columns;                 ///< of SampleColumns
  const condition::Condition* condition = nullptr;  ///< of the choice; or null:
  std::size_t list = 0;                             ///< of Questions::lists
};

struct OpenList {
  std::string stream, file;
  bool repeats = false;
  IdList list{};
  std::vector<std::uint8_t> found{};  ///< per value whether a sample has it
};

struct Questions {
  std::vector<Question> all;
  std::vector<OpenList> lists;
};

/// Adds the columns that are asked for to `columns`, and reads the lists of ids; those by "index" ask no column. Throws
/// one UsageError with what is wrong with the columns of all streams, and Error for a list that is none.
Questions questions_of(const std::vector<Choice>& choices, SampleColumns& columns);

/// The columns whose values [resample] sorts into bins; none where there is none. Throws UsageError.
std::vector<std::size_t> columns_of_bins(const config::Config& config, SampleColumns& columns);

/// What is wrong with the streams of a configuration, with the columns that they ask for, too: all goes to `mistakes`.
/// Lists of ids are not read. `paths`: the datasets of samples; where they are not known, only columns are looked at.
/// `may_lack`: those that some files need not have.
void check_streams(const config::Config& config, const catalog::Contents& contents,
                   const std::vector<std::string>& paths, const std::set<std::string>& may_lack,
                   config::Mistakes& mistakes);

}  // namespace headrace::data::selection
