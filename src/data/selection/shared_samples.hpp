// Streams that have samples in common: a model is validated on what it was trained on, and nobody would notice. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/selection/choice.hpp"

namespace headrace::data::selection {

struct SharedSamples {
  std::string first, second;                  ///< streams
  std::uint64_t samples = 0;                  ///< that both deliver
  std::uint64_t of_first = 0, of_second = 0;  ///< all of theirs
};

/// How many samples both streams deliver; nothing where only the data can tell.
std::optional<std::uint64_t> shared_without_data(const Choice& a, const Choice& b);

/// "streams 'train' and 'val' share 1000 samples (of 3000 and 2000)...".
std::string text_of(const SharedSamples& shared);

/// Throws UsageError that names all of them where the configuration is strict.
void refuse_shared(const config::Config& config, const std::vector<SharedSamples>& all);

}  // namespace headrace::data::selection
