// Which integers do host and device share? Device code is compiled without any header, so <cstdint> is not there.
#pragma once

namespace gpuassay::kernels {

using UInt8 = __UINT8_TYPE__;
using UInt16 = __UINT16_TYPE__;
using UInt32 = __UINT32_TYPE__;
using UInt64 = __UINT64_TYPE__;
using Int8 = __INT8_TYPE__;
using Int32 = __INT32_TYPE__;
using Int64 = __INT64_TYPE__;

}  // namespace gpuassay::kernels
