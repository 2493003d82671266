#include "model/bar_codec.h"

namespace tickpipe::internal {

void encode_bar(ByteWriter& out, const Bar& bar) {
  out.i64(bar.open_time.ns);
  out.signed_varint(wrapping_sub(bar.close_time.ns, bar.open_time.ns));
  out.signed_varint(bar.open.units);
  out.signed_varint(wrapping_sub(bar.high.units, bar.open.units));
  out.signed_varint(wrapping_sub(bar.low.units, bar.open.units));
  out.signed_varint(wrapping_sub(bar.close.units, bar.open.units));
  out.signed_varint(wrapping_sub(bar.first_tick.ns, bar.open_time.ns));
  out.signed_varint(wrapping_sub(bar.last_tick.ns, bar.open_time.ns));
  out.varint(bar.tick_count);
  out.varint(bar.trade_count);
  if (bar.trade_count != 0) out.int128(bar.trade_volume);
  out.varint(bar.revision);
  out.u8(bar.is_closed ? 1 : 0);
}

Bar decode_bar(ByteReader& in) noexcept {
  Bar bar;
  bar.open_time.ns = in.i64();
  bar.close_time.ns = wrapping_add(bar.open_time.ns, in.signed_varint());
  bar.open.units = in.signed_varint();
  bar.high.units = wrapping_add(bar.open.units, in.signed_varint());
  bar.low.units = wrapping_add(bar.open.units, in.signed_varint());
  bar.close.units = wrapping_add(bar.open.units, in.signed_varint());
  bar.first_tick.ns = wrapping_add(bar.open_time.ns, in.signed_varint());
  bar.last_tick.ns = wrapping_add(bar.open_time.ns, in.signed_varint());
  bar.tick_count = in.varint();
  bar.trade_count = in.varint();
  if (bar.trade_count != 0) bar.trade_volume = in.int128();
  bar.revision = static_cast<std::uint32_t>(in.varint());
  bar.is_closed = in.u8() != 0;
  return bar;
}

}  // namespace tickpipe::internal
