// What a table says that a file adds up to. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace headrace::inventory {

/// Throws Error where the content's checksum is another. kind: how the column is named: it begins with sha256, sha1 or
/// md5. wanted: in hexadecimal digits, of either case; perhaps behind "sha256:".
void require_checksum(const std::string& kind, std::string_view wanted, std::string_view content);

}  // namespace headrace::inventory
