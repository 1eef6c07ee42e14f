#include "client/info.hpp"

#include "base/dtype.hpp"
#include "base/narrow.hpp"

namespace headrace::client {

namespace {

std::vector<const char*> pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> pointers;
  for (const auto& text : texts) pointers.push_back(text.c_str());
  return pointers;
}

}  // namespace

Info::Info(ring::Welcome welcome, std::string text)
    : welcome_(std::move(welcome)),
      text_(std::move(text)),
      stager_("stager " + std::to_string(welcome_.stager) + " (pid " + std::to_string(welcome_.pid) + " on " +
              welcome_.host + ")") {
  names_.reserve(2 * welcome_.fields.size());  // fields_ points into it
  for (const auto& field : welcome_.fields) {
    const auto& columns = names_.emplace_back(pointers(field.columns));
    const auto& classes = names_.emplace_back(pointers(field.classes));
    fields_.push_back({.size = sizeof(hr_field),
                       .name = field.name.c_str(),
                       .dtype = name_of(field.dtype).data(),  // a literal, so it ends in a zero
                       .itemsize = size_of(field.dtype),
                       .ndim = narrow<std::int32_t>(field.shape.size()),
                       .shape = field.shape.data(),
                       .row_bytes = field.row_bytes(),
                       .ncolumns = narrow<std::int32_t>(columns.size()),
                       .columns = columns.data(),
                       .nclasses = narrow<std::int32_t>(classes.size()),
                       .classes = classes.data()});
    row_bytes_ += field.row_bytes();
  }
  for (const auto& field : fields_) field_pointers_.push_back(&field);
  info_.size = sizeof(hr_info);
  info_.service = welcome_.service.c_str();
  info_.stream = welcome_.stream.c_str();
  info_.rank = narrow<std::int32_t>(welcome_.rank);
  info_.world_size = narrow<std::int32_t>(welcome_.world_size);
  info_.batches = welcome_.batches;
  info_.samples = welcome_.samples;
  info_.epochs = welcome_.epochs;
  info_.batch = welcome_.batch;
  info_.slots = welcome_.slots;
  info_.nfields = narrow<std::int32_t>(fields_.size());
  info_.fields = field_pointers_.data();
  info_.schema_json = text_.c_str();
  info_.stager = stager_.c_str();
  info_.replica = narrow<std::int32_t>(welcome_.replica);
  info_.replicas = narrow<std::int32_t>(welcome_.replicas);
}

}  // namespace headrace::client
