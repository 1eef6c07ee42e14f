// Filters as plug-ins of HDF5: where they are looked for, and their functions. The one place that lets code of others
// in.
//
// HDF5 searches the folders of HDF5_PLUGIN_PATH (or its own default), and then those of the Python package hdf5plugin
// in whatever Python is active: VIRTUAL_ENV, CONDA_PREFIX, PYTHONPATH, the python3 of PATH and the user's own packages.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace headrace::h5::codecs {

/// The folders of hdf5plugin that there are, by the environment; no Python is run.
std::vector<std::string> python_plugin_folders();

/// Lets HDF5 search them, too. Called by library().
void add_plugin_folders();

/// What undoes this filter, of the plug-in that HDF5 has loaded or now loads; empty where there is none. As
/// Codec::undo. The thread that owns HDF5 asks; any may call what it gets, as the plug-ins allow that we ask for.
std::function<std::size_t(std::span<const unsigned> values, std::span<const std::byte> from, std::span<std::byte> to)>
plugin_function(int filter);

}  // namespace headrace::h5::codecs
