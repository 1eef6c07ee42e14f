#include "commands/inspect/advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bytes.hpp"
#include "catalog/grouping.hpp"
#include "h5/codecs/codecs.hpp"

namespace headrace::commands::inspect {

namespace {

constexpr std::uint64_t small_chunk = 64 << 10;  // below it, looking a chunk up costs as much as reading it
constexpr std::uint64_t good_chunk = 1 << 20;    // what we recommend: long reads, and many chunks to share
constexpr std::uint64_t large_chunk = std::uint64_t{64}
                                      << 20;  // several in flight no longer fit in caches or transient memory

std::uint64_t chunk_bytes(const h5::DatasetInfo& dataset) {
  std::uint64_t n = dataset.type.size;
  for (const auto extent : dataset.chunk) n *= extent;
  return n;
}

std::uint64_t chunks_per_sample(const h5::DatasetInfo& dataset) {
  std::uint64_t n = 1;
  for (std::size_t d = 1; d < dataset.dims.size(); ++d)
    n *= (dataset.dims[d] + dataset.chunk[d] - 1) / dataset.chunk[d];
  return n;
}

/// Chunk dims that would read well: whole samples, about a MB of them.
std::string better_chunks(const h5::DatasetInfo& dataset) {
  auto chunk = dataset.dims;
  const auto rows = std::max<std::uint64_t>(1, good_chunk / std::max<std::uint64_t>(1, dataset.row_bytes()));
  chunk[0] = std::min(std::max<std::uint64_t>(1, dataset.rows()), rows);
  return h5::shape_text(chunk);
}

void about_chunks(const h5::DatasetInfo& dataset, std::vector<std::string>& told) {
  const auto bytes = chunk_bytes(dataset), per_sample = chunks_per_sample(dataset);
  const auto rows = dataset.chunk[0];
  if (per_sample > 1)
    told.push_back(fmt::format(
        "a sample is spread over {} chunks{}; chunks of whole samples, such as {}, would read faster", per_sample,
        rows > 1 ? fmt::format(", each with parts of {} samples", rows) : "", better_chunks(dataset)));
  if (rows == 1 && dataset.rows() > 1 && bytes < small_chunk)
    told.push_back(
        fmt::format("one sample per chunk of {}: {} chunks have to be looked up one by one; chunks such as {} "
                    "would read faster",
                    format_bytes(static_cast<double>(bytes)), dataset.rows() * per_sample, better_chunks(dataset)));
  else if (per_sample == 1 && rows > 1 && bytes < small_chunk && dataset.rows() > rows && dataset.bytes() > good_chunk)
    told.push_back(fmt::format("small chunks of {}: {} of them; chunks such as {} would read faster",
                               format_bytes(static_cast<double>(bytes)), (dataset.rows() + rows - 1) / rows,
                               better_chunks(dataset)));
  if (bytes > large_chunk && rows > 1)
    told.push_back(fmt::format(
        "each chunk of {} straddles {} samples and is read and decoded as a whole, so that at most "
        "{} stagers can share the work; chunks such as {} would spread better",
        format_bytes(static_cast<double>(bytes)), rows, (dataset.rows() + rows - 1) / rows, better_chunks(dataset)));
  else if (rows > 1 && per_sample == 1 && !dataset.filters.empty())
    told.push_back(
        fmt::format("each chunk straddles {} samples: headrace decodes it once, but a reader of single samples "
                    "decodes {} to get one",
                    rows, std::min(rows, dataset.rows())));
}

// Rates of one core on float32 detector data; the order of magnitude is what counts.
struct Rate {
  int filter;
  const char* told;
};
constexpr std::array rates{Rate{H5Z_FILTER_DEFLATE, "0.3"}, Rate{h5::codecs::filter_lzf, "1"},
                           Rate{h5::codecs::filter_bzip2, "0.04"}};

void about_filters(const h5::DatasetInfo& dataset, std::vector<std::string>& told) {
  for (const auto& filter : dataset.filters) {
    const auto rate = std::ranges::find(rates, filter.id, &Rate::filter);
    if (!filter.available)
      told.push_back(fmt::format("{} is not there, so the dataset cannot be read; {}, or rewrite it with h5repack",
                                 h5::text_of(filter), h5::how_to_get(filter)));
    else if (rate != rates.end())
      told.push_back(fmt::format("{} is decoded at some {} GB/s per core while loading; {}", filter.name, rate->told,
                                 filter.id == H5Z_FILTER_DEFLATE || filter.id == h5::codecs::filter_bzip2
                                     ? "lz4 or lzf, or no filter, loads faster"
                                     : "no filter loads faster"));
    else if (h5::codecs::codec_of(filter.id) == nullptr && filter.id != H5Z_FILTER_SHUFFLE &&
             filter.id != H5Z_FILTER_FLETCHER32)
      told.push_back(fmt::format("{} is decoded by HDF5 in one thread per stager; more stagers per node load faster",
                                 filter.name));
  }
}

}  // namespace

std::vector<std::string> advice(const h5::DatasetInfo& dataset) {
  std::vector<std::string> told;
  if (dataset.dims.empty()) return told;
  if (dataset.layout == h5::Layout::chunked) {
    about_chunks(dataset, told);
    about_filters(dataset, told);
  }
  if (dataset.layout == h5::Layout::other)
    told.push_back("virtual, or stored in other files: read through HDF5 by one thread per stager");
  if (dataset.stored_bytes == 0 && dataset.bytes() > 0 && dataset.layout != h5::Layout::other)
    told.push_back("nothing has been written to it: all values are the fill value");
  return told;
}

std::vector<std::string> advice(const catalog::FileContents& file, const h5::DatasetInfo& dataset) {
  const auto* report = catalog::find_virtual(file, dataset);
  if (report == nullptr) return advice(dataset);
  if (report->seen_through || report->broken || report->why_not.empty()) return {};
  return {"virtual: read through HDF5 by one thread per stager, not as the files it is made of (" + report->why_not +
          ")"};
}

std::string ratio_text(const h5::DatasetInfo& dataset) {
  if (dataset.filters.empty() || dataset.stored_bytes == 0) return "";
  return fmt::format("{:.2f}", static_cast<double>(dataset.bytes()) / static_cast<double>(dataset.stored_bytes));
}

std::string filters_text(const h5::DatasetInfo& dataset) {
  std::string text;
  for (const auto& filter : dataset.filters) text += (text.empty() ? "" : " + ") + h5::text_of(filter);
  return text;
}

}  // namespace headrace::commands::inspect
