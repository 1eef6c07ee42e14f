// Files are looked at in a process of their own: HDF5 may crash on one that is damaged, spin for ever or ask for all
// memory, and then that process is at its end, and no other. It opens, describes and reads from everything that this
// one is going to open; what it could not is never opened here.
//
//   1. One process looks at many files, one after another. It is started with the first of them, and anew after one
//      that ended it.
//   2. A file is blamed only if it ends a process that has seen no other: damage that another has done is not its own.
//   3. Errors name file and dataset, say what happened and what to do.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/source.hpp"

namespace headrace::ipc {
class Helper;
}

namespace headrace::catalog {

/// The program that looks at files, and how long it may take.
struct ExaminerProgram {
  std::string path;  ///< its main() calls examine_for_another() if its arguments begin with these
  std::vector<std::string> arguments{};
  std::chrono::seconds processor{30};  ///< without a step ahead: HDF5 runs in a circle
  std::chrono::seconds silence{600};   ///< without a step ahead, whatever the reason: the file system may be slow
};

/// From now on files are examined in processes of that program. Without one, as in the beginning, they are examined in
/// this very process, which is for programs that only look at files of their own.
void examine_by(std::optional<ExaminerProgram> program);

/// The thread that owns HDF5.
class Examiner {
 public:
  Examiner();
  ~Examiner();

  /// As examine(), packed.
  std::string file(const std::string& path);
  /// As look_for(), packed.
  std::string source(const Ask& ask);
  /// Reads from them. Nothing comes of it, unless they end the other process.
  void try_virtual(const Trial& trial);

 private:
  struct Request {
    std::string text;         ///< as the other process takes it
    const std::string& file;  ///< that it is about
  };
  std::string answer(const Request& request);
  bool ask(const std::string& text, std::string& answer);
  std::string why_no_answer(const Request& request);

  std::unique_ptr<ipc::Helper> helper_;
  std::uint64_t asked_ = 0;  // of this process
  enum class Waiting { no_more, circling, silent } waiting_ = Waiting::no_more;
};

/// The other process: answers until there are no more requests; its exit code. `arguments`: those that follow the ones
/// of ExaminerProgram.
int examine_for_another(const std::vector<std::string>& arguments);

}  // namespace headrace::catalog
