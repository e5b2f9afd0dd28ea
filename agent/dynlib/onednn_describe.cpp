// Looks at oneDNN in a child process; see describe() in onednn.h.
#include <fmt/format.h>

#include <chrono>
#include <string>

#include "agent/dynlib/in_child.h"
#include "agent/dynlib/onednn.h"
#include "core/error.h"

namespace gpuassay::onednn {
namespace {

/// One line: "<path_kind>\t<version>". Runs in the child.
std::string look(const LibrarySearch& search) {
  const LoadedLibrary loaded = load(search);
  return fmt::format("{}\t{}.{}.{}", loaded.library.path_kind(), loaded.version.major, loaded.version.minor,
                     loaded.version.patch);
}

std::string rejection(const ChildAnswer& answer) {
  switch (answer.end) {
    case ChildEnd::refused: return answer.text;
    case ChildEnd::hung: return fmt::format("loading {} {}; {}", kSoname, answer.text, kRemedy);
    case ChildEnd::answered:  // an answer without a tab is not ours
    case ChildEnd::crashed: break;
  }
  return fmt::format("loading {} crashed ({}); {}", kSoname, answer.text, kRemedy);
}

}  // namespace

std::vector<Library> describe(const LibrarySearch& search, std::chrono::milliseconds limit) {
  const ChildAnswer answer = run_in_child(limit, [&] { return look(search); });
  Library entry{"onednn", std::nullopt, "absent", std::nullopt, std::nullopt};
  const std::size_t tab = answer.text.find('\t');
  if (answer.end == ChildEnd::answered && tab != std::string::npos) {
    entry.path_kind = answer.text.substr(0, tab);
    entry.version = answer.text.substr(tab + 1);
    entry.chosen_for = "cpu";
  } else {
    entry.rejected_reason = rejection(answer);
  }
  return {entry};
}

}  // namespace gpuassay::onednn
