// Element types as files declare them. Plain values: any thread, once made.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace headrace::h5 {

/// Bitfields and times are the numbers that their bits are.
enum class Kind { integer, floating, enum_bool, enumeration, string, compound, array, vlen, opaque, reference, other };

/// How HDF5 ends a string of fixed length: at its first NUL, or without the NULs or spaces that stand at its end.
enum class Padding { null_terminated, null_padded, space_padded };

struct Member;

/// A name of an enumeration, and what it stands for.
struct Label {
  std::string name;
  std::int64_t value = 0;
  bool operator==(const Label&) const = default;
};

struct TypeInfo {
  Kind kind = Kind::other;
  std::uint64_t size = 0;           ///< bytes of one element in the file
  bool is_signed = false;           ///< integers and enumerations
  bool big_endian = false;          ///< as stored
  bool standard = true;             ///< all bits used, IEEE layout where floating: what a CPU can take as it is
  bool bfloat = false;              ///< 2-byte floating type with the 8-bit exponent of bfloat16
  std::vector<Member> members;      ///< of a compound
  std::vector<Label> labels;        ///< of an enumeration, by value; h5py's bool is {FALSE = 0, TRUE = 1} over int8
  std::vector<std::uint64_t> dims;  ///< of an array
  std::vector<TypeInfo> base;       ///< of an array or vlen: one entry
  Padding padding = Padding::null_terminated;  ///< of a string of fixed length
  bool utf8 = false;                           ///< what a string says of its characters; else ASCII
  bool time = false;                           ///< one of HDF5's times, which are integers
  bool timeval = false;  ///< a floating one of 8 bytes that PyTables wrote: seconds, and microseconds in the low half
  std::string oddity;    ///< of a number that is not standard: what of it, as in "12 of its 16 bits"
  std::string numpy{};   ///< of an opaque type that h5py wrote for a number: what NumPy calls that, as in "M8[ns]"

  bool operator==(const TypeInfo&) const;
};

struct Member {
  std::string name;
  std::uint64_t offset = 0;
  TypeInfo type;
  bool operator==(const Member&) const = default;
};

/// Bytes of one element in memory, as rows are delivered: that in the file, but where elements are pointers.
std::uint64_t memory_size(const TypeInfo& type);

/// Whether elements are, or hold, pointers to memory that HDF5 allocates while reading: variable-length data and
/// strings. Only HDF5 itself can read those.
bool has_pointers(const TypeInfo& type);

/// What the type behind this identifier is.
TypeInfo describe_type(hid_t type);

/// The times of 8 bytes in a file of PyTables: floats, in its own packing.
void as_pytables_writes_times(TypeInfo& type);

/// The type of the two parts, real and imaginary, where this is how complex numbers are written: a compound of two
/// floats {r, i} (h5py, PyTables, Julia), {re, im} or {real, imag}. nullptr for others.
const TypeInfo* complex_part(const TypeInfo& type);

/// The values that stand one after another in an element: those of an array, the two parts of a complex number.
struct Elements {
  const TypeInfo* type;             ///< of one of them, neither array nor complex
  std::vector<std::uint64_t> dims;  ///< none: the element itself
};
Elements elements_of(const TypeInfo& type);

/// "float32", "uint8", "int16 (big-endian)", "bool", "compound {pt: float32, eta: float32}", "float32[3]",
/// "string (variable)", "variable-length int32", "complex64".
std::string text_of(const TypeInfo& type);

/// The texts of two types that differ, with as much of them as tells them apart: paddings, offsets, values of names.
std::pair<std::string, std::string> told_apart(const TypeInfo& a, const TypeInfo& b);

/// The text that saved states know the type by: it never changes.
std::string lasting_text(const TypeInfo& type);

}  // namespace headrace::h5
