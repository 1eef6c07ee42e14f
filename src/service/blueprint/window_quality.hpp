// How far the order of a stream in windows is from a global shuffle, in figures and words: at the start of a service, in
// its log, and by `headrace plan`. Pure; any thread.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "plan/figures/shuffle_quality.hpp"
#include "plan/windows.hpp"
#include "service/blueprint/block_sums.hpp"
#include "service/blueprint/stream_facts.hpp"

namespace headrace::service::blueprint {

struct WindowQuality {
  plan::WindowFacts facts;
  double neighbours = 1;  ///< how many times as often two samples of a block meet in a batch
  double distance = 0;  ///< total variation of how many samples of a block a batch has: 0 nobody could tell, 1 all can
  double sorted = 1;    ///< design effect at most, of a class of a tenth of the samples, in files that are sorted by it

  /// How a column is mixed; of those that are (nearly) mixed in the files nothing is told.
  struct Column {
    std::string name;
    double between = 0, within = 0, effect = 1;
    std::string untold{};  ///< why nothing is known of it; "": the figures are
  };
  std::vector<Column> columns{};
  bool at_start = false;  ///< of epoch 0 alone
};

/// Of a stream in windows. batch: of all trainers together.
WindowQuality quality_of(const StreamFacts& stream, std::uint64_t batch);
void add_columns(const std::vector<BlockSums>& sums, const plan::Windows& windows, WindowQuality& quality);

/// Instead, where it is not known which samples a stream has: figures of others would be false.
void leave_out_column(const std::string& name, WindowQuality& quality);

/// Lines for people.
std::vector<std::string> lines_of(const WindowQuality& quality);
/// Of columns whose batches vary more than they should; the way out is in it.
std::vector<std::string> warnings_of(const std::string& stream, const WindowQuality& quality);
/// For programs.
nlohmann::json json_of(const WindowQuality& quality);

}  // namespace headrace::service::blueprint
