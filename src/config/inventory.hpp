// What the sections [inventory] and [fetch] mean together with the fields. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/value.hpp"

namespace headrace::config {

/// What fields name as source: the content of a sample's file, and the table itself, whose columns are its columns.
constexpr std::string_view file_source = "@file";
constexpr std::string_view table_source = "@csv";

/// The dataset that files are when they are decoded so: "@file:npy".
std::string decoded_dataset(std::string_view decoder);
/// The decoder behind such a name; "" for all other names.
std::string decoder_in(const std::string& dataset);

/// Whether a decoder is the user's own code.
bool is_code(std::string_view decoder);

/// The columns that a path is made of: "data/{id}.npy" has "id". Throws UsageError for braces that do not match.
std::vector<std::string> columns_of(const std::string& path);

/// Gives each field of an inventory's files its decoder, and its source that decoder's name.
void settle_inventory(Config& config, Mistakes& mistakes);

}  // namespace headrace::config
