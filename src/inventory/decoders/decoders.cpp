#include "inventory/decoders/decoders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/error.hpp"
#include "inventory/decoders/npy.hpp"
#include "inventory/decoders/plugin_decoder.hpp"
#include "inventory/decoders/text_numbers.hpp"
#include "inventory/decoders/zip.hpp"

namespace headrace::inventory {

namespace {

void decode_npy(Content content, const Form& form, std::byte* to) {
  const auto header = npy_header(content);
  const bool turned = differ_in_byte_order(form, header.form);
  if (!turned) require_form(header.form, form);
  npy_values(header, content, to);
  if (turned) swap_bytes(form, to);
}

class Npy : public Decoder {
 public:
  Form form_of(Content content) const override { return npy_header(content).form; }
  void decode(Content content, const Form& form, std::byte* to) const override { decode_npy(content, form, to); }
  std::optional<std::string> prefix(Content content) const override {
    const auto header = npy_header(content);
    if (header.fortran && header.form.shape.size() > 1) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(content.data()), header.bytes);
  }
};

class Npz : public Decoder {
 public:
  explicit Npz(std::string key) : name_(std::move(key) + ".npy") {}
  Form form_of(Content content) const override { return npy_header(zip_member(content, name_)).form; }
  void decode(Content content, const Form& form, std::byte* to) const override {
    decode_npy(zip_member(content, name_), form, to);
  }

 private:
  std::string name_;
};

class Text : public Decoder {
 public:
  Form form_of(Content content) const override {
    const auto text = numbers_in_text(content);
    return {.type = number_type('f', 8, false), .shape = text.shape};
  }
  void decode(Content content, const Form& form, std::byte* to) const override {
    const auto text = numbers_in_text(content);
    require_form({.type = form.type, .shape = text.shape}, form);
    std::memcpy(to, text.values.data(), text.values.size() * sizeof(double));
  }
};

/// "float32:28,28" or "uint16:3:big".
class Raw : public Decoder {
 public:
  explicit Raw(const std::string& argument) {
    const auto first = std::min(argument.find(':'), argument.size());
    const auto second = std::min(argument.find(':', first + 1), argument.size());
    const auto dtype = dtype_named(argument.substr(0, first));
    const auto order = second < argument.size() ? argument.substr(second + 1) : "little";
    if (!dtype || first == argument.size() || (order != "big" && order != "little")) wrong(argument);
    form_.type = number_type(*dtype, order == "big");
    const auto extents = argument.substr(first + 1, second - first - 1);
    for (std::size_t at = 0; at <= extents.size();) {
      const auto end = std::min(extents.find(',', at), extents.size());
      std::uint64_t extent = 0;
      const auto [rest, status] = std::from_chars(extents.data() + at, extents.data() + end, extent);
      if (status != std::errc{} || rest != extents.data() + end || extent == 0) wrong(argument);
      form_.shape.push_back(extent);
      at = end + 1;
    }
    form_.bytes();
  }
  Form form_of(Content content) const override {
    check(content);
    return form_;
  }
  void decode(Content content, const Form& form, std::byte* to) const override {
    check(content);
    std::memcpy(to, content.data(), form.bytes());
  }
  std::optional<std::string> prefix(Content) const override { return ""; }

 private:
  [[noreturn]] static void wrong(const std::string& argument) {
    throw UsageError(
        fmt::format("decoder 'raw:{}' is not raw:TYPE:SHAPE or raw:TYPE:SHAPE:big; write it as in "
                    "raw:float32:28,28",
                    argument));
  }
  void check(Content content) const {
    if (content.size() != form_.bytes())
      throw Error(fmt::format("it has {} bytes, and {} takes {}", content.size(), text_of(form_), form_.bytes()));
  }
  Form form_;
};

}  // namespace

DecoderName parse_decoder(const std::string& text) {
  using Kind = DecoderName::Kind;
  const std::vector<std::pair<std::string, Kind>> kinds{
      {"npy", Kind::npy},   {"npz", Kind::npz},       {"text", Kind::text},    {"raw", Kind::raw},
      {"hdf5", Kind::hdf5}, {"python", Kind::python}, {"plugin", Kind::plugin}};
  const auto colon = std::min(text.find(':'), text.size());
  const auto word = text.substr(0, colon);
  const bool alone = word == "npy" || word == "text";
  for (const auto& [name, kind] : kinds) {
    if (name != word) continue;
    if (alone != (colon == text.size()) || colon + 1 == text.size()) break;
    return {kind, alone ? "" : text.substr(colon + 1)};
  }
  throw UsageError(fmt::format(
      "decoder '{}' is none; write npy, npz:KEY, text, raw:TYPE:SHAPE, hdf5:PATH, python:MODULE:NAME or plugin:FILE",
      text));
}

std::unique_ptr<Decoder> make_decoder(const DecoderName& name, const std::string& folder) {
  using Kind = DecoderName::Kind;
  switch (name.kind) {
    case Kind::npy:
      return std::make_unique<Npy>();
    case Kind::npz:
      return std::make_unique<Npz>(name.argument);
    case Kind::text:
      return std::make_unique<Text>();
    case Kind::raw:
      return std::make_unique<Raw>(name.argument);
    case Kind::python:
      return std::make_unique<Npy>();  // which is what comes of it
    case Kind::plugin:
      return open_plugin_decoder(name.argument.starts_with('/') ? name.argument : folder + name.argument);
    case Kind::hdf5:
      break;
  }
  return nullptr;
}

}  // namespace headrace::inventory
