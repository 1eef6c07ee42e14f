// Content of files against bytes written by hand, as the formats' descriptions have them.
#include <zlib.h>

#include <limits>

#include "inventory/decoders/zip.hpp"
#include "inventory/inventory_fixture.hpp"

namespace headrace::inventory {

BOOST_FIXTURE_TEST_SUITE(decoders, InventoryFixture)

namespace {

using Doubles = std::vector<double>;
using Extents = std::vector<std::uint64_t>;

std::unique_ptr<Decoder> decoder(const std::string& name) {
  return make_decoder(parse_decoder(name));
}

template <class T>
std::vector<T> decoded(const std::string& name, const std::string& file) {
  const auto made = decoder(name);
  const auto form = made->form_of(content(file));
  std::vector<T> values(form.bytes() / sizeof(T));
  made->decode(content(file), form, reinterpret_cast<std::byte*>(values.data()));
  return values;
}

Form form(const std::string& name, const std::string& file) {
  return decoder(name)->form_of(content(file));
}

std::string le(std::uint64_t number, int bytes) {
  return {reinterpret_cast<const char*>(&number), static_cast<std::size_t>(bytes)};
}

/// An archive of one member; deflated where `packed` is given.
std::string zip(const std::string& name, const std::string& body, bool deflated, std::uint32_t crc_error = 0) {
  std::string packed = body;
  if (deflated) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    packed.resize(deflateBound(&stream, body.size()));
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
    stream.avail_in = static_cast<uInt>(body.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
  }
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size())) ^ crc_error;
  const auto facts = le(deflated ? 8 : 0, 2) + le(0, 4) + le(crc, 4) + le(packed.size(), 4) + le(body.size(), 4) +
                     le(name.size(), 2) + le(0, 2);
  const auto local = le(0x04034b50, 4) + le(20, 2) + le(0, 2) + facts + name + packed;
  const auto central =
      le(0x02014b50, 4) + le(20, 2) + le(20, 2) + le(0, 2) + facts + le(0, 2) + le(0, 4) + le(0, 4) + le(0, 4) + name;
  return local + central + le(0x06054b50, 4) + le(0, 4) + le(1, 2) + le(1, 2) + le(central.size(), 4) +
         le(local.size(), 4) + le(0, 2);
}

}  // namespace

BOOST_AUTO_TEST_CASE(npy_of_all_versions) {
  for (const int version : {1, 2, 3}) {
    const auto file = npy("'<f4'", "(2, 3)", bytes_of<float>({0, 1, 2, 3, 4, 5}), version);
    BOOST_TEST((form("npy", file).shape == Extents{2, 3}));
    BOOST_TEST(text_of(form("npy", file)) == "float32 (2, 3)");
    BOOST_TEST((decoded<float>("npy", file) == std::vector<float>{0, 1, 2, 3, 4, 5}));
  }
  BOOST_TEST((form("npy", npy("'|u1'", "()", "a")).shape.empty()));
}

BOOST_AUTO_TEST_CASE(npy_in_fortran_order) {
  const auto file = npy("'<f8'", "(2, 3)", bytes_of<double>({0, 3, 1, 4, 2, 5}), 1, "True");
  BOOST_TEST((decoded<double>("npy", file) == Doubles{0, 1, 2, 3, 4, 5}));
  BOOST_TEST(!decoder("npy")->prefix(content(file)));
  std::vector<std::int16_t> values, wanted;
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 4; ++k) wanted.push_back(static_cast<std::int16_t>(100 * i + 10 * j + k));
  for (int k = 0; k < 4; ++k)
    for (int j = 0; j < 3; ++j)
      for (int i = 0; i < 2; ++i) values.push_back(static_cast<std::int16_t>(100 * i + 10 * j + k));
  BOOST_TEST((decoded<std::int16_t>("npy", npy("'<i2'", "(2, 3, 4)", bytes_of(values), 1, "True")) == wanted));
}

BOOST_AUTO_TEST_CASE(npy_of_the_other_byte_order) {
  const auto big = npy("'>i2'", "(2,)", std::string("\x01\x02\x03\x04", 4));
  BOOST_TEST(form("npy", big).type.big_endian);
  // Where the first file was of the one order, a later one of the other is turned around.
  const auto first = form("npy", npy("'<i2'", "(2,)", std::string(4, 'x')));
  std::vector<std::int16_t> values(2);
  decoder("npy")->decode(content(big), first, reinterpret_cast<std::byte*>(values.data()));
  BOOST_TEST((values == std::vector<std::int16_t>{0x0102, 0x0304}));
}

BOOST_AUTO_TEST_CASE(npy_types) {
  const auto type = [](const std::string& descr, std::size_t bytes) {
    return h5::text_of(form("npy", npy(descr, "(1,)", std::string(bytes, '\0'))).type);
  };
  BOOST_TEST(type("'<f2'", 2) == "float16");
  BOOST_TEST(type("'|b1'", 1) == "bool");
  BOOST_TEST(type("'<u8'", 8) == "uint64");
  BOOST_TEST(type("'<c8'", 8) == "complex64");
  BOOST_TEST(type("'|S5'", 5) == "string (5 bytes)");
  BOOST_TEST(type("[('pt', '<f4'), ('id', '|i1'), ('xy', '<f8', (2,))]", 21) ==
             "compound {pt: float32, id: int8, xy: float64[2]}");
}

BOOST_AUTO_TEST_CASE(npy_that_cannot_be) {
  const auto says = [&](const std::string& file) { return mistake([&] { form("npy", file); }); };
  BOOST_TEST(has(says(npy("'|O'", "(1,)", "x")), "Python objects"));
  BOOST_TEST(has(says(npy("'<U3'", "(1,)", std::string(12, 'x'))), "texts of Unicode"));
  BOOST_TEST(has(says(npy("'<M8[ns]'", "(1,)", std::string(8, 'x'))), "dates"));
  BOOST_TEST(has(says("hello world"), "it is no .npy file"));
  BOOST_TEST(
      has(says(npy("'<f4'", "(2,)", "1234")), "it holds 4 bytes behind its header, and float32 (2,) takes 8"));
  BOOST_TEST(has(says(npy("'<f4'", "(1,)", "12345")), "it holds 5 bytes"));
  BOOST_TEST(has(says(npy("'<f4'", "(-1,)", "")), "no shape"));
  BOOST_TEST(has(says(npy("'<f8'", "(4294967296, 4294967296)", "")), "more than can be counted"));
  for (const auto* descr : {"[('a', 'S18446744073709551615'), ('b', 'S5')]", "[('a', 'S9223372036854775808', (2,))]",
                            "[('', 'S18446744073709551615'), ('b', 'S5')]"})
    BOOST_TEST(has(says(npy(descr, "(1,)", "1234")), "more bytes than can be counted"), descr);
  auto cut = npy("'<f4'", "(1,)", "1234").substr(0, 30);
  BOOST_TEST(has(says(cut), "ends within its header"));
  for (std::size_t bytes = 0; bytes < 30; ++bytes) BOOST_TEST(says(cut.substr(0, bytes)) != "no mistake");
}

BOOST_AUTO_TEST_CASE(other_forms_than_the_first) {
  const auto first = form("npy", npy("'<f4'", "(1, 2)", std::string(8, 'x')));
  std::vector<std::byte> to(64);
  const auto says = [&](const std::string& file) {
    return mistake([&] { decoder("npy")->decode(content(file), first, to.data()); });
  };
  BOOST_TEST(has(says(npy("'<f4'", "(2, 1)", std::string(8, 'x'))),
                      "it holds float32 (2, 1), and the first sample's file float32 (1, 2)"));
  BOOST_TEST(has(says(npy("'<i4'", "(1, 2)", std::string(8, 'x'))), "it holds int32 (1, 2)"));
  BOOST_TEST(says(npy("'<f4'", "(1, 2)", std::string(8, 'x'), 2)) == "no mistake");
}

BOOST_AUTO_TEST_CASE(npz_stored_and_deflated) {
  const auto body = npy("'<i4'", "(3,)", bytes_of<std::int32_t>({7, 8, 9}));
  for (const bool deflated : {false, true})
    BOOST_TEST((decoded<std::int32_t>("npz:x", zip("x.npy", body, deflated)) == std::vector<std::int32_t>{7, 8, 9}));
  const auto says = [&](const std::string& file) { return mistake([&] { form("npz:x", file); }); };
  BOOST_TEST(has(says(zip("y.npy", body, true)), "it has no array 'x'"));
  BOOST_TEST(has(says(zip("x.npy", body, true, 1)), "checksum of its array 'x.npy'"));
  BOOST_TEST(has(says("PK"), "no ZIP archive"));
  const auto whole = zip("x.npy", body, true);
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) BOOST_TEST(says(whole.substr(0, bytes)) != "no mistake");
}

BOOST_AUTO_TEST_CASE(texts_as_loadtxt_reads_them) {
  BOOST_TEST((decoded<double>("text", "# x y\n1 2\n\n3.5\t-4e2  # last\n") == Doubles{1, 2, 3.5, -400}));
  BOOST_TEST((form("text", "1 2\n3 4\n").shape == Extents{2, 2}));
  BOOST_TEST((form("text", "1,2,3").shape == Extents{3}));
  BOOST_TEST((form("text", "1;2\n3;4\r\n").shape == Extents{2, 2}));
  BOOST_TEST((form("text", "1\n2\n").shape == Extents{2}));
  BOOST_TEST(form("text", "7\n").shape.empty());
  BOOST_TEST((decoded<double>("text", "+1, 2") == Doubles{1, 2}));
  const auto infinity = std::numeric_limits<double>::infinity();
  BOOST_TEST((decoded<double>("text", "1e400 -1e400 1e-400 +0.001E99999999999999999999 1000e-99999999999999999999") ==
              Doubles{infinity, -infinity, 0, infinity, 0}));
  const auto zeros = std::string(400, '0');
  BOOST_TEST((decoded<double>("text", "0." + zeros + "1, 1" + zeros + ".5, 1" + zeros + "e-400, 5e-324") ==
              Doubles{0, infinity, 1, 5e-324}));
  const auto says = [&](const std::string& file) { return mistake([&] { form("text", file); }); };
  BOOST_TEST(has(says("1 2\n3\n"), "its line 2 holds 1 numbers, and those before 2"));
  BOOST_TEST(has(says("1 2\n3 x\n"), "its line 2 holds 'x', which is no number"));
  BOOST_TEST(has(says("1,,2"), "which is no number"));
  BOOST_TEST(has(says("1,2,"), "which is no number"));
  BOOST_TEST(has(says("# nothing\n"), "holds no numbers"));
}

BOOST_AUTO_TEST_CASE(raw_values) {
  BOOST_TEST((decoded<std::int16_t>("raw:int16:2,2", bytes_of<std::int16_t>({1, 2, 3, 4})) ==
              std::vector<std::int16_t>{1, 2, 3, 4}));
  BOOST_TEST((form("raw:int16:2,2", std::string(8, 'x')).shape == Extents{2, 2}));
  BOOST_TEST(form("raw:float32:1:big", "1234").type.big_endian);
  BOOST_TEST(has(mistake([] { form("raw:int16:2", "12345"); }), "it has 5 bytes, and int16 (2,) takes 4"));
  for (const auto* name :
       {"raw:int16", "raw:int:2", "raw:int16:0", "raw:int16:2,", "raw:int16:2:little:", "raw:int16:x"})
    BOOST_TEST(has(mistake([&] { decoder(name); }), "is not raw:TYPE:SHAPE"), name);
}

BOOST_AUTO_TEST_CASE(names_of_decoders) {
  BOOST_TEST(has(mistake([] { parse_decoder("png"); }), "decoder 'png' is none; write npy"));
  BOOST_TEST(has(mistake([] { parse_decoder("npz"); }), "decoder 'npz' is none"));
  BOOST_TEST(has(mistake([] { parse_decoder("npy:x"); }), "is none"));
  BOOST_TEST(parse_decoder("hdf5:climate/data").argument == "climate/data");
  BOOST_TEST(parse_decoder("python:a.b:C").argument == "a.b:C");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::inventory
