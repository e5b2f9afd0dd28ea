// Does the provider take this machine away? Asks again and again until it says so.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "agent/platform/ask.h"
#include "agent/platform/local_platform.h"
#include "agent/platform/notice.h"

namespace gpuassay {

/// From one answer to the next question.
inline constexpr std::chrono::seconds kNoticeInterval{5};

/// The platform whose service can announce the end of this machine. Null where none can, where it is not certain whose
/// service it is, and for a machine that is on demand: nobody takes that away.
const PlatformRule* rule_of_notices(const MetadataQuestion& question, const MetadataFindings& findings,
                                    const PlatformFacts& facts);

/// A machine that still is there this long after its announced end was spared, or is another one that woke up from the
/// disk of the first: such a notice is none. As long as a day, because the clock of a machine that has just booted may
/// be hours ahead (its firmware's may have local time).
inline constexpr std::chrono::hours kNoticeOutlived{24};

/// Asks at once and again after each `pause`, until there is a notice or `pause` returns false. Never throws for what
/// servers do. `rule` can announce; `now_ms` is since 1970 UTC.
std::optional<Notice> wait_for_notice(const PlatformRule& rule, const MetadataClientMaker& make_client,
                                      const std::function<std::int64_t()>& now_ms, const std::function<bool()>& pause);

}  // namespace gpuassay
