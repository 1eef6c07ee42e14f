#include "commands/inspect/inspect.hpp"

#include <ostream>

#include "base/printable.hpp"
#include "commands/inspect/views.hpp"
#include "reader/files.hpp"
#include "reader/grouping.hpp"

namespace headrace::commands::inspect {

int inspect(const std::vector<std::string>& files, bool json, bool all, std::ostream& out) {
  const auto contents = reader::examine_all(reader::expand_files(files), {.see_through = false, .fill_gaps = false});
  const auto grouping = reader::group(contents);
  out << (json ? as_json(contents, grouping) : printable_lines(as_table(contents, grouping, all))) << std::flush;
  return 0;
}

}  // namespace headrace::commands::inspect
