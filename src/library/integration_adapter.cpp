#include <tickpipe/integration_adapter.h>

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/safe_text.h"
#include "library/engine.h"
#include "library/subscription_impl.h"
#include "model/names.h"

namespace tickpipe {
namespace {

/// Stands for all symbols; no symbol is spelt so.
constexpr std::string_view kAll = "*";

/// Symbols as they are kept: upper-cased, each once.
std::vector<std::string> keys_of(const std::vector<std::string>& symbols) {
  if (symbols.empty()) return {std::string(kAll)};
  std::vector<std::string> keys;
  for (const std::string& text : symbols) {
    const auto name = internal::parse_symbol(text);
    if (!name) throw ConfigError("\"" + internal::safe_text(text) + "\" is no symbol");
    keys.emplace_back(name->view());
  }
  return keys;
}

}  // namespace

/// What each client has subscribed to.
class IntegrationAdapter::Clients {
 public:
  using Local = std::unique_ptr<internal::LocalSubscription>;

  std::size_t add(internal::Engine& engine, std::string_view client, const std::vector<std::string>& symbols,
                  const TickHandler& handler, const SubscribeOptions& options) {
    const std::vector<std::string> keys = keys_of(symbols);
    const std::lock_guard lock(mutex_);
    std::size_t added = 0;
    for (const std::string& key : keys) {
      auto known = clients_.find(client);
      if (known != clients_.end() && known->second.contains(key)) continue;
      Local local =
          engine.subscribe(key == kAll ? std::vector<std::string>() : std::vector<std::string>{key}, handler, options);
      if (!local) break;  // the pipeline has ended
      if (known == clients_.end()) known = clients_.try_emplace(std::string(client)).first;
      known->second.emplace(key, std::move(local));
      ++added;
    }
    return added;
  }

  /// Takes them out; they end when they are destroyed, which waits for handlers and so is not done under the lock.
  std::vector<Local> take(std::string_view client, const std::vector<std::string>& keys) {
    std::vector<Local> out;
    const std::lock_guard lock(mutex_);
    const auto known = clients_.find(client);
    if (known == clients_.end()) return out;
    for (const std::string& key : keys) {
      const auto it = known->second.find(key);
      if (it == known->second.end()) continue;
      out.push_back(std::move(it->second));
      known->second.erase(it);
    }
    if (known->second.empty()) clients_.erase(known);
    return out;
  }

  std::vector<Local> take_all(std::string_view client) {
    std::vector<Local> out;
    const std::lock_guard lock(mutex_);
    const auto known = clients_.find(client);
    if (known == clients_.end()) return out;
    for (auto& [key, local] : known->second) out.push_back(std::move(local));
    clients_.erase(known);
    return out;
  }

  [[nodiscard]] std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return clients_.size();
  }

 private:
  using Subscriptions = std::map<std::string, Local, std::less<>>;
  mutable std::mutex mutex_;
  std::map<std::string, Subscriptions, std::less<>> clients_;
};

IntegrationAdapter::IntegrationAdapter(Pipeline& pipeline)
    : engine_(pipeline.engine_), clients_(engine_ ? std::make_unique<Clients>() : nullptr) {}

IntegrationAdapter::~IntegrationAdapter() = default;

LpQuoteResult IntegrationAdapter::process_lp_quote(std::string_view lp, std::string_view symbol, Price bid, Price ask,
                                                   Timestamp timestamp) noexcept {
  if (!engine_) return {};
  return engine_->door().process({lp, symbol, bid, ask, timestamp, std::nullopt, std::nullopt});
}

LpQuoteResult IntegrationAdapter::process_lp_quote(const LpQuote& quote) noexcept {
  if (!engine_) return {};
  return engine_->door().process(quote);
}

LpBatchResult IntegrationAdapter::process_lp_quotes(std::span<const LpQuote> quotes,
                                                    std::span<LpQuoteResult> results) noexcept {
  if (engine_) return engine_->door().process(quotes, results);
  for (LpQuoteResult& result : results) result = {};
  LpBatchResult off;
  off.not_taken = quotes.size();
  return off;
}

LpQuoteVerdict IntegrationAdapter::process_lp_quote_wait(std::string_view lp, std::string_view symbol, Price bid,
                                                         Price ask, Timestamp timestamp,
                                                         std::chrono::nanoseconds timeout) {
  return process_lp_quote_wait({lp, symbol, bid, ask, timestamp, std::nullopt, std::nullopt}, timeout);
}

LpQuoteVerdict IntegrationAdapter::process_lp_quote_wait(const LpQuote& quote, std::chrono::nanoseconds timeout) {
  if (!engine_) return {};
  return engine_->wait(quote, timeout);
}

void IntegrationAdapter::start_monitoring() {
  if (engine_) engine_->start_monitoring();
}

std::size_t IntegrationAdapter::subscribe(std::string_view client, const std::vector<std::string>& symbols,
                                          TickHandler handler, const SubscribeOptions& options) {
  if (!engine_) return 0;
  return clients_->add(*engine_, client, symbols, handler, options);
}

std::size_t IntegrationAdapter::unsubscribe(std::string_view client, const std::vector<std::string>& symbols) {
  if (!engine_) return 0;
  return clients_->take(client, keys_of(symbols)).size();
}

std::size_t IntegrationAdapter::disconnect(std::string_view client) {
  if (!engine_) return 0;
  return clients_->take_all(client).size();
}

std::size_t IntegrationAdapter::client_count() const { return clients_ ? clients_->count() : 0; }

}  // namespace tickpipe
