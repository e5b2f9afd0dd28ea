// How does a table of C functions get filled from an opened library? Each library keeps one explicit list of
// {exported name, member of its Api}; this file is what those lists share.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "agent/dynlib/shared_library.h"

namespace gpuassay {

/// One exported function that gpuassay asks for.
struct SymbolName {
  std::string_view name;
  bool required = true;  ///< without it the library is not used
};

/// A visitor of a list that fills each member from `library`; a missing function is Error{library_missing}.
class BindRequired {
 public:
  explicit BindRequired(const SharedLibrary& library) : library_(&library) {}
  template <class Function>
  void operator()(const char* name, Function& function) const {
    function = library_->required_symbol<Function>(name);
  }

 private:
  const SharedLibrary* library_;
};

/// The same for functions gpuassay can do without: a missing one stays null.
class BindOptional {
 public:
  explicit BindOptional(const SharedLibrary& library) : library_(&library) {}
  template <class Function>
  void operator()(const char* name, Function& function) const {
    function = library_->symbol<Function>(name).value_or(nullptr);
  }

 private:
  const SharedLibrary* library_;
};

/// A visitor that appends the names alone.
class CollectNames {
 public:
  CollectNames(std::vector<SymbolName>& names, bool required) : names_(&names), required_(required) {}
  template <class Function>
  void operator()(const char* name, Function& /*function*/) const {
    names_->push_back({name, required_});
  }

 private:
  std::vector<SymbolName>* names_;
  bool required_;
};

/// Every name of a library's table, required ones first. A `Table` has two static functions, required(api, visit) and
/// optional(api, visit), which call visit(exported name, member of api) for each function.
template <class Table, class Api>
std::vector<SymbolName> names_in_table() {
  std::vector<SymbolName> names;
  Api api;
  Table::required(api, CollectNames(names, true));
  Table::optional(api, CollectNames(names, false));
  return names;
}

/// Fills `api` from `library`. Throws Error{library_missing} when a required function is not there.
template <class Table, class Api>
void bind_table(const SharedLibrary& library, Api& api) {
  Table::required(api, BindRequired(library));
  Table::optional(api, BindOptional(library));
}

}  // namespace gpuassay
