#include "h5/made/create.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/process_end.hpp"
#include "h5/error.hpp"
#include "h5/library.hpp"

namespace headrace::h5 {

namespace {

constexpr hsize_t aligned_from = 1 << 20, alignment = 1 << 20;  // stripes of parallel file systems; direct I/O

Type half() {
  Type type(check(H5Tcopy(H5T_IEEE_F32LE), "H5Tcopy"));
  check(H5Tset_fields(type.id(), 15, 10, 5, 0, 10), "H5Tset_fields");
  check(H5Tset_size(type.id(), 2), "H5Tset_size");
  check(H5Tset_ebias(type.id(), 15), "H5Tset_ebias");
  return type;
}

/// h5py's.
Type boolean() {
  Type type(check(H5Tenum_create(H5T_STD_I8LE), "H5Tenum_create"));
  const std::int8_t no = 0, yes = 1;
  check(H5Tenum_insert(type.id(), "FALSE", &no), "H5Tenum_insert");
  check(H5Tenum_insert(type.id(), "TRUE", &yes), "H5Tenum_insert");
  return type;
}

Type type_of(DType dtype) {
  const auto copy = [](hid_t type) { return Type(check(H5Tcopy(type), "H5Tcopy")); };
  switch (dtype) {
    case DType::boolean:
      return boolean();
    case DType::int8:
      return copy(H5T_STD_I8LE);
    case DType::int16:
      return copy(H5T_STD_I16LE);
    case DType::int32:
      return copy(H5T_STD_I32LE);
    case DType::int64:
      return copy(H5T_STD_I64LE);
    case DType::uint8:
      return copy(H5T_STD_U8LE);
    case DType::uint16:
      return copy(H5T_STD_U16LE);
    case DType::uint32:
      return copy(H5T_STD_U32LE);
    case DType::uint64:
      return copy(H5T_STD_U64LE);
    case DType::float16:
      return half();
    case DType::float32:
      return copy(H5T_IEEE_F32LE);
    case DType::float64:
      return copy(H5T_IEEE_F64LE);
    case DType::bfloat16:
      break;
  }
  throw Error("HDF5 and NumPy have no bfloat16; set dtype = \"float16\" or \"float32\"");
}

Type type_of(const NewDataset& dataset) {
  if (dataset.members.empty()) return type_of(dataset.dtype);
  Type type(check(H5Tcreate(H5T_COMPOUND, dataset.element_bytes()), "H5Tcreate"));
  std::size_t offset = 0;
  for (const auto& member : dataset.members) {
    check(H5Tinsert(type.id(), member.name.c_str(), offset, type_of(member.dtype).id()), "H5Tinsert");
    offset += size_of(member.dtype);
  }
  return type;
}

Space space_of(const NewDataset& dataset) {
  const std::vector<hsize_t> dims(dataset.dims.begin(), dataset.dims.end());
  return Space(check(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr), "H5Screate_simple"));
}

Plist creation(const NewDataset& dataset) {
  Plist properties(check(H5Pcreate(H5P_DATASET_CREATE), "H5Pcreate"));
  check(H5Pset_obj_track_times(properties.id(), false), "H5Pset_obj_track_times");
  check(H5Pset_fill_time(properties.id(), H5D_FILL_TIME_NEVER), "H5Pset_fill_time");  // every byte will be written
  if (dataset.chunk_rows == 0) {
    check(H5Pset_alloc_time(properties.id(), H5D_ALLOC_TIME_EARLY), "H5Pset_alloc_time");
    return properties;
  }
  std::vector<hsize_t> chunk(dataset.dims.begin(), dataset.dims.end());
  chunk[0] = dataset.chunk_rows;
  check(H5Pset_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data()), "H5Pset_chunk");
  for (const auto& filter : dataset.filters)
    check(H5Pset_filter(properties.id(), filter.id, H5Z_FLAG_OPTIONAL, filter.values.size(), filter.values.data()),
          "H5Pset_filter");
  return properties;
}

Dataset make(const FileInWork& file, const NewDataset& dataset, const Plist& properties) {
  const Plist links(check(H5Pcreate(H5P_LINK_CREATE), "H5Pcreate"));
  check(H5Pset_create_intermediate_group(links.id(), 1), "H5Pset_create_intermediate_group");
  check(H5Pset_char_encoding(links.id(), H5T_CSET_UTF8), "H5Pset_char_encoding");
  return Dataset(check(H5Dcreate2(file.id(), dataset.path.c_str(), type_of(dataset).id(), space_of(dataset).id(),
                                  links.id(), properties.id(), H5P_DEFAULT),
                       "H5Dcreate"));
}

/// Attributes beyond 64 KB stand outside the header of their object, which one of HDF5 1.8 can tell, and an older one,
/// HDF5's usual, cannot. Of texts of variable length a header holds 16 bytes each.
bool any_large(std::span<const NewAttribute> attributes) {
  constexpr std::size_t most_texts = 4000;
  return std::ranges::any_of(attributes, [](const NewAttribute& attribute) {
    const auto* texts = std::get_if<std::vector<std::string>>(&attribute.value);
    return texts != nullptr && texts->size() > most_texts;
  });
}

FileInWork make_file(const std::string& path, bool aligned, std::span<const NewAttribute> attributes) {
  library();
  const Plist creation(check(H5Pcreate(H5P_FILE_CREATE), "H5Pcreate"));
  check(H5Pset_obj_track_times(creation.id(), false), "H5Pset_obj_track_times");
  const Plist access(check(H5Pcreate(H5P_FILE_ACCESS), "H5Pcreate"));
  if (aligned) check(H5Pset_alignment(access.id(), aligned_from, alignment), "H5Pset_alignment");
  if (any_large(attributes))
    check(H5Pset_libver_bounds(access.id(), H5F_LIBVER_V18, H5F_LIBVER_LATEST), "H5Pset_libver_bounds");
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.id(), access.id());
  if (file < 0) throw Error(fmt::format("cannot write {} ({})", path, reason()));
  return FileInWork(File(file));
}

Type text_type() {
  Type type(check(H5Tcopy(H5T_C_S1), "H5Tcopy"));
  check(H5Tset_size(type.id(), H5T_VARIABLE), "H5Tset_size");
  check(H5Tset_cset(type.id(), H5T_CSET_UTF8), "H5Tset_cset");
  return type;
}

void write_attribute(hid_t object, const std::string& name, hid_t type, const Space& space, const void* value) {
  const Plist properties(check(H5Pcreate(H5P_ATTRIBUTE_CREATE), "H5Pcreate"));
  check(H5Pset_char_encoding(properties.id(), H5T_CSET_UTF8), "H5Pset_char_encoding");
  const AttributeId attribute(
      check(H5Acreate2(object, name.c_str(), type, space.id(), properties.id(), H5P_DEFAULT), "H5Acreate"));
  check(H5Awrite(attribute.id(), type, value), "H5Awrite");
}

void write_attribute(const FileInWork& file, const NewAttribute& attribute) {
  const Object object(check(H5Oopen(file.id(), attribute.object.c_str(), H5P_DEFAULT), "H5Oopen"));
  const Space scalar(check(H5Screate(H5S_SCALAR), "H5Screate"));
  if (const auto* text = std::get_if<std::string>(&attribute.value)) {
    const char* value = text->c_str();
    write_attribute(object.id(), attribute.name, text_type().id(), scalar, &value);
  } else if (const auto* texts = std::get_if<std::vector<std::string>>(&attribute.value)) {
    std::vector<const char*> values;
    for (const auto& one : *texts) values.push_back(one.c_str());
    const hsize_t count = values.size();
    const Space space(check(H5Screate_simple(1, &count, nullptr), "H5Screate_simple"));
    write_attribute(object.id(), attribute.name, text_type().id(), space, values.data());
  } else if (const auto* number = std::get_if<std::int64_t>(&attribute.value)) {
    write_attribute(object.id(), attribute.name, H5T_NATIVE_INT64, scalar, number);
  } else if (const auto* natural = std::get_if<std::uint64_t>(&attribute.value)) {
    write_attribute(object.id(), attribute.name, H5T_NATIVE_UINT64, scalar, natural);
  } else {
    write_attribute(object.id(), attribute.name, H5T_NATIVE_DOUBLE, scalar, &std::get<double>(attribute.value));
  }
}

/// HDF5 takes names of sources for patterns: %b is the number of a block, %% a percent sign.
std::string as_pattern(const std::string& name) {
  std::string text;
  for (const char letter : name) text += letter == '%' ? "%%" : std::string(1, letter);
  return text;
}

bool any_contiguous(std::span<const NewDataset> datasets) {
  for (const auto& dataset : datasets)
    if (dataset.chunk_rows == 0) return true;
  return false;
}

}  // namespace

std::uint64_t NewDataset::element_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& member : members) bytes += size_of(member.dtype);
  return members.empty() ? size_of(dtype) : bytes;
}

std::uint64_t NewDataset::row_bytes() const {
  auto bytes = element_bytes();
  for (std::size_t axis = 1; axis < dims.size(); ++axis) bytes *= dims[axis];
  return bytes;
}

FileInWork& FileInWork::operator=(FileInWork&& other) noexcept {
  if (this != &other) {
    give_up();
    file_ = std::move(other.file_);
  }
  return *this;
}

FileInWork::~FileInWork() {
  give_up();
}

/// HDF5 keeps what it could not write, and would crash over it at its own end.
void FileInWork::give_up() noexcept {
  if (!file_) return;
  const bool flushed = H5Fflush(file_.id(), H5F_SCOPE_LOCAL) >= 0;
  if (H5Fclose(file_.release()) < 0 || !flushed) leaves_at_once = true;
}

void FileInWork::close() {
  check(H5Fflush(file_.id(), H5F_SCOPE_LOCAL), "H5Fflush");
  // Closing writes once more: room that was taken in advance is given back.
  if (H5Fclose(file_.release()) >= 0) return;
  leaves_at_once = true;
  throw Error("H5Fclose failed (" + reason() + ")");
}

NewFile::NewFile(const std::string& path, std::span<const NewDataset> datasets,
                 std::span<const NewAttribute> attributes)
    : told_(datasets.begin(), datasets.end()), file_(make_file(path, any_contiguous(datasets), attributes)) {
  for (const auto& dataset : told_) {
    try {
      datasets_.push_back(make(file_, dataset, creation(dataset)));
    } catch (const Error& error) {
      throw Error(fmt::format("the dataset '{}' cannot be made in {} ({})", dataset.path, path, error.what()));
    }
  }
  for (const auto& attribute : attributes) write_attribute(file_, attribute);
}

NewFile::NewFile(const std::string& path, std::span<const NewDataset> datasets)
    : told_(datasets.begin(), datasets.end()) {
  library();
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  if (file < 0) throw Error(fmt::format("cannot write {} ({})", path, reason()));
  file_ = FileInWork(File(file));
  for (const auto& dataset : told_)
    datasets_.push_back(Dataset(check(H5Dopen2(file_.id(), dataset.path.c_str(), H5P_DEFAULT), "H5Dopen")));
}

std::vector<std::uint64_t> NewFile::offsets() const {
  std::vector<std::uint64_t> all;
  for (std::size_t d = 0; d < told_.size(); ++d) {
    const auto offset = told_[d].chunk_rows == 0 ? H5Dget_offset(datasets_[d].id()) : 0;
    if (offset == HADDR_UNDEF) H5Eclear2(H5E_DEFAULT);  // one without bytes
    all.push_back(offset == HADDR_UNDEF ? 0 : offset);
  }
  return all;
}

ChunkPlace NewFile::write_chunk(std::size_t dataset, std::uint64_t number, std::span<const std::byte> bytes,
                                std::uint32_t skipped) {
  const auto& told = told_[dataset];
  std::vector<hsize_t> at(told.dims.size());
  at[0] = number * told.chunk_rows;
  const auto id = datasets_[dataset].id();
  check(H5Dwrite_chunk(id, H5P_DEFAULT, skipped, at.data(), bytes.size(), bytes.data()), "H5Dwrite_chunk");
  unsigned mask = 0;
  haddr_t offset = HADDR_UNDEF;
  hsize_t size = 0;
  check(H5Dget_chunk_info_by_coord(id, at.data(), &mask, &offset, &size), "H5Dget_chunk_info_by_coord");
  return {offset, size};
}

void NewFile::add(const NewAttribute& attribute) {
  write_attribute(file_, attribute);
}

void NewFile::add_texts(const std::string& path, std::uint64_t rows,
                        const std::function<std::string(std::uint64_t)>& text) {
  constexpr hsize_t at_once = 1 << 16;
  const auto type = text_type();
  const hsize_t all = rows;
  const Space space(check(H5Screate_simple(1, &all, nullptr), "H5Screate_simple"));
  const Plist properties(check(H5Pcreate(H5P_DATASET_CREATE), "H5Pcreate"));
  check(H5Pset_obj_track_times(properties.id(), false), "H5Pset_obj_track_times");
  const Dataset made(
      check(H5Dcreate2(file_.id(), path.c_str(), type.id(), space.id(), H5P_DEFAULT, properties.id(), H5P_DEFAULT),
            "H5Dcreate"));
  for (hsize_t first = 0; first < all; first += at_once) {
    const auto count = std::min(at_once, all - first);
    std::vector<std::string> texts;
    std::vector<const char*> values;
    for (auto row = first; row < first + count; ++row) texts.push_back(text(row));
    for (const auto& one : texts) values.push_back(one.c_str());
    const Space memory(check(H5Screate_simple(1, &count, nullptr), "H5Screate_simple"));
    check(H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, &first, nullptr, &count, nullptr), "H5Sselect_hyperslab");
    check(H5Dwrite(made.id(), type.id(), memory.id(), space.id(), H5P_DEFAULT, values.data()), "H5Dwrite");
  }
  check(H5Dflush(made.id()), "H5Dflush");  // closing writes the last of it, too, and nobody hears what came of that
}

void NewFile::close() {
  for (auto& dataset : datasets_) {
    if (H5Dclose(dataset.release()) >= 0) continue;
    leaves_at_once = true;  // the library keeps it, and would try again at its own end
    throw Error("H5Dclose failed (" + reason() + ")");
  }
  datasets_.clear();
  file_.close();
}

void write_virtual(const std::string& path, std::span<const NewDataset> datasets, std::span<const PartFile> parts,
                   std::span<const NewAttribute> attributes) {
  auto file = make_file(path, false, attributes);
  for (const auto& dataset : datasets) {
    const Plist properties(check(H5Pcreate(H5P_DATASET_CREATE), "H5Pcreate"));
    check(H5Pset_obj_track_times(properties.id(), false), "H5Pset_obj_track_times");
    std::vector<hsize_t> start(dataset.dims.size()), count(dataset.dims.begin(), dataset.dims.end());
    const auto target = space_of(dataset);
    for (const auto& part : parts) {
      count[0] = part.rows;
      auto source_shape = dataset;
      source_shape.dims[0] = part.rows;
      check(H5Sselect_hyperslab(target.id(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
            "H5Sselect_hyperslab");
      check(H5Pset_virtual(properties.id(), target.id(), as_pattern(part.path).c_str(),
                           as_pattern(dataset.path).c_str(), space_of(source_shape).id()),
            "H5Pset_virtual");
      start[0] += part.rows;
    }
    make(file, dataset, properties);
  }
  for (const auto& attribute : attributes) write_attribute(file, attribute);
  file.close();
}

}  // namespace headrace::h5
