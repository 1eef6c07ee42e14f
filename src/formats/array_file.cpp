#include "formats/array_file.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"

namespace headrace::formats {

namespace {

constexpr int indent = 1;

std::string dump(const nlohmann::json& json) {
  return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string numpy_type(const Field& field) {
  const auto bytes = size_of(field.dtype);
  const auto name = std::string(name_of(field.dtype));
  if (field.dtype == DType::boolean) return "|b1";
  if (field.dtype == DType::bfloat16)
    throw UsageError(
        fmt::format("[field.{}] bfloat16 cannot be written (NumPy has no such type); set dtype = "
                    "\"float16\" or \"float32\"",
                    field.name));
  const char kind = name.starts_with("float") ? 'f' : name.starts_with("uint") ? 'u' : 'i';
  return fmt::format("{}{}{}", bytes == 1 ? '|' : '<', kind, bytes);
}

std::string npy_head(const Field& field, std::uint64_t rows) {
  auto shape = fmt::format("{},", rows);
  for (const auto extent : field.shape) shape += fmt::format(" {},", extent);
  if (!field.shape.empty()) shape.pop_back();
  auto text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", numpy_type(field), shape);
  constexpr std::size_t before = 10, aligned = 64;
  text.append((aligned - (before + text.size() + 1) % aligned) % aligned, ' ');
  text += '\n';
  std::string head("\x93NUMPY\x01\x00", 8);
  head += static_cast<char>(text.size() & 0xff);
  head += static_cast<char>(text.size() >> 8);
  return head + text;
}

std::string zarr_array(const Field& field, std::uint64_t rows, std::uint64_t chunk_rows, const ZarrCompressor& by) {
  std::vector<std::uint64_t> shape{rows}, chunks{chunk_rows};
  shape.insert(shape.end(), field.shape.begin(), field.shape.end());
  chunks.insert(chunks.end(), field.shape.begin(), field.shape.end());
  nlohmann::json compressor;
  if (!by.within.empty())
    compressor = {{"id", "blosc"}, {"cname", by.within}, {"clevel", by.level}, {"shuffle", 1}, {"blocksize", 0}};
  return dump({{"zarr_format", 2},
               {"shape", shape},
               {"chunks", chunks},
               {"dtype", numpy_type(field)},
               {"compressor", compressor},
               {"fill_value", nullptr},
               {"order", "C"},
               {"filters", nullptr}});
}

std::string zarr_attributes(const Field& field) {
  std::vector<std::string> axes{"sample"};
  for (std::size_t axis = 0; axis < field.shape.size(); ++axis) axes.push_back(fmt::format("{}_{}", field.name, axis));
  nlohmann::json attributes{{"_ARRAY_DIMENSIONS", axes}};
  if (!field.columns.empty()) attributes["columns"] = field.columns;
  if (!field.classes.empty()) attributes["classes"] = field.classes;
  return dump(attributes);
}

std::string zarr_chunk(const Field& field, std::uint64_t number) {
  auto name = std::to_string(number);
  for (std::size_t axis = 0; axis < field.shape.size(); ++axis) name += ".0";
  return name;
}

}  // namespace headrace::formats
