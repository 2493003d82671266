#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/names.h"
#include "serve/stream/stream_client.h"

namespace tickpipe::internal {

/// A client of /api/quotes/stream: every live quote of its symbols as Server-Sent Events
/// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
///
/// The id of an event is `EPOCH:SEQ`; with several symbols `EPOCH:SEQ.SEQ…`, in the order of the symbols in the
/// address: what was sent last of each. So a client that comes back tells what it has of all of them. In place of a SEQ
/// stands `-` while the first quote of a symbol is still to be sent, and `!` while a reset is.
class SseSession final : public StreamClient {
 public:
  /// `symbols` are distinct; `last_id` is empty for a client that is new.
  SseSession(std::shared_ptr<StreamGroup> group, HandedOver&& connection, std::vector<Name> symbols,
             std::string last_id);

  void take_quote(std::string& out, const Tick& tick, std::string_view message, const MessageExtras& extras,
                  const QuoteSubscription& subscription) override;
  void on_symbol(SymbolId symbol, const std::string& name) override;

 private:
  struct Seen {
    Name name;
    std::optional<SymbolId> symbol;
    std::uint64_t seq = 0;
    char owes = 0;            ///< what is still to be sent first, as in an id; 0: nothing
    bool is_awaited = false;  ///< had no quote when the client came
    bool is_checked = false;  ///< whether it can be resumed is being found out
  };

  void begin() override;
  std::size_t take_input(std::string_view bytes) override { return bytes.size(); }
  void tick(SteadyClock::time_point now) override;
  void append_goodbye(std::string& out, Goodbye why, std::string_view reason) override;
  [[nodiscard]] std::size_t whole_messages(std::string_view unsent_from_start, std::size_t sent) const override;

  /// Takes over what an id says of each symbol. False if it is not of this epoch and these symbols.
  [[nodiscard]] bool take_id(std::string_view id);
  void begin_sending(const std::vector<bool>& recovered, bool is_lost);
  void start_afresh(Seen& one, bool is_lost);
  void append_id(std::string& out) const;

  std::vector<Seen> seen_;
  std::string last_id_;
  bool is_sending_ = false;  ///< what can be resumed is known
  SteadyClock::time_point next_heartbeat_;
};

}  // namespace tickpipe::internal
