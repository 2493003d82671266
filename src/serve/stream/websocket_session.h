#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "serve/stream/client_request.h"
#include "serve/stream/websocket_client.h"

namespace tickpipe::internal {

/// A client of /ws: subscribes to channels and is sent what happens there.
class WebSocketSession final : public WebSocketClient {
 public:
  using Json = nlohmann::ordered_json;
  static constexpr std::size_t kMaxMessageBytes = 65'536;
  static constexpr std::uint32_t kMaxMessagesPerSecond = 100;
  static constexpr std::size_t kMaxSubscriptions = 1'000;

  /// `symbols` are subscribed to at once, as old clients ask for them in the address; empty = none.
  WebSocketSession(std::shared_ptr<StreamGroup> group, HandedOver&& connection, const WebSocketForm& form,
                   std::vector<std::string> symbols);

  void on_symbol(SymbolId symbol, const std::string& name) override;
  [[nodiscard]] bool wants_status(std::string_view channel) const override;

 private:
  /// What a client wants of a symbol that has no quote yet.
  struct Awaited {
    std::string symbol;
    std::optional<QuoteOptions> quotes;
    std::vector<std::uint32_t> timeframes;
  };
  void begin() override;
  void on_message(WsOpcode opcode, std::string_view message) override;
  bool may_send(SteadyClock::time_point now) override;
  [[nodiscard]] bool is_reading() const override { return !is_resuming_; }

  void act_on(const ClientRequest& request, const Json& id);
  void subscribe_quotes(const ClientRequest& request, const Json& id);
  void resume_quotes(const ClientRequest& request, const Json& id);
  void start_quotes(const ClientRequest& request, const Json& id, const std::vector<std::string>& recovered);
  void subscribe_bars(const ClientRequest& request, const Json& id);
  void subscribe_status(const ClientRequest& request, const Json& id);
  void unsubscribe(const ClientRequest& request, const Json& id);
  bool unsubscribe_one(const ClientRequest& request, const std::string& symbol);
  /// Those of the request that can be subscribed to; what is wrong with the others goes into `reply`. `*` is no name.
  std::vector<Name> checked_symbols(const ClientRequest& request, Json& reply) const;
  /// The symbol's number, or its entry among those whose first quote is awaited.
  std::variant<SymbolId, Awaited*> find_or_await(const Name& name);
  [[nodiscard]] std::optional<std::uint32_t> timeframe_index(const ClientRequest& request) const;
  [[nodiscard]] std::size_t subscription_count() const;
  void fail(const Json& id, std::string_view code, std::string_view message);
  [[nodiscard]] static Json reply_to(const Json& id, const char* type, const ClientRequest& request);

  std::vector<std::string> first_symbols_;
  std::vector<Awaited> awaited_;
  bool wants_stats_ = false;
  bool wants_health_ = false;
  bool is_resuming_ = false;
  SteadyClock::time_point second_began_;
  std::uint32_t messages_ = 0;  ///< in that second
};

}  // namespace tickpipe::internal
