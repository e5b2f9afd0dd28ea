// Which provider slug does a name mean? From core/data/provider_aliases.csv. Pure.
#pragma once

#include <string>
#include <string_view>

namespace gpuassay {

/// The slug: lower case, known aliases replaced ("OCI" is "oracle", "LambdaLabs" is "lambda"). Other names keep their
/// letters, digits, '-' and '_'. Throws Error{unreadable_input} for anything that cannot be a slug.
std::string provider_slug(std::string_view name);

}  // namespace gpuassay
