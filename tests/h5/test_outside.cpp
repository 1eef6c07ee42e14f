#include "h5/library.hpp"
#include "h5/outside.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "h5/describe.hpp"
#include "h5/error.hpp"
#include "h5/file.hpp"
#include "texts.hpp"

using namespace headrace;
namespace fs = std::filesystem;

namespace {

/// top/data/a.h5 is what is opened; top/other.h5 and top/data/sub/near.h5 hold a dataset "x".
struct Files {
  fs::path top = fs::canonical(fs::temp_directory_path()) / ("headrace-outside." + std::to_string(getpid()));
  fs::path data = top / "data";
  Files() {
    h5::library();
    fs::create_directories(data / "sub");
    for (const auto& path : {top / "other.h5", data / "sub" / "near.h5"}) {
      const h5::File file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
      put(file, "x", H5P_DEFAULT);
    }
  }
  ~Files() { fs::remove_all(top); }

  static void put(const h5::File& file, const char* name, hid_t properties) {
    const hsize_t rows = 4;
    const h5::Space space(H5Screate_simple(1, &rows, nullptr));
    const h5::Dataset made(
        H5Dcreate2(file.id(), name, H5T_NATIVE_UCHAR, space.id(), H5P_DEFAULT, properties, H5P_DEFAULT));
  }
  /// data/NAME with an external link "x" to that file.
  std::string linking(const std::string& name, const std::string& to) const {
    const auto path = (data / name).string();
    const h5::File file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    H5Lcreate_external(to.c_str(), "/x", file.id(), "x", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/x", file.id(), "soft", H5P_DEFAULT, H5P_DEFAULT);
    return path;
  }
  std::string storing(const std::string& name, const std::string& in) const {
    const auto path = (data / name).string();
    const h5::File file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    const h5::Plist properties(H5Pcreate(H5P_DATASET_CREATE));
    H5Pset_external(properties.id(), in.c_str(), 0, 4);
    put(file, "y", properties.id());
    return path;
  }
};

std::size_t describe(const std::string& path) {
  return h5::describe_datasets(h5::open_file(path)).size();
}

/// Sentences that begin with this file.
std::string told_of(const std::string& path) {
  std::string all;
  for (const auto& sentence : h5::files_outside())
    if (sentence.starts_with(path + ":")) all += sentence.substr(path.size() + 1) + ";";
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(outside)

BOOST_AUTO_TEST_CASE(links_and_storage_outside_the_folder_are_told) {
  const Files files;
  const auto far = files.linking("far.h5", "../other.h5"), absolute = files.linking("abs.h5", files.top / "other.h5");
  const auto near = files.linking("near.h5", "sub/near.h5"), nowhere = files.linking("nowhere.h5", "../absent.h5");
  for (const auto& path : {far, absolute, near}) BOOST_TEST(describe(path) > 0u, path);
  BOOST_TEST(describe(nowhere) == 0u);
  BOOST_TEST(told_of(far) == " external link to '../other.h5';");
  BOOST_TEST(told_of(absolute) == " external link to '" + (files.top / "other.h5").string() + "';");
  BOOST_TEST(told_of(near) == "");
  BOOST_TEST(told_of(nowhere) == "");

  const auto passwords = files.storing("passwords.h5", "/etc/passwd");
  const auto beside = files.storing("beside.h5", (files.data / "raw.bin").string());
  BOOST_TEST(describe(passwords) == 1u);
  BOOST_TEST(describe(beside) == 1u);
  BOOST_TEST(told_of(passwords) == " external storage '/etc/passwd';");
  BOOST_TEST(told_of(beside) == "");
}

BOOST_AUTO_TEST_CASE(links_to_what_is_no_file_are_refused_at_once) {
  const Files files;
  BOOST_REQUIRE(mkfifo((files.data / "fifo").c_str(), 0600) == 0);
  for (const auto& [to, kind] : {std::pair{"fifo", "a FIFO"}, {"/dev/zero", "a device"}, {"sub", "a folder"}}) {
    const auto path = files.linking(std::string("to.") + kind + ".h5", to);
    const auto error = error_of([&] { describe(path); });
    BOOST_TEST(error.find(std::string("leads to ") + kind) != std::string::npos, error);
    BOOST_TEST(error.find(path) != std::string::npos, error);
  }
  BOOST_TEST(describe(files.linking("after.h5", "../other.h5")) > 0u);  // and nothing of it is left behind
}

BOOST_AUTO_TEST_SUITE_END()
