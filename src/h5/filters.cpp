#include "h5/filters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "h5/codecs/codecs.hpp"
#include "h5/codecs/plugins.hpp"
#include "h5/error.hpp"

namespace headrace::h5 {

namespace {

struct Known {
  int id;
  const char* name;
};

/// As people name them: those that we undo, HDF5's own, and others that are met in public files.
constexpr std::array known{
    Known{H5Z_FILTER_DEFLATE, "gzip"},
    Known{H5Z_FILTER_SHUFFLE, "shuffle"},
    Known{H5Z_FILTER_FLETCHER32, "fletcher32"},
    Known{H5Z_FILTER_SZIP, "szip"},
    Known{H5Z_FILTER_NBIT, "nbit"},
    Known{H5Z_FILTER_SCALEOFFSET, "scaleoffset"},
    Known{codecs::filter_bzip2, "bzip2"},
    Known{305, "lzo"},
    Known{codecs::filter_lzf, "lzf"},
    Known{codecs::filter_blosc, "blosc"},
    Known{32002, "mafisc"},
    Known{32003, "snappy"},
    Known{codecs::filter_lz4, "lz4"},
    Known{codecs::filter_bitshuffle, "bitshuffle"},
    Known{32013, "zfp"},
    Known{32014, "fpzip"},
    Known{codecs::filter_zstd, "zstd"},
    Known{32017, "sz"},
    Known{32018, "fcidecomp"},
    Known{32019, "jpeg"},
    Known{32020, "vbz"},
    Known{32022, "bitgroom"},
    Known{32023, "bitround"},
    Known{32024, "sz3"},
    Known{codecs::filter_blosc2, "blosc2"},
    Known{32028, "sperr"},
    Known{32033, "htj2k"},
};

/// Where nobody knows the number, the first word of what the file says.
std::string name_of(H5Z_filter_t id, std::string_view told) {
  for (const auto& filter : known)
    if (filter.id == id) return filter.name;
  constexpr std::size_t longest = 20;
  const auto word = told.substr(0, told.find_first_of(" ;:,(-"));
  return word.empty() || word.size() > longest ? "filter " + std::to_string(id) : std::string(word);
}

/// The compressor within, by its number in the file; "" for one that is not known.
std::string_view inner(const Filter& filter) {
  const auto value = [&](std::size_t i) { return i < filter.values.size() ? filter.values[i] : 0u; };
  constexpr std::array<std::string_view, 6> of_blosc{"blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd"};
  constexpr std::array<std::string_view, 4> of_bitshuffle{"", "", "lz4", "zstd"};
  if (filter.id == codecs::filter_bitshuffle && value(4) < of_bitshuffle.size()) return of_bitshuffle[value(4)];
  if ((filter.id == codecs::filter_blosc || filter.id == codecs::filter_blosc2) && filter.values.size() > 6 &&
      value(6) < of_blosc.size())
    return of_blosc[value(6)];
  return "";
}

/// How HDF5 undoes a filter where it reads chunks itself: as it wants it, with a buffer that is replaced. Returns 0 on
/// failure. Where nothing tells how much comes out, the room grows until it fits.
template <int Id>
std::size_t undo(unsigned flags, std::size_t count, const unsigned values[], std::size_t bytes, std::size_t* size,
                 void** buffer) {
  if ((flags & H5Z_FLAG_REVERSE) == 0) return 0;  // files are only read here
  try {
    const auto& codec = *codecs::codec_of(Id);
    const std::span told(values, count);
    const std::span from(static_cast<const std::byte*>(*buffer), bytes);
    for (auto room = std::max({codec.length(told, from), *size, bytes});; room *= 2) {
      std::unique_ptr<void, decltype(&std::free)> plain(std::malloc(room), &std::free);
      if (!plain) return 0;
      try {
        const auto length = codec.undo(told, from, {static_cast<std::byte*>(plain.get()), room});
        std::free(*buffer);
        *buffer = plain.release();
        *size = room;
        return length;
      } catch (const codecs::Overfull&) {
        if (room > (std::size_t{1} << 31)) return 0;
      }
    }
  } catch (const std::exception&) {  // nothing may pass through HDF5
    return 0;
  }
}

template <int Id>
void make_known() {
  static const auto name = name_of(Id, "");  // HDF5 keeps the pointer, and files that are made tell the name
  // Said to encode, too, or no file could name it: chunks come encoded (create.hpp), and undo() refuses to do it.
  const H5Z_class2_t filter{H5Z_CLASS_T_VERS, Id, 1, 1, name.c_str(), nullptr, nullptr, undo<Id>};
  check(H5Zregister(&filter), "H5Zregister");
}

}  // namespace

std::vector<Filter> filters_of(hid_t properties) {
  std::vector<Filter> filters;
  const int count = check(H5Pget_nfilters(properties), "H5Pget_nfilters");
  for (unsigned i = 0; i < static_cast<unsigned>(count); ++i) {
    std::vector<unsigned> values(32);
    std::array<char, 128> told{};
    std::size_t length = values.size();
    unsigned flags = 0, config = 0;
    const auto ask = [&] {
      return check(H5Pget_filter2(properties, i, &flags, &length, values.data(), told.size() - 1, told.data(), &config),
                   "H5Pget_filter2");
    };
    auto id = ask();
    if (length > values.size()) {
      values.resize(length);
      id = ask();
    }
    values.resize(length);
    Filter filter{id, name_of(id, told.data()), std::move(values),
                  check(H5Zfilter_avail(id), "H5Zfilter_avail") > 0 || codecs::codec_of(id) != nullptr};
    filters.push_back(std::move(filter));
  }
  H5Eclear2(H5E_DEFAULT);  // a search for plugins leaves its complaints behind
  return filters;
}

std::string text_of(const Filter& filter) {
  auto text = filter.name;
  if (const auto compressor = inner(filter); !compressor.empty()) {
    text += fmt::format("({})", compressor);
  } else if (!filter.values.empty() && (filter.id == H5Z_FILTER_DEFLATE || filter.id == codecs::filter_bzip2 ||
                                        filter.id == codecs::filter_zstd)) {
    text += fmt::format("({})", filter.values[0]);
  }
  if (filter.available) return text;
  const auto number = std::to_string(filter.id);
  return fmt::format("{} ({}not available)", text, text.ends_with(number) ? "" : number + ", ");
}

std::string how_to_get(const Filter& filter) {
  constexpr std::array in_hdf5plugin{codecs::filter_bzip2,
                                     codecs::filter_blosc,
                                     codecs::filter_lz4,
                                     codecs::filter_bitshuffle,
                                     codecs::filter_zstd,
                                     codecs::filter_blosc2,
                                     32013,
                                     32017,
                                     32018,
                                     32024,
                                     32028,
                                     32033};
  return std::ranges::find(in_hdf5plugin, filter.id) != in_hdf5plugin.end()
             ? "'pip install hdf5plugin' brings its plug-in; or name a folder that has it in HDF5_PLUGIN_PATH"
             : "name the folder of its plug-in in HDF5_PLUGIN_PATH";
}

void register_filters() {
  make_known<codecs::filter_lzf>();
  make_known<codecs::filter_lz4>();
  make_known<codecs::filter_zstd>();
  make_known<codecs::filter_bzip2>();
  make_known<codecs::filter_blosc>();
  make_known<codecs::filter_bitshuffle>();
  codecs::add_plugin_folders();
}

}  // namespace headrace::h5
