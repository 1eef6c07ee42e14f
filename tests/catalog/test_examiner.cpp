// Files that end the process which looks at them: told, and this one lives. What is found is the same as without.
#include "catalog/examiner.hpp"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "../h5/formula.hpp"
#include "base/error.hpp"
#include "catalog/damage.hpp"
#include "h5/outside.hpp"

using namespace headrace;
using namespace headrace::catalog;
using namespace headrace::catalog;

namespace fs = std::filesystem;

namespace {

struct Folder {
  std::string path = (fs::temp_directory_path() / ("headrace-examiner-" + std::to_string(getpid()))).string();
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

struct InChild {
  explicit InChild(ExaminerProgram program = {.path = EXAMINE_FILES}) { examine_by(program); }
  ~InChild() { examine_by(std::nullopt); }
};

std::string message_of(const std::vector<std::string>& files) {
  try {
    examine_all(files);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

void tells(const std::string& message, const std::vector<std::string>& words) {
  for (const auto& word : words)
    BOOST_TEST(message.find(word) != std::string::npos, "'" << word << "' in: " << message);
  BOOST_TEST(message.find('\n') == std::string::npos);
}

std::vector<std::string> damaged() {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(DAMAGED_FILES)) files.push_back(entry.path().string());
  std::ranges::sort(files);
  return files;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(examiner)

BOOST_AUTO_TEST_CASE(a_crash_names_file_and_dataset) {
  const Folder folder;
  const InChild child;
  const auto file = write_damage(folder.path, "crash", bad::crash);
  tells(message_of({file}), {"cannot read " + file + " (HDF5 crashes on its dataset 'bad', with SIGSEGV); it is damaged",
                            "h5dump -H " + file, "copy it anew"});
}

BOOST_AUTO_TEST_CASE(whatever_the_end_it_is_told) {
  const Folder folder;
  const InChild child;
  const auto leave = write_damage(folder.path, "leave", bad::leave);
  tells(message_of({leave}), {"cannot read " + leave, "left with exit code 3 over its dataset 'bad'"});
  const auto killed = write_damage(folder.path, "killed", bad::killed);
  tells(message_of({killed}), {"cannot read " + killed, "was killed over its dataset 'bad'", "memory"});
}

BOOST_AUTO_TEST_CASE(computing_without_an_end_has_a_limit) {
  const Folder folder;
  const InChild child({.path = EXAMINE_FILES, .arguments = {}, .processor = std::chrono::seconds(1)});
  const auto circle = write_damage(folder.path, "circle", bad::circle);
  tells(message_of({circle}), {"cannot read " + circle, "HDF5 has computed for 1 s over its dataset 'bad'"});
}

BOOST_AUTO_TEST_CASE(silence_has_a_limit) {
  const Folder folder;
  const InChild child({.path = EXAMINE_FILES, .arguments = {}, .silence = std::chrono::seconds(0)});
  const auto file = write_damage(folder.path, "sleep", bad::sleep);
  // A busy machine may not have come to the dataset by then.
  tells(message_of({file}), {"cannot read " + file, "nothing has been heard of its ", " for 0 s"});
}

BOOST_AUTO_TEST_CASE(one_process_looks_at_many_files_and_the_right_one_is_blamed) {
  const Folder folder;
  const InChild child;
  const auto good = write_damage(folder.path, "good", bad::nothing),
             spoil = write_damage(folder.path, "spoil", bad::spoil),
             victim = write_damage(folder.path, "victim", bad::crash_if_spoilt),
             crash = write_damage(folder.path, "crash", bad::crash);
  BOOST_TEST(examine_all({good, spoil, victim}).size() == 3u);
  tells(message_of({good, crash, victim}), {"cannot read " + crash});
  tells(message_of({spoil, victim, crash}), {"cannot read " + crash});
}

BOOST_AUTO_TEST_CASE(sources_of_virtual_datasets_are_looked_at_there) {
  const Folder folder;
  const InChild child;
  const auto good = write_damage(folder.path, "good", bad::nothing),
             crash = write_damage(folder.path, "crash", bad::crash);
  const auto path = folder.path + "/virtual.h5";
  {
    using namespace h5;
    const File file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    const hsize_t rows = 10, both[] = {200, 10};
    const Space whole(H5Screate_simple(2, both, nullptr)), source(H5Screate_simple(1, &rows, nullptr));
    const Plist layout(H5Pcreate(H5P_DATASET_CREATE));
    for (hsize_t row = 0; row < both[0]; ++row) {
      const hsize_t start[] = {row, 0}, count[] = {1, 10};
      H5Sselect_hyperslab(whole.id(), H5S_SELECT_SET, start, nullptr, count, nullptr);
      const bool last = row == both[0] - 1;  // which is not among those that are tried
      H5Pset_virtual(layout.id(), whole.id(), last ? "crash.h5" : "good.h5", last ? "bad" : "good", source.id());
    }
    H5Sselect_all(whole.id());
    const Dataset made(H5Dcreate2(file.id(), "v", H5T_NATIVE_INT, whole.id(), H5P_DEFAULT, layout.id(), H5P_DEFAULT));
  }
  tells(message_of({path}), {"cannot read " + path + " (HDF5 crashes on dataset 'bad' of " + crash + ", with SIGSEGV)",
                            "h5dump -H " + crash});
}

BOOST_AUTO_TEST_CASE(errors_are_those_of_the_same_process) {
  for (const auto* name : {"no_such.h5", "truncated.h5", "text.h5", "."}) {
    const auto here = message_of({fixture(name)});
    const InChild child;
    BOOST_TEST(message_of({fixture(name)}) == here);
    BOOST_TEST(here != "no error");
  }
}

BOOST_AUTO_TEST_CASE(what_is_found_is_what_this_process_would_find) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(fixture("")))
    if (entry.path().extension() == ".h5") files.push_back(entry.path().string());
  BOOST_REQUIRE(files.size() > 10u);
  for (const auto& file : files) {
    const ScanOptions options{.see_through = false, .fill_gaps = false, .keep = {}};
    std::string here, there;
    const auto look = [&](std::string& message) {
      try {
        return examine_all({file}, options);
      } catch (const Error& error) {
        message = error.what();
        return Contents{};
      }
    };
    const auto own = look(here);
    const InChild child;
    const auto others = look(there);
    BOOST_TEST(here == there);
    BOOST_REQUIRE(own.size() == others.size());
    for (std::size_t i = 0; i < own.size(); ++i) BOOST_TEST((own[i].datasets == others[i].datasets), file);
  }
}

BOOST_AUTO_TEST_CASE(what_lies_outside_is_known_here) {
  const Folder folder;
  const InChild child;
  write_damage(folder.path + "/elsewhere", "target", bad::nothing);
  fs::create_directories(folder.path + "/here");
  const auto path = folder.path + "/here/link.h5";
  {
    const h5::File file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    H5Lcreate_external("../elsewhere/target.h5", "/good", file.id(), "x", H5P_DEFAULT, H5P_DEFAULT);
  }
  BOOST_TEST(examine_all({path})[0].datasets.size() == 1u);
  const auto outside = h5::files_outside();
  const auto told = path + ": external link to '../elsewhere/target.h5'";
  BOOST_TEST(std::ranges::count(outside, told) == 1, told << " is not in " << some_of(outside));
}

/// Each of them ends a process that reads it with HDF5 1.10.8; newer ones call some of them an error.
BOOST_AUTO_TEST_CASE(files_that_crash_hdf5) {
  const InChild child;
  BOOST_TEST(damaged().size() > 10u);
  for (const auto& file : damaged()) {
    const auto message = message_of({file});
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    if (major != 1 || minor != 10) continue;
    tells(message, {"cannot read " + file + " ("});
#ifndef __SANITIZE_THREAD__  // whose memory lies otherwise: there HDF5 sees some of the damage by itself
    tells(message, {"it is damaged"});
#endif
  }
}

BOOST_AUTO_TEST_CASE(a_program_that_is_missing_is_an_error) {
  const InChild child({.path = "/no/such/program", .arguments = {}});
  tells(message_of({fixture("part_a.h5")}), {"cannot start", "/no/such/program", "No such file"});
}

BOOST_AUTO_TEST_SUITE_END()
