// Files of so many samples that an earlier run wrote under the same name, or began: what is written now may have fewer of
// them, or none, and nothing would name those that are left. Called by one stager, in the thread that owns HDF5.
#pragma once

#include <string>
#include <vector>

#include "formats/journal.hpp"

namespace headrace::commands::premix {

/// In the journal, which outlives a run that is killed: the names of all such files that there may be.
constexpr const char* parts_fact = "@parts";

/// What the fact says of these names.
std::string text_of_parts(const std::vector<std::string>& names);

/// The names that the file joins, as premix wrote them; none where it joins none, or is of somebody else.
std::vector<std::string> parts_joined_by(const std::string& path);

/// All names of parts of this path that the file tells which is there, or a journal.
std::vector<std::string> old_parts_of(const std::string& path);

/// The path beside the other one.
std::string beside(const std::string& path, const std::string& name);

/// Takes away those that premix wrote, and what it began of them. Returns how many of them were whole.
std::size_t remove_parts(const std::string& path, const std::vector<std::string>& names);

}  // namespace headrace::commands::premix
