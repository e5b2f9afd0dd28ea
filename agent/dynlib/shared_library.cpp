#include "agent/dynlib/shared_library.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "core/error.h"

namespace gpuassay {
namespace {

std::string last_loader_message() {
  const char* message = dlerror();
  return message == nullptr ? "no reason given" : without_folders(message);
}

int flags_for(Unload unload, Visibility visibility = Visibility::local) {
  return RTLD_NOW | (visibility == Visibility::global ? RTLD_GLOBAL : RTLD_LOCAL) |
         (unload == Unload::never ? RTLD_NODELETE : 0);
}

}  // namespace

std::string without_folders(std::string_view message) {
  std::string text;
  for (std::size_t at = 0; at < message.size();) {
    if (message[at] != '/') {
      text += message[at++];
      continue;
    }
    // Folder names may hold spaces and brackets: a path goes on to the loader's own colon.
    const std::size_t end = std::min({message.find(": ", at), message.find('\n', at), message.size()});
    const std::size_t last = message.rfind('/', end - 1);
    text += message.substr(last + 1, end - last - 1);
    at = end;
  }
  return text;
}

LibrarySearch LibrarySearch::from_list(std::string_view colon_list) {
  LibrarySearch search;
  while (!colon_list.empty()) {
    const std::size_t colon = colon_list.find(':');
    const std::string_view directory = colon_list.substr(0, colon);
    if (!directory.empty()) search.override_directories.emplace_back(directory);
    if (colon == std::string_view::npos) break;
    colon_list.remove_prefix(colon + 1);
  }
  return search;
}

LibrarySearch LibrarySearch::from_environment() {
  const char* list = std::getenv("GPUASSAY_LIBRARY_PATH");
  return list == nullptr ? LibrarySearch{} : from_list(list);
}

std::optional<SharedLibrary> SharedLibrary::find(const LibrarySearch& search, const std::string& soname,
                                                 Unload unload) {
  for (const std::string& directory : search.override_directories) {
    const std::string path = directory + "/" + soname;
    if (access(path.c_str(), F_OK) != 0) continue;
    if (void* handle = dlopen(path.c_str(), flags_for(unload))) return SharedLibrary(handle, soname, "override");
    throw Error(ErrorCode::library_missing, soname + " from GPUASSAY_LIBRARY_PATH does not load: " +
                                                last_loader_message() + "; correct or unset GPUASSAY_LIBRARY_PATH");
  }
  if (void* handle = dlopen(soname.c_str(), flags_for(unload))) return SharedLibrary(handle, soname, "system");
  const std::string reason = last_loader_message();
  // The loader has no error numbers; this is its wording for "no such file", in every glibc since 2.2.
  if (reason.rfind(soname + ": cannot open shared object file", 0) == 0) return std::nullopt;
  throw Error(ErrorCode::library_missing,
              soname + " is installed but does not load: " + reason + "; reinstall it or what it names");
}

SharedLibrary SharedLibrary::open(const LibrarySearch& search, const std::string& soname, const std::string& remedy,
                                  Unload unload) {
  auto found = find(search, soname, unload);
  if (!found) throw Error(ErrorCode::library_missing, soname + " is not installed; " + remedy);
  return std::move(*found);
}

SharedLibrary SharedLibrary::open_file(const std::string& path, const std::string& soname, const std::string& path_kind,
                                       Unload unload, Visibility visibility) {
  if (void* handle = dlopen(path.c_str(), flags_for(unload, visibility))) {
    return SharedLibrary(handle, soname, path_kind);
  }
  throw Error(ErrorCode::library_missing, soname + " (" + path_kind + ") does not load: " + last_loader_message());
}

SharedLibrary::SharedLibrary(void* handle, std::string soname, std::string path_kind)
    : handle_(handle), soname_(std::move(soname)), path_kind_(std::move(path_kind)) {}

SharedLibrary::SharedLibrary(SharedLibrary&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      soname_(std::move(other.soname_)),
      path_kind_(std::move(other.path_kind_)) {}

SharedLibrary& SharedLibrary::operator=(SharedLibrary&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(soname_, other.soname_);
  std::swap(path_kind_, other.path_kind_);
  return *this;
}

SharedLibrary::~SharedLibrary() {
  if (handle_ != nullptr) dlclose(handle_);
}

void* SharedLibrary::address_of(const std::string& name) const { return dlsym(handle_, name.c_str()); }

void SharedLibrary::throw_missing_symbol(const std::string& name) const {
  throw Error(ErrorCode::library_missing,
              soname_ + " (" + path_kind_ + ") does not export " + name + "; install a complete build of this library");
}

}  // namespace gpuassay
