// The samples of an inventory: the table, where their files are, what these hold. Read by any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "inventory/decoders/decoders.hpp"
#include "inventory/file_reader.hpp"
#include "inventory/python_workers.hpp"
#include "inventory/settings.hpp"
#include "inventory/table.hpp"

namespace headrace::inventory {

/// What the catalog calls them; config/inventory.hpp says the same to users.
constexpr std::string_view table_dataset = "@csv";
std::string array_dataset(const std::string& decoder);

/// An array that each file holds.
struct Array {
  std::string dataset;
  DecoderName name;
  std::unique_ptr<Decoder> decoder{};  ///< of those that work on content alone
  Form form{};
  std::shared_ptr<PythonPool> python{};
  std::optional<Layout> layout{};  ///< of most files, where that makes reading faster
};

/// What lists samples that are not to be had is called like the file that lacks them, with this behind it. It may be the
/// next inventory.
constexpr const char* failed_suffix = ".failed.csv";

/// The last column of such a list: "why", or a longer name where the table has a column of that name which is its own.
std::string why_column(const Table& table);
/// Whether a column may be one that why_column() named.
bool is_why_column(std::string_view name);

/// A sample that was left out, as its file is not to be had.
struct LeftOut {
  std::string line;  ///< of the table, without that column
  std::string path, why;
};

struct Inventory {
  Settings settings;
  Table table;
  PathTemplate path;
  std::vector<Array> arrays;
  std::optional<std::size_t> checksum{};  ///< the column of files' checksums
  std::vector<LeftOut> left_out;          ///< in the table's order
};

/// Whether the file of a sample, or the table, is this one, whatever the names.
bool has_file(const Inventory& inventory, const std::string& path);

/// Throws Error where the content is not what the table's checksum says.
void verify(const Inventory& inventory, std::size_t row, std::string_view content);
void verify(const Inventory& inventory, std::size_t row, Content content);

/// The reason, with the sample's file and line: "cannot read data/007.npy (it is no .npy file; line 3 of a.csv, id
/// '007')".
std::string explained(const Inventory& inventory, std::size_t row, const std::string& why);

}  // namespace headrace::inventory
