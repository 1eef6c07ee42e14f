// Who undoes the filters that HDF5 has not itself, and szip. lzf, lz4, zstd, bzip2, blosc and szip by their libraries,
// bitshuffle here, blosc2 by its HDF5 plug-in.
#pragma once

#include "h5/codecs/codec.hpp"

namespace headrace::h5::codecs {

/// Null: only HDF5 can undo this filter, if anybody. The first call for a filter belongs to the thread that owns HDF5.
const Codec* codec_of(int filter);

}  // namespace headrace::h5::codecs
