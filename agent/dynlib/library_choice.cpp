#include "agent/dynlib/library_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <string_view>
#include <utility>

#include "agent/dynlib/cublas.h"
#include "agent/dynlib/cublaslt.h"
#include "agent/dynlib/cudnn.h"
#include "agent/dynlib/in_child.h"
#include "agent/dynlib/nccl.h"
#include "agent/dynlib/open_candidate.h"
#include "core/error.h"

namespace gpuassay {
namespace {

struct Told {
  LibraryVersion version;
  int cuda_major = 0;
  bool simulated = false;
};

/// First letter of what the confirming child answers; the reason follows.
constexpr char kRight = '+', kUndecided = '?', kRefused = '-';

/// Runs in a child. What it throws is the library's fault.
std::string answer_of(const Confirm& confirm, const VersionedLibrary& library) {
  try {
    const std::string doubt = confirm(library);
    return doubt.empty() ? std::string{kRight} : kUndecided + doubt;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::out_of_memory) return kUndecided + std::string(error.what());
    if (error.code() == ErrorCode::unsupported) return kRefused + std::string(error.what());
    throw;
  }
}

/// Loads the library and asks it. Runs in a child.
Told ask(LibraryKind kind, const LibraryCandidate& candidate) {
  switch (kind) {
    case LibraryKind::cublas: {
      const auto loaded = cublas::load(candidate);
      return {loaded.version, loaded.version.major, is_simulated(loaded.library)};
    }
    case LibraryKind::cublaslt: {
      const auto loaded = cublaslt::load(candidate);
      return {loaded.version, loaded.version.major, is_simulated(loaded.library)};
    }
    case LibraryKind::cudnn: {
      const auto loaded = cudnn::load(candidate, cudnn::Parts::leave);
      return {loaded.version, loaded.cuda_major, is_simulated(loaded.library)};
    }
    case LibraryKind::nccl: {
      const auto loaded = nccl::load(candidate);
      return {loaded.version, 0, is_simulated(loaded.library)};
    }
  }
  throw Error(ErrorCode::internal, "unknown library kind");
}

std::string to_line(const Told& told) {
  return fmt::format("{} {} {} {} {}", told.version.major, told.version.minor, told.version.patch, told.cuda_major,
                     told.simulated ? 1 : 0);
}

std::optional<Told> from_line(const std::string& line) {
  Told told;
  std::istringstream words(line);
  if (words >> told.version.major >> told.version.minor >> told.version.patch >> told.cuda_major >> told.simulated) {
    return told;
  }
  return std::nullopt;
}

/// One line for an answer that is not the wanted one.
std::string reason_of(const ChildAnswer& answer, std::string_view what) {
  switch (answer.end) {
    case ChildEnd::refused: return answer.text;
    case ChildEnd::hung: return fmt::format("{} hung: it {}", what, answer.text);
    case ChildEnd::crashed: return fmt::format("{} crashed: {}", what, answer.text);
    case ChildEnd::answered: break;
  }
  return fmt::format("{} gave an unreadable answer", what);
}

/// A name that the loader alone was asked for is no copy of the library.
bool is_file(const LibraryCandidate& candidate) { return candidate.path != candidate.soname; }

/// At most as long as the schema takes, cut between characters; a loader can have much to say.
std::string shortened(std::string text) {
  constexpr std::size_t kMaxBytes = 256;
  if (text.size() <= kMaxBytes) return text;
  std::size_t end = kMaxBytes - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return text.substr(0, end) + "...";
}

}  // namespace

std::vector<std::string> sonames_of(LibraryKind kind) {
  switch (kind) {
    case LibraryKind::cublas: return {cublas::kSonames.begin(), cublas::kSonames.end()};
    case LibraryKind::cublaslt: return {cublaslt::kSonames.begin(), cublaslt::kSonames.end()};
    case LibraryKind::cudnn: return {cudnn::kSonames.begin(), cudnn::kSonames.end()};
    case LibraryKind::nccl: return {nccl::kSoname};
  }
  return {};
}

LookedAt look_at(LibraryKind kind, const std::vector<LibraryCandidate>& candidates, const TryLimit& limit) {
  LookedAt looked;
  for (const LibraryCandidate& candidate : candidates) {
    // One that hangs must leave time for the others.
    const std::chrono::milliseconds left = TryLimit{std::chrono::hours(1), limit.deadline}.now();
    const std::chrono::milliseconds allowed = std::min(limit.each, left / 2);
    if (allowed.count() == 0) {
      looked.rejected.push_back(
          {candidate, std::nullopt, "not looked at: the time for finding libraries was over", true});
      continue;
    }
    const ChildAnswer answer = run_in_child(allowed, [&] { return to_line(ask(kind, candidate)); });
    const auto told = answer.end == ChildEnd::answered ? from_line(answer.text) : std::nullopt;
    if (told) {
      looked.found.push_back({candidate, told->version, told->cuda_major, told->simulated});
    } else {
      looked.rejected.push_back({candidate, std::nullopt, reason_of(answer, "loading it"), is_file(candidate)});
    }
  }
  return looked;
}

LibraryChoice confirm_first(const LibraryOrder& order, const TryLimit& limit, const Confirm& confirm) {
  LibraryChoice choice{std::nullopt, order.rejected};
  std::optional<VersionedLibrary> undecided;
  std::string why_undecided;
  for (const VersionedLibrary& library : order.usable) {
    if (choice.chosen) {
      choice.rejected.push_back({library.file, library.version,
                                 fmt::format("not needed: version {} ({}) is used", choice.chosen->version.text(),
                                             choice.chosen->file.path_kind)});
      continue;
    }
    const std::chrono::milliseconds allowed = limit.now();
    const bool cut_short = allowed < limit.each;
    if (!confirm || allowed.count() == 0) {
      choice.chosen = library;
      continue;
    }
    const ChildAnswer answer = run_in_child(allowed, [&] { return answer_of(confirm, library); });
    const bool answered = answer.end == ChildEnd::answered && !answer.text.empty();
    const char word = answered ? answer.text.front() : kRefused;
    const std::string reason = answered ? answer.text.substr(1) : reason_of(answer, "the confirming operation");
    const bool in_doubt = word == kUndecided || (answer.end == ChildEnd::hung && cut_short);
    if (word == kRight) {
      choice.chosen = library;
    } else if (in_doubt && !undecided) {
      undecided = library;
      why_undecided = reason;
    } else {
      choice.rejected.push_back({library.file, library.version, reason, !answered});
    }
  }
  if (undecided && choice.chosen) choice.rejected.push_back({undecided->file, undecided->version, why_undecided});
  if (!choice.chosen) choice.chosen = std::move(undecided);
  return choice;
}

LibraryChoice choose_library(LibraryKind kind, const std::vector<LibraryCandidate>& candidates,
                             const DeviceNeeds& device, const TryLimit& limit, const Confirm& confirm) {
  LookedAt looked = look_at(kind, candidates, limit);
  LibraryOrder order = choose(kind, looked.found, device);
  order.rejected.insert(order.rejected.begin(), looked.rejected.begin(), looked.rejected.end());
  return confirm_first(order, limit, confirm);
}

std::optional<VersionedLibrary> companion_cublas(const VersionedLibrary& cudnn,
                                                 const std::vector<VersionedLibrary>& found) {
  const VersionedLibrary* best = nullptr;
  const auto rank = [&](const VersionedLibrary& library) {
    return std::pair(library.file.path_kind == cudnn.file.path_kind, library.version);
  };
  for (const VersionedLibrary& library : found) {
    if (cudnn.cuda_major == 0 || library.version.major != cudnn.cuda_major) continue;
    if (best == nullptr || rank(library) > rank(*best)) best = &library;
  }
  return best == nullptr ? std::nullopt : std::optional(*best);
}

std::vector<Library> library_entries(LibraryKind kind, const LibraryChoice& choice, const std::string& chosen_for) {
  const std::string name(name_of(kind));
  std::vector<Library> entries;
  if (choice.chosen) {
    entries.push_back({name, choice.chosen->version.text(), choice.chosen->file.path_kind, chosen_for, std::nullopt});
  }
  for (const RejectedLibrary& rejected : choice.rejected) {
    if (!is_file(rejected.file) && !rejected.version) continue;
    const auto version = rejected.version ? std::optional(rejected.version->text()) : std::nullopt;
    entries.push_back({name, version, rejected.file.path_kind, std::nullopt, shortened(rejected.reason)});
  }
  if (entries.empty()) {
    entries.push_back({name, std::nullopt, "absent", std::nullopt,
                       fmt::format("none of {} is installed", fmt::join(sonames_of(kind), ", "))});
  }
  return entries;
}

}  // namespace gpuassay
