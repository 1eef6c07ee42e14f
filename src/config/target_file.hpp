// A target of [resample] that stands in a file: a number for each bin, as numpy.savetxt writes a histogram.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace headrace::config {

/// Weights of so many bins, those of the last variable fastest: numbers apart by space, commas or lines, and # for what is
/// left of a line. Whole numbers stay as they are; others keep some 15 digits. Throws UsageError: it cannot be read; what is
/// no number, is negative or infinite; too few or too many of them; all 0.
std::vector<std::uint64_t> target_file(const std::string& path, std::size_t bins);

}  // namespace headrace::config
