#include <boost/test/unit_test.hpp>
#include <string>

#include "h5/file.hpp"
#include "h5/formula.hpp"
#include "h5/refusal.hpp"

using namespace headrace;

BOOST_AUTO_TEST_SUITE(open_errors)

static std::string message_of(const std::string& path) {
  try {
    h5::open_file(path);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

BOOST_AUTO_TEST_CASE(each_reason_is_told) {
  BOOST_TEST(message_of(fixture("types.h5")).empty());
  const auto says = [](const std::string& path, const std::string& why) {
    const auto text = message_of(path);
    BOOST_TEST(text.find(why) != std::string::npos, path << ": " << text);
    BOOST_TEST(text.find(path) != std::string::npos, text);
    BOOST_TEST(text.find('\n') == std::string::npos, text);
  };
  says("/nowhere/at/all.h5", "no such file");
  says(fixture("."), "directory");
  says(fixture("text.h5"), "not an HDF5 file");
  for (const char* version : {"1", "2", "5"}) {
    const auto path = fixture("classic" + std::string(version) + ".nc");
    says(path, "it is a classic NetCDF-3 file, not HDF5");
    says(path, "convert it with 'nccopy -k nc4 " + path + " NEW.nc'");
  }
  says(fixture("empty.h5"), "empty");
  says(fixture("truncated.h5"), "cut short");
  says(fixture("fifo.h5"), "it is a FIFO, no file");
  says("/dev/zero", "it is a device, no file");
}

BOOST_AUTO_TEST_CASE(files_in_several_parts_are_told_with_the_way_to_join_them) {
  const auto folder = fixture("").substr(0, fixture("").rfind('/') + 1);
  const auto says = [&](const std::string& name, const std::string& why, const std::string& remedy) {
    BOOST_TEST(message_of(fixture(name)) == "cannot " + why + "; " + remedy);
  };
  for (const auto* name : {"fam0.h5", "fam3.h5", "fam%d.h5"})
    says(name,
         std::string(std::string(name) == "fam0.h5" ? "open " : "read ") + folder + name +
             " (HDF5's family driver cut one file into the parts " + folder + "fam%d.h5)",
         "join them with 'h5repart -family_to_sec2 " + folder + "fam%d.h5 WHOLE.h5', and name that");
  for (const auto* name : {"famlong00000.h5", "famlong00004.h5", "famlong%05d.h5"})
    BOOST_TEST(message_of(fixture(name)).find("the parts " + folder + "famlong%05d.h5)") != std::string::npos, name);
  for (const auto* name : {"split-m.h5", "split-r.h5", "split"})
    BOOST_TEST(message_of(fixture(name))
                       .find("driver keeps metadata in " + folder + "split-m.h5 and data in " + folder +
                             "split-r.h5); copy what h5py.File('" + folder + "split', driver='split') reads") !=
                   std::string::npos,
               message_of(fixture(name)));
}

BOOST_AUTO_TEST_CASE(files_that_are_written_or_of_a_newer_format) {
  const auto text = [](const char* name) { return message_of(fixture(name)); };
  BOOST_TEST(
      text("swmr.h5").find("(it is marked as being written, in SWMR mode); wait until its writer closes it, or") !=
      std::string::npos);
  BOOST_TEST(text("swmr.h5").find("'h5clear -s " + fixture("swmr.h5") + "'") != std::string::npos);
  BOOST_TEST(text("writing.h5").find("(it is marked as being written); wait") != std::string::npos);
  BOOST_TEST(text("future.h5").find("it was written by a newer HDF5 than this one") != std::string::npos);
  BOOST_TEST(
      h5::refusal("x.h5", "unable to lock file, errno = 11, error message = 'Resource temporarily unavailable'") ==
      "cannot open x.h5 (another program has it locked, and may be writing it: unable to lock file, errno = 11, "
      "error message = 'Resource temporarily unavailable'); wait until that closes it, or set "
      "HDF5_USE_FILE_LOCKING=FALSE to read it all the same");
  BOOST_TEST(h5::refusal("x.h5", "unable to lock file, errno = 38, error message = 'Function not implemented'")
                 .ends_with("; set HDF5_USE_FILE_LOCKING=FALSE to read it all the same"));
}

BOOST_AUTO_TEST_SUITE_END()
