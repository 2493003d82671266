#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "load/descriptor.h"
#include "load/frame.h"
#include "load/greeting.h"
#include "load/inflater.h"
#include "load/options.h"
#include "load/tally.h"
#include "load/verifier.h"

namespace tickpipe::internal::load {

/// What the clients of one thread share.
struct ClientWorld {
  const Options& options;
  const Greeting& greeting;
  Progress& progress;
  ClientTally& tally;
  Verifier* verifier;  // null without --verify
  int epoll = -1;
  int measurement = -1;
  std::int64_t now_us = 0;  // when the bytes at hand were read
  std::uint64_t until_sample = 1;
  std::uint64_t messages = 0;  // of this turn of the loop
  Inflater inflater;
  std::string inflated;
};

/// A well-behaved connection: handshake, greeting, then it reads whatever comes as soon as it comes.
///
/// Threads: belongs to its ClientThread. Cost: without --verify a message costs its frame's header, but for every
/// `--sample`th.
class Client {
 public:
  enum class State { kNew, kConnecting, kHandshake, kOpen, kClosing, kClosed };

  void open(ClientWorld& world, std::uint32_t number, std::uint32_t index);
  /// `buffer` is the thread's own to read into.
  void on_events(ClientWorld& world, std::uint32_t events, std::string& buffer);
  /// Sends a close frame; the server's answer, or end(), closes the connection.
  void start_close(ClientWorld& world);
  void end() noexcept;
  void fail(ClientWorld& world, const std::string& reason);

  [[nodiscard]] State state() const noexcept { return state_; }
  [[nodiscard]] bool is_ready() const noexcept { return is_ready_; }
  [[nodiscard]] bool is_settled() const noexcept { return is_ready_ || state_ == State::kClosed; }
  [[nodiscard]] std::int64_t opened_us() const noexcept { return opened_us_; }

 private:
  struct Sink {
    Client& client;
    ClientWorld& world;
    bool wants(const FrameHeader& header) { return client.wants(world, header); }
    void on_frame(const FrameHeader& header, std::string_view payload) { client.on_frame(world, header, payload); }
  };

  void on_connected(ClientWorld& world);
  void on_bytes(ClientWorld& world, std::string_view bytes);
  bool wants(ClientWorld& world, const FrameHeader& header);
  void on_frame(ClientWorld& world, const FrameHeader& header, std::string_view payload);
  void on_control(ClientWorld& world, const FrameHeader& header, std::string_view payload);
  void on_message(ClientWorld& world, std::string_view message, bool is_compressed);
  void on_tickpipe(ClientWorld& world, std::string_view message);
  void on_plain(ClientWorld& world, std::string_view message);
  void on_tick(ClientWorld& world, const MessageFields& tick) const;
  void on_subscribed(ClientWorld& world, std::string_view message);
  void become_ready(ClientWorld& world);
  void closed_by_server(ClientWorld& world, int code);
  void flush(ClientWorld& world);
  void watch(ClientWorld& world, bool wants_write);

  Descriptor socket_;
  State state_ = State::kNew;
  bool is_ready_ = false;
  bool is_watching_write_ = false;
  bool has_deflate_ = false;
  bool is_assembling_ = false;
  bool is_fragment_compressed_ = false;
  std::uint32_t number_ = 0;  // among all clients
  std::uint32_t index_ = 0;   // within its thread
  std::int64_t opened_us_ = 0;
  std::string out_;
  std::string head_;       // of the handshake's answer
  std::string fragments_;  // of a message in several frames
  FrameReader reader_;
};

}  // namespace tickpipe::internal::load
