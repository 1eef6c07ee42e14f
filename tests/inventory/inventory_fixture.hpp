// A folder of files, and content made by hand.
#pragma once

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "inventory/decoders/decoders.hpp"
#include "texts.hpp"

namespace headrace::inventory {

inline Content content(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// A .npy file by the format's description.
inline std::string npy(const std::string& descr, const std::string& shape, const std::string& values, int version = 1,
                       const std::string& fortran = "False") {
  std::string header = "{'descr': " + descr + ", 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
  const std::size_t before = version == 1 ? 10 : 12;
  while ((before + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string text = "\x93NUMPY";
  text += {static_cast<char>(version), '\0'};
  text += {static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  if (version > 1) text += std::string(2, '\0');
  return text + header + values;
}

struct InventoryFixture {
  InventoryFixture() { std::filesystem::create_directories(folder); }
  ~InventoryFixture() { std::filesystem::remove_all(folder); }

  std::string write(const std::string& name, const std::string& text) const {
    const auto path = folder / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  /// The message of the Error, with the folder's path taken out.
  template <class Step>
  std::string mistake(Step&& step) const {
    try {
      step();
    } catch (const Error& error) {
      std::string text = error.what();
      const auto prefix = folder.string() + "/";
      for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) text.erase(at, prefix.size());
      return text;
    }
    return "no mistake";
  }

  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("headrace-inventory-" + std::to_string(getpid()));
};

}  // namespace headrace::inventory
