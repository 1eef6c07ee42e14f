#include "inventory/file_reader.hpp"

#include <sys/stat.h>

#include "inventory/inventory_fixture.hpp"

namespace headrace::inventory {

BOOST_FIXTURE_TEST_SUITE(file_reader, InventoryFixture)

/// The one byte of such a file; or "other", where it is otherwise or not there.
std::string byte_of(FileReader& reader, const std::string& path) {
  std::byte value{};
  if (!reader.values(path, {.prefix = "head", .bytes = 1}, &value)) return "other";
  return {static_cast<char>(value)};
}

BOOST_AUTO_TEST_CASE(files_of_folders_in_any_order) {
  const std::vector<std::string> names{"x/1", "x/2", "x/y/1", "x/y/2", "xx/1", "xx/2", "1", "2"};
  for (std::size_t i = 0; i < names.size(); ++i) write(names[i], "head" + std::string(1, static_cast<char>('a' + i)));
  FileReader reader;
  std::string found;
  for (const auto i : {0, 1, 0, 2, 3, 2, 4, 5, 1, 0, 1, 6, 7, 6, 0, 6, 1, 3, 5})
    found += byte_of(reader, (folder / names[static_cast<std::size_t>(i)]).string());
  BOOST_TEST(found == "abacdcefbabghgagbdf");
}

BOOST_AUTO_TEST_CASE(what_is_otherwise_is_not_taken_for_values) {
  FileReader reader;
  const auto good = write("a/good", "headg");
  for (const std::string text : {"", "head", "hea", "headgg", "foot!"}) {
    BOOST_TEST(byte_of(reader, good) == "g");
    BOOST_TEST(byte_of(reader, write("a/bad", text)) == "other", text);
  }
  BOOST_TEST(byte_of(reader, (folder / "a/none").string()) == "other");
  BOOST_TEST(byte_of(reader, (folder / "none/none").string()) == "other");
  BOOST_TEST(byte_of(reader, (folder / "none/none").string()) == "other");
  BOOST_REQUIRE_EQUAL(mkfifo((folder / "a/pipe").c_str(), 0600), 0);
  for (const auto& path : {(folder / "a/pipe").string(), std::string("/dev/zero"), std::string("/proc/self/status")})
    BOOST_TEST(byte_of(reader, path) == "other", path);
  BOOST_TEST(byte_of(reader, good) == "g");
}

BOOST_AUTO_TEST_CASE(files_of_any_size) {
  FileReader reader;
  constexpr std::size_t small = 64 << 10;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, small - 6, small - 5, small - 4, small, 3 * small + 7}) {
    std::string values(size, '\0');
    for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<char>(i * 7 + i / 256);
    const Layout layout{.prefix = "head", .bytes = size};
    std::string got(size + 1, '#');
    auto* const to = reinterpret_cast<std::byte*>(got.data());
    BOOST_TEST(reader.values(write("good", "head" + values), layout, to), size);
    BOOST_TEST((got == values + "#"), size);
    BOOST_TEST(!reader.values(write("longer", "head" + values + "!"), layout, to), size);
    BOOST_TEST(!reader.values(write("foot", "foot" + values), layout, to), size);
    if (size > 0) BOOST_TEST(!reader.values(write("shorter", "head" + values.substr(1)), layout, to), size);
    BOOST_TEST(got.back() == '#', size);
  }
}

BOOST_AUTO_TEST_CASE(a_folder_left_may_be_another_one) {
  const auto one = write("a/1", "head1"), two = write("a/2", "head2");
  FileReader reader;
  BOOST_TEST(byte_of(reader, one) + byte_of(reader, two) == "12");
  reader.leave_folder();
  std::filesystem::rename(folder / "a", folder / "old");
  write("a/1", "head3");
  write("a/2", "head4");
  BOOST_TEST(byte_of(reader, one) + byte_of(reader, two) == "34");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::inventory
