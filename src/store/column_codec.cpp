#include "store/column_codec.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace tickpipe::internal {
namespace {

enum Shape : std::uint8_t {
  kConstant = 0,  ///< base
  kVarints = 1,   ///< base, step; of each its distance from base in steps
  kPacked = 2,    ///< base, step, width; the same with `width` bits each, least significant first
  kZigzags = 3,   ///< step; of each the number of steps, which may be negative
};

std::uint64_t magnitude(std::int64_t value) {
  return value < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

std::uint64_t distance(std::int64_t value, std::int64_t base) {
  return static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(base);
}

std::size_t varint_bytes(std::uint64_t value) { return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7; }

/// The greatest number that divides all that `amount_of` yields; 1 if they are all 0.
template <typename AmountOf>
std::uint64_t common_step(std::span<const std::int64_t> values, AmountOf amount_of) {
  std::uint64_t step = 0;
  for (const std::int64_t value : values) {
    const std::uint64_t amount = amount_of(value);
    if (step != 0 && amount % step == 0) continue;
    step = std::gcd(step, amount);
    if (step == 1) break;
  }
  return std::max(step, std::uint64_t{1});
}

template <typename NumberOf>
void append_varints(std::span<const std::int64_t> values, std::string& out, NumberOf number_of) {
  const std::size_t start = out.size();
  out.resize(start + values.size() * kMaxVarintBytes);
  char* p = out.data() + start;
  for (const std::int64_t value : values) p = put_varint(p, number_of(value));
  out.resize(static_cast<std::size_t>(p - out.data()));
}

template <typename NumberOf>
void append_packed(std::span<const std::int64_t> values, std::size_t width, std::string& out, NumberOf number_of) {
  UInt128 bits = 0;
  std::size_t held = 0;
  for (const std::int64_t value : values) {
    bits |= static_cast<UInt128>(number_of(value)) << held;
    for (held += width; held >= 8; held -= 8) {
      out.push_back(static_cast<char>(bits & 0xff));
      bits >>= 8;
    }
  }
  if (held != 0) out.push_back(static_cast<char>(bits & 0xff));
}

void encode_amounts(std::span<const std::int64_t> values, std::int64_t base, std::int64_t greatest, std::string& out) {
  const std::uint64_t step = common_step(values, [base](std::int64_t value) { return distance(value, base); });
  const auto steps_of = [base, step](std::int64_t value) {
    const std::uint64_t amount = distance(value, base);
    return step == 1 ? amount : amount / step;
  };
  const auto width = static_cast<std::size_t>(std::bit_width(steps_of(greatest)));
  std::size_t as_varints = 0;
  if (width > 8) {
    for (const std::int64_t value : values) as_varints += varint_bytes(steps_of(value));
  }
  // Packed bits cannot be compressed any more, varints can: packing has to win clearly.
  const bool is_packed = width > 8 && (values.size() * width / 8) * 4 <= as_varints * 3;
  ByteWriter w(out);
  w.u8(is_packed ? kPacked : kVarints);
  w.signed_varint(base);
  w.varint(step);
  if (is_packed) {
    w.u8(static_cast<std::uint8_t>(width));
    append_packed(values, width, out, steps_of);
  } else {
    append_varints(values, out, steps_of);
  }
}

}  // namespace

void encode_column(ColumnKind kind, std::span<const std::int64_t> values, std::string& out) {
  ByteWriter w(out);
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  if (values.empty() || *least == *greatest) {
    w.u8(kConstant);
    w.signed_varint(values.empty() ? 0 : values.front());
    return;
  }
  if (kind == ColumnKind::kAmounts) {
    encode_amounts(values, *least, *greatest, out);
    return;
  }
  const std::uint64_t step = common_step(values, magnitude);
  w.u8(kZigzags);
  w.varint(step);
  append_varints(values, out, [step](std::int64_t value) {
    const std::uint64_t steps = step == 1 ? magnitude(value) : magnitude(value) / step;
    return zigzag(value < 0 ? static_cast<std::int64_t>(std::uint64_t{0} - steps) : static_cast<std::int64_t>(steps));
  });
}

void decode_column(ByteReader& in, std::size_t count, std::vector<std::int64_t>& values) {
  const std::uint8_t shape = in.u8();
  if (shape == kConstant) {
    values.assign(count, in.signed_varint());
    return;
  }
  values.resize(count);
  if (shape == kZigzags) {
    const std::uint64_t step = in.varint();
    for (std::int64_t& value : values) {
      value = static_cast<std::int64_t>(static_cast<std::uint64_t>(in.signed_varint()) * step);
    }
    return;
  }
  const auto base = static_cast<std::uint64_t>(in.signed_varint());
  const std::uint64_t step = in.varint();
  if (shape == kVarints) {
    for (std::int64_t& value : values) value = static_cast<std::int64_t>(base + in.varint() * step);
    return;
  }
  const std::uint8_t width = in.u8();
  if (shape != kPacked || width == 0 || width > 64) {
    in.fail();
    return;
  }
  const std::uint64_t mask = ~std::uint64_t{0} >> (64 - width);
  UInt128 bits = 0;
  std::size_t held = 0;
  for (std::int64_t& value : values) {
    for (; held < width; held += 8) bits |= static_cast<UInt128>(in.u8()) << held;
    value = static_cast<std::int64_t>(base + (static_cast<std::uint64_t>(bits) & mask) * step);
    bits >>= width;
    held -= width;
  }
}

}  // namespace tickpipe::internal
